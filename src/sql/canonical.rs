//! Skeleton to canonical text: placeholders get their numbers (FINGERPRINT §2, rule 9).

use super::text::PLACEHOLDER;

/// The canonical text of a skeleton; what isn't UTF-8 becomes U+FFFD.
pub(super) fn number(skeleton: &[u8]) -> String {
    let mut text = String::with_capacity(skeleton.len() + 16);
    for (index, part) in skeleton.split(|byte| *byte == PLACEHOLDER).enumerate() {
        if index > 0 {
            text.push('$');
            text.push_str(&index.to_string());
        }
        match std::str::from_utf8(part) {
            Ok(part) => text.push_str(part),
            Err(_) => text.push_str(&String::from_utf8_lossy(part)),
        }
    }
    text
}

/// `text`, or as much of it as fits `max` bytes, and then `…`.
pub(super) fn cut(text: &str, max: usize) -> Box<str> {
    if text.len() <= max {
        return text.into();
    }
    let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_from_left_to_right() {
        let skeleton = [&[0xff][..], b" a \xff, ", &[0xff]].concat();
        assert_eq!(number(&skeleton), "$1 a $2, $3");
        assert_eq!(number(b"a \xc3 b"), "a \u{fffd} b");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(&*cut("äöü", 6), "äöü");
        assert_eq!(&*cut("äöü", 5), "äö…");
    }
}
