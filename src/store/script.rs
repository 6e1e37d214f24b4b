//! The migrations in order, and the script that applies them: the same text is run and printed.
//!
//! A migration only adds: tables, functions with new signatures, columns that are nullable or have a default. Renaming
//! and dropping take two versions: first nobody uses the old thing any more, then it goes, and `min_writer` or
//! `min_reader` say so. A text that was released is never changed: its checksum is in the store.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::schema::Schema;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Counted from 1.
    pub version: i32,
    /// What it is about.
    pub name: &'static str,
    /// SQL with names to be put in ([`Schema::fill`]).
    pub text: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("migrations/", $name, ".sql")),
        }),*]
    };
}

/// All of them, ascending.
pub const MIGRATIONS: &[Migration] = migrations![
    1 "0001_tables",
    2 "0002_percentile",
    3 "0003_reading",
    4 "0004_roll_up",
    5 "0005_maintain",
    6 "0006_views",
    7 "0007_size",
    8 "0008_fast_reading",
    9 "0009_snapshots",
    10 "0010_alerts",
    11 "0011_job_runs",
    13 "0013_demo",
    14 "0014_cost",
];

/// The version that this program knows.
pub const VERSION: i32 = 14;

impl Migration {
    /// SHA-256 of the text before names were put in, in hex.
    pub fn checksum(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        digest.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap_or_default(); // Writing to a String can't fail.
            hex
        })
    }
}

/// Whether there are roles beside the one that migrates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Roles {
    /// `<schema>_owner`, `<schema>_writer` and `<schema>_reader`.
    Three,
    /// Where roles can't be made: whoever migrates owns, writes and reads.
    Single,
}

/// What each transaction begins with: what a database or role may have set otherwise changes what the SQL means.
pub(super) const BEGIN: &str = "\
begin;
set local time zone 'UTC';
set local datestyle = 'ISO, YMD';
set local search_path = pg_catalog, pg_temp;
set local client_min_messages = warning;
set local statement_timeout = 0;
select pg_advisory_xact_lock(hashtextextended('pgvitals migrates {schema_name}', 0));
set local lock_timeout = '5s';
";

const SCHEMA_OF_OWNER: &str = "
do $$
begin
    if to_regnamespace('{schema_name}') is null then
        create schema {schema} authorization {owner};
    end if;
end
$$;
set local role {owner};
";

const SCHEMA_OF_ONE: &str = "
do $$
begin
    if to_regnamespace('{schema_name}') is null then
        create schema {schema};
    end if;
end
$$;
";

/// What comes between [`BEGIN`] and `commit` to get from version `from` to [`VERSION`].
pub(super) fn steps(schema: &Schema, roles: Roles, from: i32) -> String {
    let mut script = match roles {
        Roles::Three => format!("{}{SCHEMA_OF_OWNER}", include_str!("roles.sql")),
        Roles::Single => SCHEMA_OF_ONE.to_owned(),
    };
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
        let (Migration { version, name, text }, checksum) = (migration, migration.checksum());
        script.push_str(&format!(
            "\n{text}\ninsert into {{schema}}.migrations (version, name, checksum, program)\n    \
             values ({version}, '{name}', '{checksum}', '{}');\n",
            env!("CARGO_PKG_VERSION")
        ));
    }
    script.push_str(&format!(
        "update {{schema}}.meta set schema_version = {VERSION};\nselect count(*) from {{schema}}.maintain();\n\n"
    ));
    script.push_str(include_str!("closed.sql"));
    if roles == Roles::Three {
        script.push_str(include_str!("grants.sql"));
    }
    schema.fill(&script)
}

/// A script for psql, whole, for those who want to read it first or may not let pgvitals make tables.
pub fn print(schema: &Schema, roles: Roles, from: i32) -> String {
    let head = format!("-- pgvitals {}: schema {schema}, version {VERSION}\n", env!("CARGO_PKG_VERSION"));
    format!("{head}{}{}\ncommit;\n", schema.fill(BEGIN), steps(schema, roles, from))
}

/// What spreads the tables over the nodes of a Citus cluster; for psql, behind [`print()`].
pub fn print_citus(schema: &Schema) -> String {
    schema.fill(include_str!("citus.sql"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_ascend_and_are_named_by_their_number() {
        assert!(MIGRATIONS.is_sorted_by(|one, next| one.version < next.version));
        for migration in MIGRATIONS {
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)), "{}", migration.name);
        }
        assert_eq!(MIGRATIONS.last().unwrap().version, VERSION);
    }

    #[test]
    fn every_name_is_put_in() {
        for roles in [Roles::Three, Roles::Single] {
            let script = print(&Schema::new("stats").unwrap(), roles, 0);
            for name in ["{schema", "{owner", "{writer", "{reader", "pgvitals."] {
                assert!(!script.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn citus_is_told_of_tables_that_there_are() {
        let script = print_citus(&Schema::new("stats").unwrap());
        let made: String = MIGRATIONS.iter().map(|migration| migration.text).collect();
        let lists = script.split("array[").skip(1).filter_map(|rest| rest.split(']').next());
        let named = script.split("table('\"stats\".").skip(1).filter_map(|rest| rest.split('\'').next());
        let tables: Vec<_> =
            lists.flat_map(|list| list.split(", ")).chain(named).map(|name| name.trim_matches('\'')).collect();
        assert!(tables.contains(&"batches") && tables.contains(&"query_stats_hour"), "{tables:?}");
        for table in tables.iter().filter(|table| !table.is_empty()) {
            assert!(made.contains(&format!("create table {{schema}}.{table} (")), "{table}");
        }
    }

    #[test]
    fn a_single_role_makes_and_grants_nothing() {
        let script = print(&Schema::default(), Roles::Single, 0);
        assert!(!script.contains("create role") && !script.contains("grant ") && script.contains("revoke all"));
    }
}
