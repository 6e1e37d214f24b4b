//! A web application: prepared once, executed often, each statement tagged with its route as sqlcommenter does.

use tokio_postgres::{Client, Error};

use super::Random;

const PRODUCT: &str = "select id, name, price, stock from products where id = $1 \
    /*controller='products',action='show',route='%2Fproducts%2F%3Aid'*/";
const CUSTOMER: &str = "select id, name, city from customers where email = $1 \
    /*controller='account',action='show',route='%2Faccount'*/";
const ORDERS: &str = "select id, status, created_at from orders where customer_id = $1 order by id desc limit 20 \
    /*controller='orders',action='index',route='%2Forders'*/";
const ITEMS: &str = "select p.name, i.quantity from order_items i join products p on p.id = i.product_id \
    where i.order_id = $1 /*controller='orders',action='index',route='%2Forders'*/";
const NEW_ORDER: &str = "insert into orders (customer_id) values ($1) returning id \
    /*controller='checkout',action='create',route='%2Fcheckout'*/";
const NEW_ITEM: &str = "insert into order_items (order_id, product_id, quantity) values ($1, $2, $3) \
    /*controller='checkout',action='create',route='%2Fcheckout'*/";
const STOCK: &str = "update products set stock = stock - $2 where id = $1 \
    /*controller='checkout',action='create',route='%2Fcheckout'*/";
const SIGN_UP: &str = "insert into customers (id, email, name, city) values ($1, $2, $3, 'City 1') \
    /*controller='account',action='create',route='%2Fsignup'*/";

/// Page after page.
pub(super) async fn serve(mut client: Client, mut random: Random) -> Result<(), Error> {
    let product = client.prepare(PRODUCT).await?;
    let customer = client.prepare(CUSTOMER).await?;
    let orders = client.prepare(ORDERS).await?;
    let items = client.prepare(ITEMS).await?;
    let sign_up = client.prepare(SIGN_UP).await?;
    loop {
        for _ in 0..random.up_to(4) {
            client.query_opt(&product, &[&random.up_to(500)]).await?;
        }
        let email = format!("customer{}@example.com", random.up_to(2000));
        client.query_opt(&customer, &[&email]).await?;
        if random.once_in(5) {
            // The N+1: a statement for each order, where one with `= any($1)` would do.
            for order in client.query(&orders, &[&random.up_to(2000)]).await? {
                client.query(&items, &[&order.get::<_, i64>(0)]).await?;
            }
        }
        if random.once_in(4) {
            // The application lets the unique index find out that the address is taken: 23505.
            let _taken = client.execute(&sign_up, &[&(2000 + random.up_to(1000)), &email, &"Someone"]).await;
        }
        if random.once_in(8) {
            checkout(&mut client, &mut random).await?;
        }
        random.pause(20).await;
    }
}

async fn checkout(client: &mut Client, random: &mut Random) -> Result<(), Error> {
    let (customer, product) = (random.up_to(2000), random.up_to(500));
    let order = client.transaction().await?;
    let id: i64 = order.query_one(NEW_ORDER, &[&customer]).await?.get(0);
    order.execute(NEW_ITEM, &[&id, &product, &1]).await?;
    order.execute(STOCK, &[&product, &1]).await?;
    if random.once_in(10) { order.rollback().await } else { order.commit().await }
}
