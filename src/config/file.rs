//! The configuration file: TOML to text by key, each with its line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Error, Errors, Problem, Source};

/// A value and who gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Given {
    pub(super) value: String,
    pub(super) origin: Source,
}

/// What a file says: keys in its order, and one list of keys for each `[[route]]`, `[[monitor]]`, `[[alerts.override]]` and
/// `[[notify.route]]`.
#[derive(Default, Debug)]
pub(super) struct Contents {
    pub(super) keys: Vec<(String, Given)>,
    pub(super) routes: Vec<Vec<(String, Given)>>,
    pub(super) monitors: Vec<Vec<(String, Given)>>,
    pub(super) overrides: Vec<Vec<(String, Given)>>,
    pub(super) notify_routes: Vec<Vec<(String, Given)>>,
    pub(super) errors: Vec<Error>,
}

/// Reads TOML. Whether the keys exist is not asked here.
pub(super) fn parse(path: &Path, text: &str) -> Result<Contents, Errors> {
    let table = DeTable::parse(text).map_err(|error| Errors::file(path, error.to_string().trim_end()))?;
    let mut reader = Reader { path, text, contents: Contents::default() };
    let keys = reader.table("", table.get_ref());
    reader.contents.keys = keys;
    Ok(reader.contents)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    contents: Contents,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) -> Vec<(String, Given)> {
        let mut keys = Vec::new();
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => keys.extend(self.table(&format!("{key}."), inner)),
                DeValue::Array(tables) if key == "route" => {
                    let routes = tables.iter().filter_map(|table| self.one_of_several(&key, table)).collect();
                    self.contents.routes = routes;
                }
                DeValue::Array(tables) if key == "monitor" => {
                    let monitors = tables.iter().filter_map(|table| self.one_of_several(&key, table)).collect();
                    self.contents.monitors = monitors;
                }
                DeValue::Array(tables) if key == "alerts.override" => {
                    let overrides = tables.iter().filter_map(|table| self.one_of_several(&key, table)).collect();
                    self.contents.overrides = overrides;
                }
                DeValue::Array(tables) if key == "notify.route" => {
                    let routes = tables.iter().filter_map(|table| self.one_of_several(&key, table)).collect();
                    self.contents.notify_routes = routes;
                }
                _ => match scalar_or_list(value) {
                    Ok(text) => keys.push((key, Given { value: text, origin: self.line(name.span().start) })),
                    Err(problem) => self.fail(key, name.span().start, problem),
                },
            }
        }
        keys
    }

    /// The keys of one `[[name]]`.
    fn one_of_several(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<(String, Given)>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(self.table(&format!("{name}."), table)),
            other => {
                let what = format!("a {}", other.type_str());
                let problem = Problem::new(what, format!("write [[{name}]] and its keys in lines of their own"));
                self.fail(name.to_owned(), value.span().start, problem);
                None
            }
        }
    }

    fn fail(&mut self, key: String, offset: usize, Problem { what, advice }: Problem) {
        let origin = self.line(offset);
        self.contents.errors.push(Error::Value { key, value: None, origin, what, advice });
    }

    fn line(&self, offset: usize) -> Source {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Source::File { path: self.path.to_owned(), line }
    }
}

/// One text for a value; the parts of an array are joined with commas, as flags and environment write lists.
fn scalar_or_list(value: &Spanned<DeValue<'_>>) -> Result<String, Problem> {
    let DeValue::Array(parts) = value.get_ref() else {
        return scalar(value.get_ref());
    };
    let parts = parts.iter().map(|part| scalar(part.get_ref())).collect::<Result<Vec<_>, _>>()?;
    if parts.len() > 1 && parts.iter().any(|part| part.contains("://")) {
        return Err(Problem::new("a URL among several values", "write one URL, or a list of HOST:PORT"));
    }
    Ok(parts.join(","))
}

fn scalar(value: &DeValue<'_>) -> Result<String, Problem> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Ok(switch.to_string()),
        other => Err(Problem::new(format!("a {} can't be a value here", other.type_str()), "write text in quotes")),
    }
}
