//! Commands in fenced blocks, and what is shown of their answers.

use crate::support::document::Block;

/// One command of a document.
pub(super) struct Command {
    pub(super) text: String,
    /// Lines that are shown behind it.
    shown: Vec<String>,
}

/// The commands of a block: of `sh` each line, of `console` what stands behind a `$`; of `sql` the block is one.
pub(super) fn commands(block: &Block) -> Vec<Command> {
    if block.language == "sql" {
        return vec![Command { text: block.text.clone(), shown: Vec::new() }];
    }
    let mut commands: Vec<Command> = Vec::new();
    for line in block.text.replace("\\\n", "").lines() {
        let text = match (block.language.as_str(), line.strip_prefix("$ ")) {
            ("console", None) => {
                commands.last_mut().expect("a command above what is shown").shown.push(line.to_owned());
                continue;
            }
            (_, Some(command)) => command,
            (_, None) => line,
        };
        if !text.is_empty() && !text.starts_with('#') {
            commands.push(Command { text: text.to_owned(), shown: Vec::new() });
        }
    }
    commands
}

impl Command {
    /// Lines that are shown and that no line of the answer looks like: figures aside, it begins so. `…` is anything.
    pub(super) fn misses(&self, answer: &str) -> impl Iterator<Item = &str> {
        let lines: Vec<_> = answer.lines().map(plain).collect();
        let shown = self.shown.iter().map(String::as_str).filter(|line| !line.trim().is_empty());
        shown.filter(move |line| {
            let begin = plain(line.split('…').next().unwrap_or_default());
            !lines.iter().any(|there| there.starts_with(&begin))
        })
    }
}

/// A line without its figures and with single spaces.
fn plain(line: &str) -> String {
    let without = line.replace(|c: char| c.is_ascii_digit() || c == '.', "");
    without.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names of fields in JSON that may be cut short.
pub(super) fn fields(json: &str) -> Vec<&str> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let ends = json.match_indices("\":").filter_map(|(end, _)| json.get(..end)?.rsplit('"').next());
    ends.filter(|name| !name.is_empty() && name.bytes().all(is_name)).collect()
}

#[test]
fn commands_are_found_with_what_is_shown_behind_them() {
    let block = |language: &str, text: &str| Block { line: 1, language: language.to_owned(), text: text.to_owned() };
    let of = |language, text| commands(&block(language, text));
    let texts: Vec<_> = of("sh", "# why\na \\\n  b  # c\n\nd").into_iter().map(|command| command.text).collect();
    assert_eq!(texts, ["a   b  # c", "d"]);
    let console = of("console", "$ ask\nlast hour: 12 calls, …\nmore");
    assert_eq!(console.len(), 1);
    assert_eq!(console[0].misses("last  hour: 7 calls, none\nless").collect::<Vec<_>>(), ["more"]);
    assert_eq!(fields("{\"a_1\": {\"b\":2, \"c\""), ["a_1", "b"]);
}
