//! SQLx.

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::{Acquire, Column, ConnectOptions, Connection, Executor, Row};

fn said<T: std::fmt::Debug>(what: &str, result: Result<T, sqlx::Error>) {
    match result {
        Ok(value) => println!("{what} {value:?}"),
        Err(sqlx::Error::Database(error)) => println!("{what} {:?} {}", error.code(), error.message()),
        Err(error) => println!("{what} {error}"),
    }
}

pub async fn run() {
    println!("version {}", crate::locked("sqlx"));
    // The rest stands in the environment. With TLS it wants the name that is in the certificate.
    let encrypted = std::env::var_os("PGSSLROOTCERT").is_some();
    let options = PgConnectOptions::new();
    let options = if encrypted { options.host("localhost") } else { options };
    let mut connection = options.connect().await.unwrap();
    statements(&mut connection).await;
    transactions(&mut connection).await;
    streams(&mut connection).await;
    connection.close().await.unwrap();

    let mut listener = PgListener::connect_with(&pool(&options).await).await.unwrap();
    listener.listen("channel").await.unwrap();
    let pool = pool(&options).await;
    pool.execute("notify channel, 'payload'").await.unwrap();
    let note = listener.recv().await.unwrap();
    println!("notification {} {}", note.channel(), note.payload());
    let queries = (0..60).map(|i| sqlx::query_scalar::<_, i32>("select $1::int").bind(i).fetch_one(&pool));
    println!("pool {}", futures_util::future::try_join_all(queries).await.unwrap().iter().sum::<i32>());
    pool.execute("create table counted (id int primary key)").await.unwrap();
    for id in 0..100 {
        sqlx::query("insert into counted (id) values ($1)").bind(id).execute(&pool).await.unwrap();
    }
    let row = pool.fetch_one("select count(*), sum(id) from counted").await.unwrap();
    println!("counted {} {}", row.get::<i64, _>(0), row.get::<i64, _>(1));
}

async fn pool(options: &PgConnectOptions) -> sqlx::PgPool {
    PgPoolOptions::new().max_connections(4).connect_with(options.clone()).await.unwrap()
}

async fn statements(connection: &mut PgConnection) {
    connection.execute("create table t (id int primary key, body text, numbers int[])").await.unwrap();
    for id in 0..50 {
        let insert = sqlx::query("insert into t values ($1, $2, $3)").bind(id).bind(format!("body {id}"));
        insert.bind(vec![id, 7]).execute(&mut *connection).await.unwrap();
    }
    let rows = sqlx::query_as::<_, (i32, String, Vec<i32>)>("select * from t where id < $1 order by id").bind(5);
    println!("{:?}", rows.fetch_all(&mut *connection).await.unwrap());
    let mut rows = sqlx::query("select id from t order by id").fetch(&mut *connection);
    let mut sum = 0;
    while let Some(row) = rows.try_next().await.unwrap() {
        sum += row.get::<i32, _>(0);
    }
    drop(rows);
    println!("streamed {sum}");
    // A stream that is dropped is read to its end by the next statement.
    let mut rows = sqlx::query("select generate_series(1, 10000)").fetch(&mut *connection);
    println!("first {}", rows.try_next().await.unwrap().unwrap().get::<i32, _>(0));
    drop(rows);
    let many = sqlx::raw_sql("select 1; update t set body = 'x' where id < 5; select 2").fetch_many(&mut *connection);
    let parts: Vec<_> = many.map_ok(|part| part.left().map(|done| done.rows_affected())).try_collect().await.unwrap();
    println!("{parts:?}");
    said("division", sqlx::query("select 1 / $1").bind(0).execute(&mut *connection).await);
    said("duplicate", sqlx::query("insert into t (id) values (1)").execute(&mut *connection).await);
    said("syntax", connection.execute("selec").await);
    let described = connection.describe("select id, body from t where id = $1").await.unwrap();
    let columns = described.columns().iter().map(|column| format!("{} {}", column.name(), column.type_info()));
    println!("described {}", columns.collect::<Vec<_>>().join(", "));
}

async fn transactions(connection: &mut PgConnection) {
    let mut outer = Connection::begin(&mut *connection).await.unwrap();
    outer.execute("insert into t (id) values (5000)").await.unwrap();
    let mut inner = outer.begin().await.unwrap();
    said("savepoint", inner.execute("select broken").await);
    inner.rollback().await.unwrap();
    println!("inside {}", outer.fetch_one("select count(*) from t").await.unwrap().get::<i64, _>(0));
    outer.rollback().await.unwrap();
    println!("behind {}", connection.fetch_one("select count(*) from t").await.unwrap().get::<i64, _>(0));
}

async fn streams(connection: &mut PgConnection) {
    let mut copy = connection.copy_in_raw("copy t (id, body) from stdin").await.unwrap();
    for id in 1000..4000 {
        copy.send(format!("{id}\tcopied\n").into_bytes()).await.unwrap();
    }
    println!("copied {}", copy.finish().await.unwrap());
    let out: Vec<_> = connection.copy_out_raw("copy t to stdout").await.unwrap().try_collect().await.unwrap();
    println!("out {}", out.iter().map(|block| block.len()).sum::<usize>());
    let mut copy = connection.copy_in_raw("copy t (id) from stdin").await.unwrap();
    copy.send(&b"x\n"[..]).await.unwrap();
    said("bad copy", copy.finish().await);
}
