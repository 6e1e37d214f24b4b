//! What is said about settings that can't be used: which key, which value, who said it, what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// Who gave a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The command line.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A line of the configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody; the table's default.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(flag) => write!(f, "--{flag}"),
            Source::Variable(name) => write!(f, "environment variable {name}"),
            Source::File { path, line } => write!(f, "{}:{line}", path.display()),
            Source::Default => f.write_str("default"),
        }
    }
}

/// What is wrong with a value, and what to write instead. Neither quotes a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: String,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }
}

/// One setting that can't be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// A value that means nothing, or something that this version can't do.
    #[error("{}`{key}`{}: {what}; {advice}", from(.origin), shown(.value))]
    Value {
        /// The key.
        key: String,
        /// The value, unless it is a secret.
        value: Option<String>,
        /// Who gave it.
        origin: Source,
        /// What is wrong with it.
        what: String,
        /// What to do.
        advice: String,
    },
    /// No key has this name.
    #[error("{origin}: unknown key `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// What was written.
        key: String,
        /// Who wrote it.
        origin: Source,
        /// The known key that looks most like it.
        nearest: String,
    },
    /// The file could not be read or is not TOML.
    #[error("configuration file {}: {what}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

/// Nobody gave what is missing.
fn from(origin: &Source) -> String {
    if *origin == Source::Default { String::new() } else { format!("{origin}: ") }
}

fn shown(value: &Option<String>) -> String {
    value.as_ref().map(|value| format!(" = {value:?}")).unwrap_or_default()
}

/// Everything that is wrong with the settings; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// A key that a command needs and nobody gave.
    pub(crate) fn missing(key: &str, what: &str, advice: &str) -> Self {
        let (key, what, advice) = (key.to_owned(), what.to_owned(), advice.to_owned());
        Self(vec![Error::Value { key, value: None, origin: Source::Default, what, advice }])
    }

    pub(super) fn file(path: &Path, what: &str) -> Self {
        Self(vec![Error::File { path: path.to_owned(), what: what.to_owned() }])
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// The one of `known` that looks most like `wrong`.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> &'a str {
    known.into_iter().min_by_key(|name| strsim::damerau_levenshtein(wrong, name)).unwrap_or_default()
}
