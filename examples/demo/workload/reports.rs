//! An analyst: few statements, each slow, one too slow for its own limit.

use tokio_postgres::{Client, Error};

use super::Random;

const PAGES: &str = "select page, count(*), percentile_cont(0.95) within group (order by took_ms) \
    from events group by page order by 2 desc";
const REVENUE: &str = "select c.city, sum(p.price * i.quantity) from orders o join customers c on c.id = o.customer_id \
    join order_items i on i.order_id = o.id join products p on p.id = i.product_id group by c.city order by 2 desc";
const SIMILAR: &str = "select count(*) from customers a join customers b on a.city < b.city and a.name > b.name";
const GROWTH: &str = "select city, day, revenue - lag(revenue) over (partition by city order by day) from daily";

/// Slow statements, from 30 ms to seconds.
pub(super) async fn of_the_shop(client: Client, mut random: Random) -> Result<(), Error> {
    client.batch_execute("set statement_timeout = '1500ms'").await?;
    loop {
        client.query(PAGES, &[]).await?;
        client.query(REVENUE, &[]).await?;
        client.query("select pg_sleep($1)", &[&(f64::from(random.up_to(12)) / 10.0)]).await?;
        if random.once_in(3) {
            // 57014, when the machine is not fast enough.
            let _cancelled = client.query(SIMILAR, &[]).await;
        }
        if random.once_in(5) {
            let _cancelled = client.query("select pg_sleep($1)", &[&5.0_f64]).await;
        }
        random.pause(800).await;
    }
}

/// Many rows, from another database.
pub(super) async fn of_the_year(client: Client, mut random: Random) -> Result<(), Error> {
    loop {
        client.query(GROWTH, &[]).await?;
        client
            .query(
                "select city, sum(revenue) from daily where day > current_date - $1::int group by city",
                &[&random.up_to(365)],
            )
            .await?;
        random.pause(1500).await;
    }
}
