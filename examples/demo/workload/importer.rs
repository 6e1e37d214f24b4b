//! Data in and out in bulk: COPY, once in a while a broken one.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::{Client, Error};

use super::Random;

const IN: &str = "copy events (customer_id, page, took_ms) from stdin";
const OUT: &str = "copy (select id, customer_id, status from orders order by id desc limit 5000) to stdout";

/// Load after load.
pub(super) async fn import(client: Client, mut random: Random) -> Result<(), Error> {
    loop {
        let mut rows: String =
            (0..500).map(|_| format!("{}\t/import\t{}\n", random.up_to(2000), random.up_to(400))).collect();
        if random.once_in(4) {
            rows.push_str("not a number\t/import\t1\n");
        }
        let mut sink = pin!(client.copy_in::<_, Bytes>(IN).await?);
        sink.send(Bytes::from(rows)).await?;
        let _counted = sink.finish().await;
        client.copy_out(OUT).await?.try_for_each(|_row| std::future::ready(Ok(()))).await?;
        random.pause(2000).await;
    }
}
