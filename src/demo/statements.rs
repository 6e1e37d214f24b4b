//! What an online shop asks of its database: statements, who sends them, how often, and how long they take. Data alone.

use super::spec::{Beat, Beat::*, Caller, Caller::*, Spec};

/// Share of executions that fail with a code.
type Errors = &'static [(&'static str, f64)];

const NONE: Errors = &[];

/// One statement. `often` a minute at an ordinary hour, `ms` the median, `spread` of the logarithm of durations.
const fn spec(
    sql: &'static str,
    callers: &'static [Caller],
    route: &'static str,
    (beat, often): (Beat, f64),
    (ms, spread): (f64, f64),
    (rows, bytes_out): (f64, u64),
) -> Spec {
    Spec { sql, callers, route, beat, often, ms, spread, rows, bytes_out, errors: NONE }
}

/// The statement that slows down with the release.
pub(super) const SLOWER: &str = "select o.id, o.status, o.total, o.created_at, count(i.product_id) as items from orders o \
    join order_items i on i.order_id = o.id where o.customer_id = $1 group by o.id order by o.created_at desc limit 20";
/// The statement that comes with it.
pub(super) const NEW: &str = "select p.id, p.name, p.price from products p join events e on e.product_id = p.id \
    where e.customer_id = $1 and e.at > now() - interval '14 days' group by p.id order by count(*) desc limit 8";
/// The statement whose plan is bad for some hours.
pub(super) const SEARCH: &str = "select id, name, price, image_url from products where to_tsvector('simple', name) @@ plainto_tsquery('simple', $1) \
     and is_active order by popularity desc limit 24";
/// The statement that collides for a while.
pub(super) const PAYMENT: &str =
    "insert into payments (order_id, method, amount, status) values ($1, $2, $3, 'pending') returning id";
/// After it the analyst goes to lunch.
pub(super) const LUNCH: &str = "select status, count(*), sum(total) from orders where created_at >= $1 group by status";

