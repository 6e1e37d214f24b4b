//! `pgvitals migrate`: makes the monitoring tables, says what there is, or prints the SQL.

use std::io::Write;

use anyhow::Context;

use super::client::runtime;
use super::exit::Failure;
use super::load::store;
use crate::config::load::Loaded;
use crate::pgclient::connect::Connection;
use crate::store::migrate::{State, migrate};
use crate::store::schema::Schema;
use crate::store::script::{self, MIGRATIONS, Roles, VERSION};
use crate::store::settings::Settings;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Options {
    /// Print the SQL, change nothing.
    pub(super) print: bool,
    /// Say what there is, change nothing.
    pub(super) status: bool,
    /// Without roles of its own.
    pub(super) single_role: bool,
    /// Print also what spreads the tables over a Citus cluster.
    pub(super) citus: bool,
}

/// Does it.
pub(super) fn run(loaded: &Loaded, options: Options, mut out: impl Write) -> Result<(), Failure> {
    let wanted = if options.single_role { Roles::Single } else { Roles::Three };
    let mut text = match (&loaded.app.store, options.print) {
        // Without a store there is nothing to compare with: all of it.
        (None, true) => script::print(&loaded.schema, wanted, 0),
        _ => runtime()?.block_on(on(store(loaded, "no store is set to make tables in")?, wanted, options))?,
    };
    if options.citus {
        text.push_str(&script::print_citus(&loaded.schema));
    }
    Ok(out.write_all(text.as_bytes()).context("can't write the answer")?)
}

async fn on(store: &Settings, wanted: Roles, options: Options) -> anyhow::Result<String> {
    let (target, schema) = (&store.target, &store.schema);
    let client = Connection::open(target).await?;
    if options.print || options.status {
        let state = State::read(&client, schema).await?;
        return Ok(match options.print {
            true => script::print(schema, state.roles(wanted), state.version),
            false => status(&state, schema, &target.to_string()),
        });
    }
    Ok(match migrate(&client, schema, wanted).await? {
        None => format!("schema {schema} at {target}: nothing to do\n"),
        Some(0) => format!("schema {schema} at {target}: made, version {VERSION}\n"),
        Some(from) => format!("schema {schema} at {target}: from version {from} to {VERSION}\n"),
    })
}

/// What was applied, and what is still to be.
fn status(state: &State, schema: &Schema, target: &str) -> String {
    let mut text = format!("schema {schema} at {target}: version {}, this program's is {VERSION}\n", state.version);
    for (_, name, _) in &state.applied {
        text.push_str(&format!("applied  {name}\n"));
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > state.version) {
        text.push_str(&format!("pending  {}\n", migration.name));
    }
    if let Err(error) = state.accepts_us(schema) {
        text.push_str(&format!("{error}\n"));
    }
    text
}
