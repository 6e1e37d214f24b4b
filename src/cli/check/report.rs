//! What `check` found, by topic: as text, in colour or not, and as data.

use serde::Serialize;

use crate::cli::text::plain;

/// How a finding turned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It works.
    #[serde(rename = "ok")]
    Well,
    /// It works otherwise than one might expect.
    Note,
    /// It doesn't work.
    #[serde(rename = "fail")]
    Bad,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Line {
    topic: &'static str,
    outcome: Outcome,
    text: String,
    /// What to do about it.
    remedy: Option<String>,
}

/// All findings, in the order in which they were made.
#[derive(Default, Debug)]
pub(super) struct Report {
    topic: &'static str,
    lines: Vec<Line>,
}

/// As data.
#[derive(Serialize)]
struct Data<'a> {
    ok: usize,
    notes: usize,
    failed: usize,
    findings: &'a [Line],
}

impl Report {
    /// What follows is about this.
    pub(super) fn about(&mut self, topic: &'static str) {
        self.topic = topic;
    }

    /// Something works. Of this text as of those of the others, what stands behind the first semicolon is what to do.
    pub(super) fn well(&mut self, text: impl AsRef<str>) {
        self.add(Outcome::Well, text.as_ref());
    }

    /// Something works otherwise than one might expect.
    pub(super) fn note(&mut self, text: impl AsRef<str>) {
        self.add(Outcome::Note, text.as_ref());
    }

    /// Something doesn't work.
    pub(super) fn bad(&mut self, text: impl AsRef<str>) {
        self.add(Outcome::Bad, text.as_ref());
    }

    /// The topic stands in the heading: no text has to begin with it.
    fn add(&mut self, outcome: Outcome, text: &str) {
        let text = plain(text);
        let rest = text.strip_prefix(self.topic).unwrap_or_default();
        let text = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' ')).unwrap_or(&text);
        let (text, remedy) = match text.split_once("; ") {
            Some((text, remedy)) => (text.to_owned(), Some(remedy.to_owned())),
            None => (text.to_owned(), None),
        };
        self.lines.push(Line { topic: self.topic, outcome, text, remedy });
    }

    /// Whether something doesn't work.
    pub(super) fn is_bad(&self) -> bool {
        self.count(Outcome::Bad) > 0
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.lines.iter().filter(|line| line.outcome == outcome).count()
    }

    /// As one object.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        let data = Data {
            ok: self.count(Outcome::Well),
            notes: self.count(Outcome::Note),
            failed: self.count(Outcome::Bad),
            findings: &self.lines,
        };
        Ok(serde_json::to_string_pretty(&data)? + "\n")
    }

    /// For people: topic by topic, what to do on a line of its own, and at the end what it comes to.
    pub(super) fn text(&self, is_coloured: bool) -> String {
        let paint = Paint(is_coloured);
        let mut topics: Vec<&str> = Vec::new();
        for line in &self.lines {
            if !topics.contains(&line.topic) {
                topics.push(line.topic);
            }
        }
        let mut text = String::new();
        for topic in topics {
            text.push_str(&format!("{}\n", paint.bold(topic)));
            for Line { outcome, text: what, remedy, .. } in self.lines.iter().filter(|line| line.topic == topic) {
                text.push_str(&format!("  {}  {what}\n", paint.mark(*outcome)));
                if let Some(remedy) = remedy {
                    text.push_str(&format!("        {} {remedy}\n", paint.arrow()));
                }
            }
            text.push('\n');
        }
        text + &self.sum(paint) + "\n"
    }

    fn sum(&self, paint: Paint) -> String {
        let (well, notes, bad) = (self.count(Outcome::Well), self.count(Outcome::Note), self.count(Outcome::Bad));
        let notes = if notes == 1 { "1 note".to_owned() } else { format!("{notes} notes") };
        match bad {
            0 => format!("{} ({well} ok, {notes}; exit code 0)", paint.green("nothing is in the way")),
            1 => format!("{} ({well} ok, {notes}; exit code 1)", paint.red("1 thing won't work")),
            _ => format!("{} ({well} ok, {notes}; exit code 1)", paint.red(&format!("{bad} things won't work"))),
        }
    }
}

/// Colours that every terminal has (ECMA-48 SGR), or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn mark(self, outcome: Outcome) -> String {
        match outcome {
            Outcome::Well => self.green("ok  "),
            Outcome::Note => self.with("33", "note"),
            Outcome::Bad => self.red("FAIL"),
        }
    }

    fn arrow(self) -> String {
        self.with("36", "→")
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn with(self, codes: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{codes}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
