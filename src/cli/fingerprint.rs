//! `pgvitals fingerprint`: statements as JSON lines in, their fingerprints as JSON lines out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead, BufWriter, Write};

use anyhow::Context;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::sql::describe::{Description, describe};
use crate::sql::fingerprint::{Fingerprint, fingerprint};
use crate::sql::hash::QueryHash;
use crate::sql::query::{Pseudo, Query};
use crate::sql::statement::{Dialect, Tags};

/// Descriptions that are kept, because statements of a corpus repeat.
const DESCRIPTIONS_MAX: usize = 16_384;

/// Reads lines `{"id":…,"sql":…}` and writes one line per statement. A line that is neither is named on stderr; the
/// others are answered.
///
/// # Errors
/// When a line could not be read as what it should be, at the end; when reading or writing fails, at once. A reader that
/// goes away early is none.
pub fn run(input: impl BufRead, output: impl Write) -> anyhow::Result<()> {
    answer(input, BufWriter::with_capacity(64 * 1024, output), io::stderr().lock())
}

fn answer(mut input: impl BufRead, mut output: impl Write, mut errors: impl Write) -> anyhow::Result<()> {
    let mut descriptions = HashMap::new();
    let (mut line, mut number, mut bad) = (Vec::new(), 0_u64, 0_u64);
    while input.read_until(b'\n', &mut line).context("reading statements")? > 0 {
        number += 1;
        if !line.trim_ascii().is_empty() {
            match serde_json::from_slice::<Request<'_>>(&line) {
                Ok(request) => match request.answer(&mut descriptions, &mut output) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                    written => written.context("writing fingerprints")?,
                },
                Err(error) => {
                    bad += 1;
                    writeln!(errors, "pgvitals: line {number}: {error}; expected {{\"id\":…,\"sql\":\"…\"}}")
                        .context("writing errors")?;
                }
            }
        }
        line.clear();
    }
    match output.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        flushed => flushed.context("writing fingerprints")?,
    }
    anyhow::ensure!(bad == 0, "{bad} of {number} lines could not be read");
    Ok(())
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    sql: Cow<'a, str>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    query_hash: Option<String>,
    query: &'a str,
    kind: &'static str,
    class: &'static str,
    tables: &'a [Box<str>],
    summary: &'a str,
    name: Option<&'a str>,
    #[serde(serialize_with = "as_object")]
    tags: &'a Tags,
}

fn as_object<S: Serializer>(tags: &Tags, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.pairs.iter().map(|(key, value)| (key, value)))
}

impl Request<'_> {
    fn answer(&self, known: &mut HashMap<QueryHash, Description>, mut output: impl Write) -> io::Result<()> {
        let statements = fingerprint(self.sql.as_bytes(), Dialect::default());
        if statements.is_empty() {
            let empty = Pseudo::Empty.query();
            // Comments alone are the empty statement, as a lone `;` is; a text with nothing in it is no statement.
            let blank = self.sql.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b'\x0b');
            let hash = (!blank).then(|| QueryHash::of(""));
            let description = describe(&empty);
            return write(&mut output, &self.line(hash, "", empty.kind.as_str(), &description, &Tags::default()));
        }
        for statement in statements {
            let Fingerprint { text, hash, kind, tags, .. } = statement;
            if known.len() >= DESCRIPTIONS_MAX && !known.contains_key(&hash) {
                known.clear();
            }
            let query = Query { hash, kind, text: text.into() };
            let description = known.entry(hash).or_insert_with(|| describe(&query));
            let tags = tags.unwrap_or_default();
            write(&mut output, &self.line(Some(hash), &query.text, kind.as_str(), description, &tags))?;
        }
        Ok(())
    }

    fn line<'a>(
        &'a self,
        hash: Option<QueryHash>,
        query: &'a str,
        kind: &'static str,
        description: &'a Description,
        tags: &'a Tags,
    ) -> Answer<'a> {
        Answer {
            id: self.id,
            query_hash: hash.map(|hash| hash.to_string()),
            query,
            kind,
            class: description.class.as_str(),
            tables: &description.tables,
            summary: &description.summary,
            name: tags.name.as_deref(),
            tags,
        }
    }
}

fn write(output: &mut impl Write, answer: &Answer<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")
}

#[cfg(test)]
#[path = "tests/fingerprint.rs"]
mod tests;
