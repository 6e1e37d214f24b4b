//! The schema's name, and what is named after it.
//!
//! SQL can't take names as parameters, so they are put into the text. A [`Schema`] holds only letters, digits and
//! underscores, so nothing can be smuggled in with one, be it between quotes, in a literal, or in a function's body.

use std::fmt;

/// PostgreSQL keeps 63 bytes of a name; the longest suffix takes 7.
const LENGTH_MAX: usize = 56;

/// A schema that is fit to be put into SQL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schema(String);

/// A name that isn't.
#[derive(thiserror::Error, Debug, PartialEq, Eq)]
pub enum BadName {
    /// Other characters, or none at all.
    #[error("a name with other characters than a-z, 0-9 and _, or that begins with a digit")]
    Characters,
    /// Too long for the names of the roles.
    #[error("a name of more than {LENGTH_MAX} characters")]
    Length,
    /// PostgreSQL's own, or everybody's.
    #[error("a schema that is not pgvitals' own")]
    Reserved,
}

impl Schema {
    /// The schema called `name`.
    ///
    /// # Errors
    /// Names that would have to be quoted, that leave no room for the roles' names, or that belong to others.
    pub fn new(name: &str) -> Result<Self, BadName> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(fits) || name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(BadName::Characters);
        }
        if name.len() > LENGTH_MAX {
            return Err(BadName::Length);
        }
        if name.starts_with("pg_") || matches!(name, "public" | "information_schema") {
            return Err(BadName::Reserved);
        }
        Ok(Self(name.to_owned()))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The role that owns everything.
    pub fn owner(&self) -> String {
        format!("{}_owner", self.0)
    }

    /// The role that adds rows.
    pub fn writer(&self) -> String {
        format!("{}_writer", self.0)
    }

    /// The role that reads.
    pub fn reader(&self) -> String {
        format!("{}_reader", self.0)
    }

    /// SQL with names put in: `{schema}`, `{owner}`, `{writer}` and `{reader}` quoted, as a name may be a keyword;
    /// `{schema_name}` and the like bare, for literals.
    pub fn fill(&self, template: &str) -> String {
        template
            .replace("{schema_name}", &self.0)
            .replace("{owner_name}", &self.owner())
            .replace("{writer_name}", &self.writer())
            .replace("{reader_name}", &self.reader())
            .replace("{schema}", &quoted(&self.0))
            .replace("{owner}", &quoted(&self.owner()))
            .replace("{writer}", &quoted(&self.writer()))
            .replace("{reader}", &quoted(&self.reader()))
    }
}

impl Default for Schema {
    /// `pgvitals`.
    fn default() -> Self {
        Self("pgvitals".to_owned())
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_smuggle_nothing_in() {
        for bad in ["", "a b", "a\"; drop table x; --", "a'b", "A", "ä", "1a", "a-b", "a$$b", "{owner}"] {
            assert_eq!(Schema::new(bad), Err(BadName::Characters), "{bad}");
        }
        for bad in ["pg_catalog", "public", "information_schema"] {
            assert_eq!(Schema::new(bad), Err(BadName::Reserved), "{bad}");
        }
        assert_eq!(Schema::new(&"a".repeat(57)), Err(BadName::Length));
        assert!(Schema::new(&"a".repeat(56)).is_ok_and(|schema| schema.writer().len() == 63));
    }

    #[test]
    fn names_are_put_in_quoted() {
        let schema = Schema::new("user").unwrap();
        let filled = schema.fill("grant x on {schema}.t to {writer}, {reader}, {owner}; '{schema_name}'");
        assert_eq!(filled, r#"grant x on "user".t to "user_writer", "user_reader", "user_owner"; 'user'"#);
    }
}
