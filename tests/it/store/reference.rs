//! docs/http.md: every request on it is sent to a running pgvitals, and the answer has all that its example shows.

use std::collections::HashMap;
use std::io::Write;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::changes::{remembering, slower, watched};
use crate::bytes_of;
use crate::support::client::{Client, query, startup};
use crate::support::http::{Answer, Events, post, request};
use crate::support::pgvitals::Pgvitals;

const SECRET: &str = "a-secret-of-some-length";

/// What the server is like.
const SHOP: &str = "create table orders (id int primary key, filler text);
    insert into orders select i, repeat('x', 200) from generate_series(1, 40000) i;
    create index orders_filler on orders (filler);
    delete from orders where id % 4 <> 0;
    vacuum orders; analyze orders";

/// A request and what the document shows of its answer.
struct Example<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a str,
    /// What follows ``` above the answer: its language, then a status, or the name of an event.
    kind: Vec<&'a str>,
    answer: &'a str,
}

/// Blocks of a document: what stands behind ``` and what is inside.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("\n```").collect();
    parts.iter().skip(1).step_by(2).map(|part| part.split_once('\n').unwrap()).collect()
}

fn examples(text: &str) -> Vec<Example<'_>> {
    let blocks = blocks(text);
    let pairs = blocks.chunks(2).map(|pair| {
        let [(asked, request), (kind, answer)] = pair else { panic!("a request without an answer: {pair:?}") };
        assert_eq!(*asked, "http", "{request}");
        let (line, body) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').unwrap();
        Example { method, path, body, kind: kind.split(' ').collect(), answer }
    });
    pairs.collect()
}

/// The answer has every field of the example, in the same shape. Of a list the first element is compared; where the answer's
/// is empty, its fields have to be in the description.
#[track_caller]
fn covers(example: &Value, answer: &Value, place: &str, description: &str) {
    match (example, answer) {
        (Value::Object(example), Value::Object(fields)) => {
            for (name, value) in example {
                let field = fields.get(name).unwrap_or_else(|| panic!("{place} has no {name}: {answer:#}"));
                covers(value, field, &format!("{place}.{name}"), description);
            }
        }
        (Value::Array(example), Value::Array(answer)) => match (example.first(), answer.first()) {
            (Some(example), Some(answer)) => covers(example, answer, &format!("{place}[0]"), description),
            (Some(Value::Object(example)), None) => example.keys().for_each(|name| {
                assert!(description.contains(&format!("\"{name}\":")), "{place}[0].{name} is described nowhere");
            }),
            _ => {}
        },
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(std::mem::discriminant(example), std::mem::discriminant(answer), "{place}: {answer}"),
    }
}

/// A running pgvitals with something in every answer, and who keeps it so.
struct Site {
    pgvitals: Pgvitals,
    _clients: [Client; 4],
    _secret: NamedTempFile,
}

impl Site {
    fn new() -> Self {
        let (setup, _store) = remembering();
        watched().client("postgres").query("create database shop");
        SHOP.split(';').for_each(|sql| drop(watched().client("shop").query(sql)));
        let mut secret = NamedTempFile::new().unwrap();
        secret.write_all(SECRET.as_bytes()).unwrap();
        let setup = setup.flag("cron-secret-file", secret.path().to_str().unwrap());
        let pgvitals = setup.flag("alerts-interval", "1s").flag("alerts-learn", "0").start();
        let parameters = |application| [("user", "postgres"), ("database", "shop"), ("application_name", application)];
        let around = Client::start(&watched().unix, &startup(&parameters("psql")));
        let mut client = Client::start(pgvitals.address(), &startup(&parameters("web")));
        for id in 1..20 {
            client.query(&format!("select * from orders where id = {id} /* route='/orders' */"));
        }
        client.ask(&bytes_of![query("select * from orders where id = 'x'")]);
        client.query("begin");
        client.query("select pg_sleep(0.7)");
        client.query("commit");
        let mut holder = watched().client("shop");
        holder.query("select pg_advisory_lock(7)");
        let mut waiting = Client::connect(pgvitals.address(), "shop");
        waiting.query("begin");
        waiting.send(&bytes_of![query("select pg_advisory_lock(7)")]);
        pgvitals.await_merge("a statement in flight", |pgvitals| {
            let active = pgvitals.performance("metric=active");
            (!active["statements"].as_array()?.is_empty()).then_some(())
        });
        Self { pgvitals, _clients: [around, client, holder, waiting], _secret: secret }
    }

    fn send(&self, example: &Example<'_>, path: &str) -> Answer {
        let head = format!("authorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n");
        match (example.method, example.body) {
            ("POST", body) => post(self.pgvitals.http, path, &head, body),
            (method, _) => request(self.pgvitals.http, method, path, &[("authorization", &format!("Bearer {SECRET}"))]),
        }
    }

    /// The id of the alert that the slow statement brings.
    fn alert(&self) -> String {
        self.pgvitals.await_merge("an alert", |pgvitals| {
            Some(pgvitals.performance("metric=alerts")["alerts"].as_array()?.first()?["id"].to_string())
        })
    }
}

#[test]
fn every_request_of_the_reference_is_answered_as_it_shows() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/http.md")).unwrap();
    let examples = examples(&text);
    assert!(examples.len() >= 19, "{}", examples.len());
    let site = Site::new();
    let description = site.pgvitals.get("/openapi.json").body;
    let names = HashMap::from([("{hash}", slower()), ("{id}", site.alert())]);
    for example in &examples {
        let path = names.iter().fold(example.path.to_owned(), |path, (name, value)| path.replace(name, value));
        if let ["json", event @ ("live" | "slow" | "alert")] = example.kind[..] {
            let told = Events::subscribe(site.pgvitals.http).await_event(event);
            covers(&serde_json::from_str(example.answer).unwrap(), &told, event, &description);
            continue;
        }
        let answer = site.send(example, &path);
        let status = example.kind.get(1).map_or(200, |status| status.parse().unwrap());
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        match example.kind[0] {
            "json" => {
                let shown = serde_json::from_str(example.answer).unwrap_or_else(|error| panic!("{path}: {error}"));
                covers(&shown, &answer.json(), &path, &description);
            }
            "csv" => assert_eq!(answer.body.lines().next(), example.answer.lines().next(), "{path}"),
            other => panic!("an answer in {other}"),
        }
    }
    // Figures that the document says are there.
    let of = |parameters: &str| site.pgvitals.performance(parameters);
    let one = of(&format!("metric=query&hash={}", slower()));
    assert_eq!(
        (&one["errors_by_code"]["22P02"], &one["baseline"]["is_regression"]),
        (&1.into(), &true.into()),
        "{one:#}"
    );
    let coverage = of("metric=coverage");
    assert!(coverage["around"].as_array().unwrap().iter().any(|row| row["application"] == "psql"), "{coverage:#}");
    assert!(coverage["around_is_final"].is_boolean());
}
