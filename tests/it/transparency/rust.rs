//! tokio-postgres: pipelines, row-limited portals, COPY, notifications, passwords, cancellation.

use std::fmt::Write;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt, future};
use tokio::sync::mpsc::{Receiver, channel};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage};

use super::same;
use crate::support::address::Address;
use crate::support::postgres::Cluster;

/// Connects; notices and notifications go to the receiver.
async fn connect(address: &Address, user: &str, database: &str) -> (Client, Receiver<String>) {
    let (host, port) = address.host_and_port();
    let mut config = Config::new();
    config.host(host).port(port.parse().unwrap()).user(user).dbname(database).password(format!("secret of {user}"));
    let (client, mut connection) = config.connect(NoTls).await.unwrap();
    let (sender, receiver) = channel(100);
    tokio::spawn(async move {
        while let Some(Ok(message)) = future::poll_fn(|context| connection.poll_message(context)).await {
            let text = match message {
                AsyncMessage::Notice(notice) => format!("notice {notice}"),
                AsyncMessage::Notification(note) => format!("notification {} {}", note.channel(), note.payload()),
                _ => continue,
            };
            if sender.send(text).await.is_err() {
                break;
            }
        }
    });
    (client, receiver)
}

fn run<T>(script: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(script)
}

/// Prepared statements in a pipeline, then a portal fetched in parts, then errors in a transaction.
async fn statements(client: &mut Client) -> String {
    let mut seen = String::new();
    let insert = client.prepare("insert into t values ($1, $2)").await.unwrap();
    let rows: Vec<(i32, String)> = (0..50).map(|id| (id, format!("body {id}"))).collect();
    let inserts = rows
        .iter()
        .map(|(id, body)| client.execute_raw(&insert, [id as &(dyn tokio_postgres::types::ToSql + Sync), body]));
    writeln!(seen, "{:?}", future::join_all(inserts).await).unwrap();

    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("select id from t order by id", &[]).await.unwrap();
    for _ in 0..5 {
        let rows = transaction.query_portal(&portal, 12).await.unwrap();
        let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        writeln!(seen, "portal {ids:?}").unwrap();
    }
    drop(portal);
    for sql in ["select 1/0", "select 1"] {
        writeln!(seen, "{:?}", transaction.query_one(sql, &[]).await.unwrap_err()).unwrap();
    }
    transaction.rollback().await.unwrap();
    seen
}

/// COPY both ways, several statements in one message, notices and notifications.
async fn streams(client: &mut Client, messages: &mut Receiver<String>) -> String {
    let mut seen = String::new();
    let mut sink = pin!(client.copy_in::<_, Bytes>("copy t from stdin").await.unwrap());
    for id in 100..3_100 {
        sink.send(Bytes::from(format!("{id}\tcopied\n"))).await.unwrap();
    }
    writeln!(seen, "copied {:?}", sink.as_mut().finish().await).unwrap();
    let mut sink = pin!(client.copy_in::<_, Bytes>("copy t from stdin").await.unwrap());
    sink.send(Bytes::from("not a number\tx\n")).await.unwrap();
    writeln!(seen, "{:?}", sink.as_mut().finish().await).unwrap();
    let copied: Vec<Bytes> = client.copy_out("copy t to stdout").await.unwrap().try_collect().await.unwrap();
    writeln!(seen, "{} {:?}", copied.len(), copied.concat()).unwrap();

    for message in client.simple_query("select count(*) from t; update t set body = 'x' where id < 3").await.unwrap() {
        match message {
            SimpleQueryMessage::Row(row) => writeln!(seen, "row {:?}", row.get(0)).unwrap(),
            SimpleQueryMessage::CommandComplete(count) => writeln!(seen, "complete {count}").unwrap(),
            _ => {}
        }
    }
    client.batch_execute("listen l; do $$ begin raise notice 'n'; end $$; notify l, 'hello'").await.unwrap();
    for _ in 0..2 {
        writeln!(seen, "{:?}", messages.recv().await).unwrap();
    }
    seen
}

#[test]
fn tokio_postgres_sees_the_same() {
    for major in Cluster::majors() {
        same(Cluster::of(major), |address, database| {
            run(async {
                let (mut client, mut messages) = connect(address, "postgres", database).await;
                client.batch_execute("create table t (id int primary key, body text)").await.unwrap();
                statements(&mut client).await + &streams(&mut client, &mut messages).await
            })
        });
    }
}

/// "Every method that depends on messages alone passes (trust, password, md5, SCRAM, …)" (PROTOCOL §2)
/// "Passwords are checked by the server, and pgvitals knows none." (docs/transparency.md)
#[test]
fn passwords_are_checked_by_the_server() {
    same(Cluster::any(), |address, database| {
        run(async {
            let mut users = Vec::new();
            for user in ["scram_user", "md5_user", "postgres"] {
                let (client, _messages) = connect(address, user, database).await;
                users.push(client.query_one("select current_user::text", &[]).await.unwrap().get::<_, String>(0));
            }
            let (host, port) = address.host_and_port();
            let mut wrong = Config::new();
            wrong.host(host).port(port.parse().unwrap()).user("scram_user").dbname(database).password("wrong");
            (users, wrong.connect(NoTls).await.err().map(|error| format!("{error:?}")))
        })
    });
}

/// "Each session registers (route, key) → the peer *address* it is connected to" (PROTOCOL §1): the cancelled statement
/// ends at once, and the session goes on.
#[test]
fn a_statement_can_be_cancelled() {
    for major in Cluster::majors() {
        same(Cluster::of(major), |address, database| {
            run(async {
                let (client, mut messages) = connect(address, "postgres", database).await;
                let token = client.cancel_token();
                let start = "do $$ begin raise notice 'running'; perform pg_sleep(600); end $$";
                let running = client.batch_execute(start);
                let cancelling = async {
                    assert_eq!(messages.recv().await.as_deref(), Some("notice NOTICE: running"));
                    token.cancel_query(NoTls).await.unwrap();
                };
                let (ended, ()) = future::join(running, cancelling).await;
                let alive: i32 = client.query_one("select 1", &[]).await.unwrap().get(0);
                // Where in the block it was caught differs from run to run.
                (
                    ended.unwrap_err().as_db_error().map(|error| (error.code().clone(), error.message().to_owned())),
                    alive,
                )
            })
        });
    }
}
