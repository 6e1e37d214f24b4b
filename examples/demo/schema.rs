//! What is in the databases: a small shop, and what its owner analyses.

use crate::cluster::Cluster;

const ROLES: &str = "
create role web login;
create role worker login;
create role analyst login;
create role importer login;
";

const SHOP: &str = "
create table customers (id int primary key, email text unique not null, name text not null, city text not null);
create table products (id int primary key, name text not null, price numeric(10, 2) not null, stock int not null);
create table orders (id bigint generated always as identity primary key, customer_id int not null references customers,
    status text not null default 'new', created_at timestamptz not null default now());
create table order_items (order_id bigint not null references orders, product_id int not null references products,
    quantity int not null, primary key (order_id, product_id));
create table jobs (id bigint generated always as identity primary key, kind text not null, payload jsonb not null,
    done_at timestamptz);
create table events (at timestamptz not null default now(), customer_id int, page text not null, took_ms int not null);

insert into customers select i, 'customer' || i || '@example.com', 'Customer ' || i, 'City ' || i % 50
    from generate_series(1, 2000) i;
insert into products select i, 'Product ' || i, 1 + i % 97, 1000 from generate_series(1, 500) i;
insert into orders (customer_id, status) select 1 + i % 2000, (array['new', 'paid', 'sent'])[1 + i % 3]
    from generate_series(1, 10000) i;
insert into order_items select o.id, 1 + (o.id * k) % 500, k from orders o, generate_series(1, 3) k
    on conflict do nothing;
insert into events (customer_id, page, took_ms) select 1 + i % 2000, '/page/' || i % 40, i % 400
    from generate_series(1, 60000) i;
create index on orders (customer_id);
analyze;
grant all on all tables in schema public to web, worker, analyst, importer;
grant all on all sequences in schema public to web, worker, analyst, importer;
";

const ANALYTICS: &str = "
create table daily (day date not null, city text not null, revenue numeric(12, 2) not null, orders int not null);
insert into daily select current_date - d, 'City ' || c, d * c, d + c
    from generate_series(1, 365) d, generate_series(1, 50) c;
analyze;
grant all on all tables in schema public to analyst;
";

/// Makes roles, databases and their contents.
pub(crate) async fn create(cluster: &Cluster) -> anyhow::Result<()> {
    let admin = cluster.connect("postgres").await?;
    admin.batch_execute(ROLES).await?;
    for (database, contents) in [("shop", SHOP), ("analytics", ANALYTICS)] {
        admin.batch_execute(&format!("create database {database}")).await?;
        cluster.connect(database).await?.batch_execute(contents).await?;
    }
    Ok(())
}
