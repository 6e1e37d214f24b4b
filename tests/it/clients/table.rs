//! The whole list, which is `docs/clients.md`.

use std::fmt::Write;
use std::path::Path;

use super::drivers::{
    ASYNCPG, CROWD, DJANGO, DRIZZLE, LARGE, LIBPQ, NODE_POSTGRES, PG8000, POSTGRES_JS, PSYCOPG, PSYCOPG2, SQLALCHEMY,
};
use super::more::{
    ACTIVE_RECORD, DBD_PG, ELOQUENT, GIGABYTE, GORM, KNEX, PGJDBC, PGX, PHP, PSQL_13, PSQL_14, PSQL_15, PSQL_16,
    PSQL_17, PSQL_18, RUBY_PG, SEQUELIZE, SQLX, TOKIO_POSTGRES, TYPEORM,
};
use super::programs::{BASE_BACKUP, DECODED_CHANGES, DUMP, PGBENCH, RECEIVE_LOG, SUBSCRIPTION};
use super::run::{Client, Servers, runs_the_same};
use crate::support::postgres::Cluster;

const CLIENTS: [&Client; 38] = [
    &PSQL_13,
    &PSQL_14,
    &PSQL_15,
    &PSQL_16,
    &PSQL_17,
    &PSQL_18,
    &PGBENCH,
    &DUMP,
    &BASE_BACKUP,
    &RECEIVE_LOG,
    &DECODED_CHANGES,
    &SUBSCRIPTION,
    &LIBPQ,
    &LARGE,
    &PSYCOPG,
    &GIGABYTE,
    &PSYCOPG2,
    &ASYNCPG,
    &CROWD,
    &PG8000,
    &SQLALCHEMY,
    &DJANGO,
    &NODE_POSTGRES,
    &POSTGRES_JS,
    &DRIZZLE,
    &KNEX,
    &SEQUELIZE,
    &TYPEORM,
    &SQLX,
    &TOKIO_POSTGRES,
    &PGX,
    &GORM,
    &PGJDBC,
    &DBD_PG,
    &RUBY_PG,
    &ACTIVE_RECORD,
    &PHP,
    &ELOQUENT,
];

/// "Proof with software that others wrote" (issue 4, §3): every client of the list runs directly and through pgvitals and
/// sees the same. `make test-clients` writes what came out.
#[test]
fn the_table_of_clients_is_what_ran() {
    let majors = Cluster::majors().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = HEAD.to_owned();
    // Some of them, by a part of their names: no table then.
    let wanted = std::env::var("CLIENTS").unwrap_or_default();
    for client in CLIENTS.into_iter().filter(|client| client.name.contains(&wanted)) {
        let version = runs_the_same(client);
        let servers = match client.servers {
            Servers::Every => majors.clone(),
            Servers::Newest => Cluster::newest().major.to_string(),
            Servers::WithPrograms => Cluster::any().major.to_string(),
        };
        let tls = if client.tls { "same" } else { "–" };
        writeln!(text, "| {} | {version} | {} | {servers} | same | {tls} |", client.name, client.does).unwrap();
    }
    if !wanted.is_empty() {
        return;
    }
    text += TAIL;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients.md");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    // Versions are those of whoever wrote it.
    let comparable = |text: &str| text.lines().map(without_version).collect::<Vec<_>>();
    let hint = "docs/clients.md is not what ran; WRITE_DOCS=1 make test-clients writes:";
    assert!(comparable(&written) == comparable(&text), "{hint}\n{text}");
}

/// A row of the table without its second column.
fn without_version(line: &str) -> String {
    let cells: Vec<&str> = line.split(" | ").collect();
    if cells.len() == 6 { [&cells[..1], &cells[2..]].concat().join(" | ") } else { line.to_owned() }
}

const HEAD: &str = "\
# Clients that ran through pgvitals

Made by the test `the_table_of_clients_is_what_ran`; `WRITE_DOCS=1 make test-clients` writes it anew.

Each client runs a script directly and through pgvitals, in a new database each time; what its user sees must be the same
to the byte. *Plaintext* and *TLS* say how both legs were: with TLS the client checks the server's certificate, which
pgvitals shows too, and authenticates by SCRAM. Each driver's script ends with 100 inserts, which pgvitals must have counted
as 100 calls, and of each kind of statement as many calls as the server; what it forwarded without measuring must be nothing
but replication. Scripts are in `tests/clients`.

| client | version | what it does | servers | plaintext | TLS |
|---|---|---|---|---|---|
";

const TAIL: &str = "
## Clients that did not run

These are not in the registries that the tests install from (Debian 12, PyPI, npm, crates.io): nothing is known against them.

| client | why |
|---|---|
| pgx 5, GORM 2 | come from Go's module proxy; Debian 12 has pgx 4 and GORM 1 |
| r2dbc-postgresql, Hibernate | come from Maven's repository; Debian 12 has pgjdbc alone |
| Prisma | `prisma generate` downloads an engine from Prisma's own site; Drizzle runs in its place |
| Npgsql | comes from NuGet |
| psql 13 over TLS | the build at hand has no TLS |
";
