//! A background worker: a job queue, a pipeline, and now and then a transaction left open.

use futures_util::future::try_join_all;
use tokio_postgres::{Client, Error};

use super::Random;

const PUT: &str = "insert into jobs (kind, payload) values ($1, jsonb_build_object('customer', $2::int))";
const TAKE: &str = "select id from jobs where done_at is null order by id limit 1 for update skip locked";
const DONE: &str = "update jobs set done_at = now() where id = $1";
const EVENT: &str = "insert into events (customer_id, page, took_ms) values ($1, $2, $3)";

/// Job after job, until the connection has done enough.
pub(super) async fn work(mut client: Client, mut random: Random) -> Result<(), Error> {
    let event = client.prepare(EVENT).await?;
    for _ in 0..500 {
        client.execute(PUT, &[&"send_mail", &random.up_to(2000)]).await?;
        let job = client.transaction().await?;
        if let Some(row) = job.query_opt(TAKE, &[]).await? {
            // A mail is sent meanwhile: time that is idle in the transaction.
            let millis = if random.once_in(10) { 400 } else { 10 };
            random.pause(millis).await;
            job.execute(DONE, &[&row.get::<_, i64>(0)]).await?;
        }
        job.commit().await?;
        // Sent without waiting for one another.
        let visits: Vec<_> = (0..10).map(|_| (random.up_to(2000), "/cart".to_owned(), random.up_to(300))).collect();
        let executions = visits.iter().map(|(customer, page, took)| {
            let event = &event;
            let client = &client;
            async move { client.execute(event, &[customer, page, took]).await }
        });
        try_join_all(executions).await?;
        random.pause(80).await;
    }
    Ok(())
}
