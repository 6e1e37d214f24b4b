//! What could not be seen, and what an owner could do about it.

use super::error::Error;
use crate::snapshot::set::Missing;

/// Collects it.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    pub(super) list: Vec<Missing>,
    /// Whom a grant would be for, quoted.
    role: String,
    version_number: u32,
}

impl Gaps {
    pub(super) fn of(role: &str, version_number: u32) -> Self {
        Self { list: Vec::new(), role: quoted(role), version_number }
    }

    pub(super) fn add(&mut self, database: Option<&str>, what: &str, why: impl Into<String>, remedy: Option<String>) {
        let missing = Missing { database: database.map(str::to_owned), what: what.to_owned(), why: why.into(), remedy };
        self.list.push(missing);
    }

    /// A question that failed; what else there was to ask is not concerned.
    pub(super) fn failed(&mut self, database: Option<&str>, what: &str, error: &Error) {
        let remedy = (error.code() == Some("42501")).then(|| format!("GRANT pg_monitor TO {}", self.role));
        self.add(database, what, error.to_string(), remedy);
    }

    /// What of `answer` is there; what isn't is noted.
    pub(super) fn note<T: Default>(&mut self, database: Option<&str>, what: &str, answer: Result<T, Error>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed(database, what, &error);
            T::default()
        })
    }

    pub(super) fn no_monitor(&mut self) {
        let why = "the role sees neither other users' sessions nor sizes of databases that it can't connect to";
        self.add(None, "sessions", why, Some(format!("GRANT pg_monitor TO {}", self.role)));
    }

    pub(super) fn no_connect(&mut self, database: &str) {
        let remedy = format!("GRANT CONNECT ON DATABASE {} TO {}", quoted(database), self.role);
        self.add(Some(database), "database", "the role may not connect to it", Some(remedy));
    }

    pub(super) fn no_statistics(&mut self, database: &str, tables: usize) {
        let why = format!("the statistics of {tables} tables may not be read, so that their bloat is not estimated");
        let remedy = match self.version_number {
            140_000.. => format!("GRANT pg_read_all_data TO {}", self.role),
            _ => format!("GRANT SELECT ON ALL TABLES IN SCHEMA … TO {}", self.role),
        };
        self.add(Some(database), "statistics", why, Some(remedy));
    }

    pub(super) fn no_scans(&mut self, database: &str) {
        let remedy = format!("GRANT pg_stat_scan_tables TO {}", self.role);
        self.add(Some(database), "pgstattuple", "the role may not use the extension", Some(remedy));
    }
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty();
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_that_need_it_are_quoted() {
        for (name, sql) in [("app_1", "app_1"), ("App", "\"App\""), ("1a", "\"1a\""), ("a\"b", "\"a\"\"b\"")] {
            assert_eq!(quoted(name), sql);
        }
    }
}
