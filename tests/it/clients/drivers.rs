//! Drivers in Python and JavaScript, which `scripts/bootstrap` installs.

use super::run::{Client, Servers, runs_the_same};
use crate::support::tool::Tool;

pub(super) const PSYCOPG: Client = Client {
    name: "psycopg 3",
    does: "prepared statements, pipelines, COPY in text and binary, cursors of the server, rows as they come, notices, \
           notifications, cancellation, large objects, binary parameters and results",
    script: |place| place.prints(Tool::python("psycopg_session.py")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const PSYCOPG2: Client = Client {
    name: "psycopg 2",
    does: "simple queries, COPY, cursors of the server, notices, notifications, large objects, two-phase commit",
    script: |place| place.prints(Tool::python("psycopg2_session.py")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const ASYNCPG: Client = Client {
    name: "asyncpg",
    does: "prepared statements, `executemany`, portals fetched in parts, COPY, savepoints, notifications, time limits \
           (cancel requests), a pool",
    script: |place| place.prints(Tool::python("asyncpg_session.py")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const PG8000: Client = Client {
    name: "pg8000",
    does: "prepared statements, failed transactions, COPY, notices, notifications",
    script: |place| place.prints(Tool::python("pg8000_session.py")),
    ..Client::DRIVER
};

pub(super) const SQLALCHEMY: Client = Client {
    name: "SQLAlchemy",
    does: "over psycopg, psycopg 2 and asyncpg: schema and its inspection, relations, upserts, savepoints, results as \
           they come",
    script: |place| place.prints(Tool::python("sqlalchemy_session.py")),
    ..Client::DRIVER
};

pub(super) const DJANGO: Client = Client {
    name: "Django",
    does: "a project's test suite under Django's test runner: it makes a database, migrates it, and drops it",
    script: |place| place.prints(Tool::python("django_session.py")),
    ..Client::DRIVER
};

pub(super) const NODE_POSTGRES: Client = Client {
    name: "node-postgres",
    does: "prepared statements, queued queries, failed transactions, portals fetched in parts, cursors, COPY, notices, \
           notifications, a pool",
    script: |place| place.prints(Tool::node("pg_session.js")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const POSTGRES_JS: Client = Client {
    name: "postgres (porsager)",
    does: "pipelines, cursors, savepoints, COPY, notices, notifications, cancellation",
    script: |place| place.prints(Tool::node("postgres_session.js")),
    ..Client::DRIVER
};

pub(super) const DRIZZLE: Client = Client {
    name: "Drizzle",
    does: "over node-postgres: relations, prepared queries, nested transactions",
    script: |place| place.prints(Tool::node("drizzle_session.js")),
    ..Client::DRIVER
};

pub(super) const LIBPQ: Client = Client {
    name: "libpq 18",
    does: "protocols 3.0 and 3.2, cancellation by long and short keys in each way that libpq has",
    script: |place| place.prints(Tool::python("protocol_session.py")),
    servers: Servers::Every,
    ..Client::DRIVER
};

pub(super) const LARGE: Client = Client {
    name: "libpq 18, large messages",
    does: "65,535 parameters, a statement and a value of 64 MB",
    script: |place| place.prints(Tool::python("large_session.py")),
    ..Client::DRIVER
};

pub(super) const CROWD: Client = Client {
    name: "asyncpg, 1,000 connections",
    does: "all open at once, each with statements of its own",
    script: |place| place.prints(Tool::python("crowd_session.py")),
    tls: false,
    ..Client::DRIVER
};

/// "Drivers see the same results, errors, notices and notifications." (docs/transparency.md)
#[test]
fn psycopg_runs_the_same() {
    runs_the_same(&PSYCOPG);
}

#[test]
fn psycopg2_runs_the_same() {
    runs_the_same(&PSYCOPG2);
}

#[test]
fn asyncpg_runs_the_same() {
    runs_the_same(&ASYNCPG);
}

#[test]
fn pg8000_runs_the_same() {
    runs_the_same(&PG8000);
}

#[test]
fn sqlalchemy_runs_the_same() {
    runs_the_same(&SQLALCHEMY);
}

#[test]
fn django_runs_its_tests_the_same() {
    runs_the_same(&DJANGO);
}

#[test]
fn node_postgres_runs_the_same() {
    runs_the_same(&NODE_POSTGRES);
}

#[test]
fn postgres_js_runs_the_same() {
    runs_the_same(&POSTGRES_JS);
}

#[test]
fn drizzle_runs_the_same() {
    runs_the_same(&DRIZZLE);
}

/// "`StartupMessage` goes on verbatim: 3.0, 3.2 … cancel keys of 4 to 256 bytes pass" (PROTOCOL §1)
#[test]
fn libpq_of_18_runs_the_same_in_each_protocol() {
    runs_the_same(&LIBPQ);
}

#[test]
fn large_messages_run_the_same() {
    runs_the_same(&LARGE);
}

#[test]
fn a_thousand_connections_at_once_run_the_same() {
    runs_the_same(&CROWD);
}
