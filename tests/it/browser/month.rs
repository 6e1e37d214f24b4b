//! A shop that has been watched for a month, so that every page is full: [`Shop`].

use std::io::Write;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::store::Store;
use crate::store::writing::{end, writing};
use crate::support::client::Client;
use crate::support::http::request;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

const SECRET: &str = "a-secret-of-some-length";

/// Half of one table is free; two indexes are alike, two are never used, one of them is large; a sequence is near its end.
const SCHEMA: &str = "
    create table customers (id serial primary key, email text unique, name text);
    insert into customers (email, name) select i || '@shop.example', 'name ' || i from generate_series(1, 3000) i;
    create table orders (id serial primary key, customer int references customers, at timestamptz default now(), total int, note text);
    insert into orders (customer, total, note) select 1 + i % 3000, i, repeat('x', 200) || i from generate_series(1, 40000) i;
    create index orders_customer on orders (customer);
    create index orders_customer_again on orders (customer);
    create index orders_note on orders (note);
    create index orders_total on orders (total);
    delete from orders where id % 4 <> 0;
    vacuum orders;
    analyze orders;
    analyze customers;
    select setval('orders_id_seq', 2100000000)";

/// The month before.
const MONTH: &str = include_str!("month.sql");

/// pgvitals before the shop's database, with a store that holds a month.
pub(super) struct Shop {
    pub(super) pgvitals: Pgvitals,
    _secret: NamedTempFile,
    /// Idle in a transaction.
    _idle: Client,
}

impl Shop {
    pub(super) fn open() -> Self {
        static CLUSTER: LazyLock<&Cluster> = LazyLock::new(|| Cluster::own(newest()));
        let (store, database) = (Store::on(Cluster::newest()), CLUSTER.database());
        SCHEMA.split(";\n").for_each(|sql| drop(CLUSTER.client(&database).query(sql)));
        let mut secret = NamedTempFile::new().unwrap();
        secret.write_all(SECRET.as_bytes()).unwrap();
        let (host, port) = CLUSTER.tcp.host_and_port();
        let setup = || {
            writing(*CLUSTER, &store.url("postgres"))
                .flag("server", "shop-db")
                .flag("service", "shop")
                .flag("monitor-url", &format!("postgres://postgres@{host}:{port}/{database}"))
                .flag("cron-secret-file", &secret.path().to_string_lossy())
                .flag("large-index", "2MiB")
                .flag("bloat-min-wasted", "1MiB")
                .flag("disk-capacity", "100MiB")
                .flag("alerts-interval", "1s")
                .flag("alerts-learn", "0")
                .flag("jobs-hourly", "off")
                .flag("jobs-daily", "off")
        };
        // Statements are compared once an hour by a process: the one that does it has the month before it.
        let first = setup().start();
        look(&first);
        end(&first);
        store.superuser().query(MONTH);
        let pgvitals = setup().start();
        look(&pgvitals);
        pgvitals.await_merge("the regression", |pgvitals| {
            let answer = pgvitals.performance("metric=alerts");
            answer["alerts"].as_array()?.iter().any(|alert| alert["kind"] == "regression").then_some(())
        });
        let mut idle = Client::connect(pgvitals.address(), &database);
        idle.query("set application_name = 'checkout'");
        idle.query("begin");
        idle.query("select count(*) from customers");
        Self { pgvitals, _secret: secret, _idle: idle }
    }
}

fn newest() -> u32 {
    *Cluster::majors().last().expect("a PostgreSQL is at hand")
}

/// Looks at the server now, whatever was looked at in this hour.
#[track_caller]
fn look(pgvitals: &Pgvitals) -> Value {
    let path = "/api/cron/hourly-monitoring?force=1";
    let answer = request(pgvitals.http, "POST", path, &[("authorization", &format!("Bearer {SECRET}"))]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
