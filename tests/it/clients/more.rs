//! What `scripts/bootstrap clients` installs: psql of further major versions, drivers of further languages; and what takes
//! long.

use super::programs::{PSQL, version};
use super::run::{Client, Place, Servers};
use crate::support::tool::Tool;
use crate::transparency::psql::long_session;

/// psql of another major version than its servers'.
fn psql<const MAJOR: u32>(place: &Place) -> String {
    let psql = || Tool::more(&format!("psql-{MAJOR}/postgres/bin/psql"));
    version(psql()) + &format!("{:?}", long_session(place.aim(psql())))
}

const WITH_EVERY_SERVER: &str = "a long session, errors of each kind among it, with servers of every version at hand";

/// Its build knows no TLS.
pub(super) const PSQL_13: Client =
    Client { name: "psql 13", does: WITH_EVERY_SERVER, script: psql::<13>, tls: false, ..PSQL };
pub(super) const PSQL_14: Client = Client { name: "psql 14", script: psql::<14>, does: WITH_EVERY_SERVER, ..PSQL };
pub(super) const PSQL_16: Client = Client { name: "psql 16", script: psql::<16>, does: WITH_EVERY_SERVER, ..PSQL };
pub(super) const PSQL_18: Client = Client { name: "psql 18", script: psql::<18>, does: WITH_EVERY_SERVER, ..PSQL };

/// psql of Debian and of PyPI, which other tests use as well.
fn psql_at_hand<const MAJOR: u32>(place: &Place) -> String {
    let psql = || Tool::postgres("psql", MAJOR);
    version(psql()) + &format!("{:?}", long_session(place.aim(psql())))
}

pub(super) const PSQL_15: Client =
    Client { name: "psql 15", script: psql_at_hand::<15>, does: WITH_EVERY_SERVER, ..PSQL };
pub(super) const PSQL_17: Client =
    Client { name: "psql 17", script: psql_at_hand::<17>, does: WITH_EVERY_SERVER, ..PSQL };

pub(super) const SQLX: Client = Client {
    name: "SQLx",
    does: "prepared statements, results as they come and left in the middle, several statements at once, savepoints, \
           COPY, a listener, a pool",
    script: |place| place.prints(Tool::more("rust_session").arg("sqlx")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const TOKIO_POSTGRES: Client = Client {
    name: "tokio-postgres",
    does: "pipelines, portals fetched in parts, COPY, notices, notifications, cancellation",
    script: |place| place.prints(Tool::more("rust_session").arg("tokio-postgres")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const PGX: Client = Client {
    name: "pgx, and database/sql over it",
    does: "prepared statements, batches and failing ones, the simple protocol, savepoints, large objects, COPY in text \
           and binary, notices, notifications, cancellation, a pool",
    script: |place| place.prints(Tool::more("go_session")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const GORM: Client = Client {
    name: "GORM 1, and lib/pq under it",
    does: "schema, relations, transactions and failing ones, COPY, a time limit (cancel request), a listener, a pool",
    script: |place| place.prints(Tool::more("gorm_session")),
    ..Client::DRIVER
};

pub(super) const PGJDBC: Client = Client {
    name: "pgjdbc",
    does: "in each of its four query modes: prepared statements, batches and failing ones, generated keys, results in \
           parts, savepoints, large objects by function calls, COPY, warnings, notifications, time limits (cancel requests)",
    script: |place| place.prints(Tool::java()),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const DBD_PG: Client = Client {
    name: "DBD::Pg",
    does: "prepared statements, cursors, savepoints, large objects, COPY, notices, notifications, cancellation",
    script: |place| place.prints(Tool::interpreter("perl", "session.pl")),
    ..Client::DRIVER
};

pub(super) const RUBY_PG: Client = Client {
    name: "ruby-pg",
    does: "prepared statements, pipelines, results row by row, COPY, large objects, notices, notifications, cancellation",
    script: |place| place.prints(Tool::interpreter("ruby", "session.rb")),
    ..Client::DRIVER
};

pub(super) const ACTIVE_RECORD: Client = Client {
    name: "ActiveRecord",
    does: "a migration, relations, nested transactions, inserts and upserts of many, batches, a lock, a pool",
    script: |place| place.prints(Tool::interpreter("ruby", "active_record_session.rb")),
    ..Client::DRIVER
};

pub(super) const PHP: Client = Client {
    name: "PHP's pgsql and PDO",
    does: "prepared statements, the server's and emulated ones, COPY, large objects, notices, notifications, cancellation",
    script: |place| place.prints(Tool::interpreter("php", "session.php")),
    ..Client::DRIVER
};

pub(super) const ELOQUENT: Client = Client {
    name: "Eloquent (Laravel)",
    does: "over PDO: schema, relations, transactions and failing ones, inserts and upserts of many, chunks, a cursor",
    script: |place| place.prints(Tool::interpreter("php", "eloquent_session.php")),
    ..Client::DRIVER
};

pub(super) const TYPEORM: Client = Client {
    name: "TypeORM",
    does: "over node-postgres: schema, a migration there and back, relations, nested transactions, inserts of many",
    script: |place| place.prints(Tool::node("typeorm_session.js")),
    ..Client::DRIVER
};

pub(super) const SEQUELIZE: Client = Client {
    name: "Sequelize",
    does: "over node-postgres: schema, relations, transactions and failing ones, inserts of many, bound parameters",
    script: |place| place.prints(Tool::node("sequelize_session.js")),
    ..Client::DRIVER
};

pub(super) const KNEX: Client = Client {
    name: "Knex",
    does: "over node-postgres: migrations, inserts in batches, nested transactions, upserts",
    script: |place| place.prints(Tool::node("knex_session.js")),
    ..Client::DRIVER
};

pub(super) const GIGABYTE: Client = Client {
    name: "psycopg 3, 1 GB",
    does: "COPY of 1 GB in and out, with checksums",
    script: |place| place.prints(Tool::python("gigabyte_session.py")),
    tls: false,
    ..Client::DRIVER
};
