//! Others' text where people read it: names and statements are hostile until shown otherwise.

/// Whether a character can act on a terminal or turn around the line that it stands in: control characters, line breaks
/// among them, and Unicode's directional formatting.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text as HTML takes it, between tags and in quotes.
pub fn escaped_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_lines_stay_as_they_are() {
        assert_eq!(escaped_html("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        assert!(['\n', '\u{1b}', '\u{202e}', '\u{2066}'].into_iter().all(is_unsafe));
        assert!(!"a ä 漢 \u{5d0}".chars().any(is_unsafe));
    }
}
