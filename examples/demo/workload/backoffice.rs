//! People who click: literals in the text, several statements in a message, and mistakes.

use tokio_postgres::{Client, Error};

use super::Random;

/// Click after click.
pub(super) async fn click(client: Client, mut random: Random) -> Result<(), Error> {
    loop {
        let (customer, city) = (random.up_to(2000), random.up_to(50));
        client.simple_query(&format!("select * from customers where city = 'City {city}' limit 25")).await?;
        let both = format!(
            "update customers set city = 'City {city}' where id = {customer}; \
             select count(*) from orders where customer_id = {customer} and status in ('new', 'paid')"
        );
        client.simple_query(&both).await?;
        if random.once_in(4) {
            mistake(&client, &mut random).await;
        }
        random.pause(150).await;
    }
}

/// Each fails with a code of its own; the session goes on.
async fn mistake(client: &Client, random: &mut Random) {
    let text = match random.up_to(4) {
        1 => "insert into customers values (1, 'customer1@example.com', 'Twice', 'City 1')",
        2 => "select price / (stock - stock) from products where id = 7",
        3 => "selec name from products",
        _ => "select * from invoices where paid is null",
    };
    let _failed = client.simple_query(text).await;
}