/// All of them.
pub(super) const STATEMENTS: &[Spec] = &[
    // What visitors do.
    spec(
        "select id, customer_id, expires_at from sessions where token = $1 and expires_at > now()",
        &[Web, Api],
        "/*",
        (Shop, 520.0),
        (0.35, 0.45),
        (0.96, 120),
    ),
    spec("update sessions set last_seen = now() where id = $1", &[Web], "/*", (Shop, 210.0), (0.6, 0.5), (1.0, 20)),
    spec(
        "select id, name, price, stock, description, image_url from products where id = $1",
        &[Web, Api],
        "/products/:id",
        (Shop, 340.0),
        (0.5, 0.5),
        (1.0, 980),
    ),
    spec(
        "select p.id, p.name, p.price, p.image_url from products p join product_categories c on c.product_id = p.id \
        where c.category_id = $1 and p.is_active order by p.popularity desc limit $2 offset $3",
        &[Web, Api],
        "/categories/:id",
        (Shop, 120.0),
        (5.2, 0.6),
        (24.0, 5_400),
    ),
    Spec {
        errors: &[("57014", 0.004)],
        ..spec(SEARCH, &[Web, Api], "/search", (Shop, 64.0), (38.0, 0.6), (19.0, 4_800))
    },
    spec(
        "select r.id, r.rating, r.body, r.created_at, c.name from reviews r join customers c on c.id = r.customer_id \
        where r.product_id = $1 order by r.created_at desc limit 10",
        &[Web],
        "/products/:id",
        (Shop, 180.0),
        (2.1, 0.5),
        (7.5, 3_200),
    ),
    spec(
        "select product_id, avg(rating), count(*) from reviews where product_id = any($1) group by product_id",
        &[Web, Api],
        "/categories/:id",
        (Shop, 110.0),
        (3.0, 0.5),
        (22.0, 700),
    ),
    spec(
        "select i.product_id, i.quantity, p.name, p.price from carts c join cart_items i on i.cart_id = c.id \
        join products p on p.id = i.product_id where c.session_id = $1",
        &[Web],
        "/cart",
        (Shop, 95.0),
        (6.4, 0.7),
        (3.1, 410),
    ),
    Spec {
        errors: &[("23503", 0.011)],
        ..spec(
            "insert into cart_items (cart_id, product_id, quantity) values ($1, $2, $3) \
        on conflict (cart_id, product_id) do update set quantity = cart_items.quantity + excluded.quantity",
            &[Web],
            "/cart",
            (Shop, 34.0),
            (2.4, 0.6),
            (1.0, 24),
        )
    },
    Spec {
        errors: &[("55P03", 0.014)],
        ..spec(
            "update carts set updated_at = now(), total = $2 where id = $1",
            &[Web],
            "/cart",
            (Shop, 58.0),
            (3.2, 0.8),
            (1.0, 20),
        )
    },
    spec(
        "insert into events (at, customer_id, product_id, kind, payload) select * from unnest($1::timestamptz[], $2::int[], \
        $3::int[], $4::text[], $5::jsonb[])",
        &[Web, Api],
        "/collect",
        (Shop, 410.0),
        (2.2, 0.4),
        (44.0, 22),
    ),
    spec(NEW, &[Web], "/", (Shop, 46.0), (160.0, 0.28), (8.0, 900)),
    spec(
        "select id, title, image_url, link from banners where starts_at <= now() and ends_at > now() order by position",
        &[Web],
        "/",
        (Shop, 75.0),
        (0.4, 0.4),
        (4.0, 620),
    ),
    // What customers do.
    spec(
        "select id, email, name, password_hash from customers where lower(email) = lower($1)",
        &[Web, Api],
        "/login",
        (Shop, 22.0),
        (0.9, 0.5),
        (0.93, 240),
    ),
    spec(SLOWER, &[Web, Api], "/account/orders", (Shop, 150.0), (14.0, 0.5), (12.0, 1_600)),
    spec(
        "select id, street, city, zip, country from addresses where customer_id = $1",
        &[Web],
        "/checkout",
        (Shop, 19.0),
        (0.8, 0.4),
        (1.6, 210),
    ),
    Spec {
        errors: &[("23505", 0.021)],
        ..spec(
            "insert into customers (email, name, password_hash) values ($1, $2, $3) returning id",
            &[Web, Api],
            "/signup",
            (Shop, 3.2),
            (2.8, 0.5),
            (0.98, 40),
        )
    },
    Spec {
        errors: &[("23514", 0.004)],
        ..spec(
            "select id, percent, valid_until from coupons where code = $1 and valid_until > now()",
            &[Web],
            "/checkout",
            (Shop, 11.0),
            (0.7, 0.4),
            (0.6, 60),
        )
    },
    spec(
        "insert into orders (customer_id, address_id, total, status) values ($1, $2, $3, 'new') returning id",
        &[Web, Api],
        "/checkout",
        (Shop, 9.5),
        (4.1, 0.5),
        (1.0, 36),
    ),
    spec(
        "insert into order_items (order_id, product_id, quantity, price) select $1, i.product_id, i.quantity, p.price \
        from cart_items i join products p on p.id = i.product_id where i.cart_id = $2",
        &[Web, Api],
        "/checkout",
        (Shop, 9.5),
        (7.7, 0.5),
        (3.1, 24),
    ),
    Spec {
        errors: &[("40P01", 0.0035), ("23514", 0.006)],
        ..spec(
            "update inventory set stock = stock - $2 where product_id = $1",
            &[Web, Api],
            "/checkout",
            (Shop, 29.0),
            (5.5, 0.9),
            (1.0, 20),
        )
    },
    Spec { errors: &[("40001", 0.002)], ..spec(PAYMENT, &[Web, Api], "/checkout", (Shop, 9.4), (3.9, 0.6), (1.0, 36)) },
    spec(
        "update orders set status = $2, paid_at = now() where id = $1",
        &[Api, Worker],
        "/webhooks/payment",
        (Shop, 9.2),
        (3.4, 0.6),
        (1.0, 20),
    ),
    Spec {
        errors: &[("23503", 0.013)],
        ..spec(
            "insert into reviews (product_id, customer_id, rating, body) values ($1, $2, $3, $4)",
            &[Web],
            "/products/:id/reviews",
            (Shop, 1.1),
            (3.0, 0.5),
            (1.0, 24),
        )
    },
    spec(
        "select count(*) from notifications where customer_id = $1 and read_at is null",
        &[Api],
        "/account",
        (Shop, 70.0),
        (1.3, 0.5),
        (1.0, 16),
    ),
    // What the workers do.
    spec(
        "select id, kind, payload from jobs where done_at is null order by id for update skip locked limit 10",
        &[Worker],
        "jobs",
        (Steady, 60.0),
        (1.6, 0.5),
        (1.4, 480),
    ),
    spec("update jobs set done_at = now() where id = $1", &[Worker], "jobs", (Shop, 42.0), (1.1, 0.5), (1.0, 20)),
    spec(
        "insert into notifications (customer_id, kind, body) values ($1, $2, $3)",
        &[Worker],
        "jobs",
        (Shop, 27.0),
        (1.2, 0.4),
        (1.0, 24),
    ),
    spec(
        "select o.id, o.total, c.email, c.name from orders o join customers c on c.id = o.customer_id where o.id = $1",
        &[Worker],
        "jobs/mail",
        (Shop, 18.0),
        (1.4, 0.4),
        (1.0, 180),
    ),
    Spec {
        errors: &[("57014", 0.012)],
        ..spec(
            "update products set popularity = s.n from (select product_id, count(*) as n \
        from events where at > now() - interval '1 day' group by product_id) s where s.product_id = products.id",
            &[Worker],
            "jobs/popularity",
            (Steady, 0.1),
            (290.0, 0.15),
            (8_400.0, 26),
        )
    },
    spec(
        "delete from sessions where expires_at < now() - interval '1 day'",
        &[Worker],
        "jobs/cleanup",
        (Steady, 0.2),
        (140.0, 0.3),
        (260.0, 26),
    ),
    spec(
        "select product_id, stock from inventory where stock < reorder_at",
        &[Worker],
        "jobs/reorder",
        (Steady, 0.5),
        (24.0, 0.3),
        (31.0, 900),
    ),
    // What comes from suppliers, at night.
    spec(
        "insert into products (sku, name, price, description) values ($1, $2, $3, $4) on conflict (sku) \
        do update set price = excluded.price, description = excluded.description",
        &[Importer],
        "",
        (Night(3), 900.0),
        (0.8, 0.5),
        (1.0, 24),
    ),
    spec("copy inventory_feed from stdin", &[Importer], "", (Night(3), 0.2), (210.0, 0.3), (42_000.0, 30)),
    spec(
        "update inventory i set stock = f.stock from inventory_feed f where f.sku = i.sku and f.stock <> i.stock",
        &[Importer],
        "",
        (Night(3), 0.1),
        (370.0, 0.1),
        (9_200.0, 26),
    ),
    // What people in offices do.
    spec(
        "select date_trunc('month', o.created_at) as month, sum(i.quantity * i.price) as revenue from order_items i \
        join orders o on o.id = i.order_id group by month order by month",
        &[Reports],
        "",
        (Office, 0.6),
        (880.0, 0.28),
        (38.0, 1_900),
    ),
    spec(LUNCH, &[Reports], "", (Office, 0.7), (95.0, 0.4), (5.0, 240)),
    spec(
        "select page, count(*), percentile_cont(0.5) within group (order by took_ms) from page_facts where day = $1 \
        group by page order by 2 desc limit 100",
        &[Facts],
        "",
        (Office, 0.3),
        (190.0, 0.3),
        (100.0, 4_200),
    ),
    spec(
        "insert into daily_revenue (day, city, revenue, orders) select $1, city, sum(total), count(*) from staging_orders \
        group by city on conflict (day, city) do update set revenue = excluded.revenue, orders = excluded.orders",
        &[Facts],
        "",
        (Steady, 0.1),
        (75.0, 0.3),
        (310.0, 28),
    ),
    // What drivers and pools do.
    spec("select 1", &[Web, Api, Worker], "", (Steady, 12.0), (0.08, 0.3), (1.0, 12)),
    spec("begin", &[Web, Api], "", (Shop, 21.0), (0.06, 0.3), (0.0, 10)),
    spec("commit", &[Web, Api], "", (Shop, 20.8), (0.9, 0.6), (0.0, 10)),
];
