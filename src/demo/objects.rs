//! What the shop's databases hold: tables, their indexes, how they grow and how they are used. Data alone.

/// A table.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableSpec {
    /// 0 `shop`, 1 `analytics`.
    pub(super) database: usize,
    pub(super) name: &'static str,
    /// At the end of the month, and how many more each day.
    pub(super) rows: f64,
    pub(super) rows_per_day: f64,
    pub(super) row_bytes: f64,
    pub(super) updates_per_day: f64,
    /// Dead rows for each that lives.
    pub(super) dead: f64,
    /// Part of the heap that is wasted beside what is usual, at the begin and at the end.
    pub(super) wasted: (f64, f64),
    pub(super) options: &'static [&'static str],
    pub(super) indexes: &'static [IndexSpec],
}

/// An index.
#[derive(Clone, Copy, Debug)]
pub(super) struct IndexSpec {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) entry_bytes: f64,
    pub(super) scans_per_day: f64,
    pub(super) role: Role,
}

/// What is special about an index.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Role {
    /// Of the primary key.
    Key,
    /// Of a unique constraint.
    Unique,
    /// Nothing.
    Plain,
    /// Not used for so many days before the end.
    Quiet(f64),
    /// It went with the release.
    Dropped,
    /// Its CREATE INDEX CONCURRENTLY failed so many days before the end.
    Invalid(f64),
}

const fn index(
    name: &'static str,
    columns: &'static [&'static str],
    entry_bytes: f64,
    scans_per_day: f64,
    role: Role,
) -> IndexSpec {
    IndexSpec { name, columns, entry_bytes, scans_per_day, role }
}

/// A table that autovacuum keeps in good order.
const fn table(
    database: usize,
    name: &'static str,
    (rows, rows_per_day, row_bytes): (f64, f64, f64),
    updates_per_day: f64,
    indexes: &'static [IndexSpec],
) -> TableSpec {
    TableSpec {
        database,
        name,
        rows,
        rows_per_day,
        row_bytes,
        updates_per_day,
        dead: 0.02,
        wasted: (0.0, 0.0),
        options: &[],
        indexes,
    }
}

/// All of them. Names are in ascending order of databases, for their numbers are their places.
pub(super) const TABLES: &[TableSpec] = &[
    table(
        0,
        "customers",
        (3_100_000.0, 3_900.0, 210.0),
        21_000.0,
        &[
            index("customers_pkey", &["id"], 22.0, 910_000.0, Role::Key),
            index("customers_email_key", &["lower(email)"], 46.0, 38_000.0, Role::Unique),
            // Nobody looks for telephone numbers any more.
            index("customers_phone_idx", &["phone"], 26.0, 0.0, Role::Plain),
        ],
    ),
    table(
        0,
        "addresses",
        (3_600_000.0, 4_400.0, 150.0),
        3_100.0,
        &[
            index("addresses_pkey", &["id"], 22.0, 14_000.0, Role::Key),
            index("addresses_customer_id_idx", &["customer_id"], 22.0, 24_000.0, Role::Plain),
        ],
    ),
    table(
        0,
        "products",
        (186_000.0, 240.0, 1_150.0),
        62_000.0,
        &[
            index("products_pkey", &["id"], 22.0, 2_400_000.0, Role::Key),
            index("products_sku_key", &["sku"], 34.0, 54_000.0, Role::Unique),
            index(
                "products_name_search_idx",
                &["to_tsvector('simple'::regconfig, name)"],
                210.0,
                79_000.0,
                Role::Plain,
            ),
            // The old shop's numbers.
            index("products_legacy_number_idx", &["legacy_number"], 78.0, 0.0, Role::Plain),
        ],
    ),
    table(
        0,
        "product_categories",
        (410_000.0, 520.0, 52.0),
        300.0,
        &[
            index("product_categories_pkey", &["product_id", "category_id"], 30.0, 21_000.0, Role::Key),
            index("product_categories_category_id_idx", &["category_id"], 22.0, 148_000.0, Role::Plain),
        ],
    ),
    table(
        0,
        "inventory",
        (186_000.0, 240.0, 72.0),
        410_000.0,
        &[
            index("inventory_pkey", &["product_id"], 22.0, 96_000.0, Role::Key),
            index("inventory_warehouse_id_idx", &["warehouse_id"], 22.0, 30.0, Role::Quiet(12.0)),
        ],
    ),
    table(
        0,
        "orders",
        (9_400_000.0, 11_600.0, 168.0),
        34_000.0,
        &[
            index("orders_pkey", &["id"], 22.0, 560_000.0, Role::Key),
            // Without it a customer's orders are searched for in all of them.
            index("orders_customer_id_idx", &["customer_id"], 22.0, 186_000.0, Role::Dropped),
            index("orders_created_at_idx", &["created_at"], 22.0, 1_900.0, Role::Plain),
            // For a report that is made elsewhere now.
            index("orders_status_created_at_idx", &["status", "created_at"], 38.0, 0.0, Role::Plain),
        ],
    ),
    table(
        0,
        "order_items",
        (29_800_000.0, 36_500.0, 64.0),
        900.0,
        &[
            index("order_items_pkey", &["order_id", "product_id"], 30.0, 230_000.0, Role::Key),
            index("order_items_product_id_idx", &["product_id"], 22.0, 8_800.0, Role::Plain),
        ],
    ),
    table(
        0,
        "payments",
        (9_300_000.0, 11_500.0, 118.0),
        11_500.0,
        &[
            index("payments_pkey", &["id"], 22.0, 22_000.0, Role::Key),
            index("payments_order_id_idx", &["order_id"], 22.0, 21_000.0, Role::Plain),
            // Made twice, by two migrations.
            index("payments_order_id_idx1", &["order_id"], 22.0, 400.0, Role::Plain),
        ],
    ),
    TableSpec {
        // Somebody turned autovacuum off for a bulk load, and never on again.
        dead: 0.62,
        wasted: (0.27, 0.66),
        options: &["autovacuum_enabled=false"],
        ..table(
            0,
            "carts",
            (2_450_000.0, 900.0, 152.0),
            96_000.0,
            &[
                index("carts_pkey", &["id"], 24.0, 220_000.0, Role::Key),
                index("carts_session_id_idx", &["session_id"], 30.0, 118_000.0, Role::Plain),
            ],
        )
    },
    table(
        0,
        "cart_items",
        (5_900_000.0, 2_600.0, 56.0),
        21_000.0,
        &[index("cart_items_pkey", &["cart_id", "product_id"], 30.0, 171_000.0, Role::Key)],
    ),
    table(
        0,
        "sessions",
        (640_000.0, 300.0, 140.0),
        260_000.0,
        &[
            index("sessions_pkey", &["id"], 24.0, 263_000.0, Role::Key),
            index("sessions_token_key", &["token"], 60.0, 640_000.0, Role::Unique),
            index("sessions_expires_at_idx", &["expires_at"], 22.0, 290.0, Role::Plain),
        ],
    ),
    table(
        0,
        "reviews",
        (2_200_000.0, 1_350.0, 420.0),
        200.0,
        &[
            index("reviews_pkey", &["id"], 22.0, 1_200.0, Role::Key),
            index("reviews_product_id_created_at_idx", &["product_id", "created_at"], 30.0, 221_000.0, Role::Plain),
            index("reviews_rating_idx", &["rating"], 16.0, 0.0, Role::Invalid(4.0)),
        ],
    ),
    table(
        0,
        "coupons",
        (48_000.0, 60.0, 84.0),
        800.0,
        &[
            index("coupons_pkey", &["id"], 22.0, 900.0, Role::Key),
            index("coupons_code_key", &["code"], 30.0, 13_500.0, Role::Unique),
        ],
    ),
    table(
        0,
        "notifications",
        (14_100_000.0, 33_000.0, 190.0),
        29_000.0,
        &[
            index("notifications_pkey", &["id"], 22.0, 29_000.0, Role::Key),
            index("notifications_customer_id_read_at_idx", &["customer_id", "read_at"], 30.0, 86_000.0, Role::Plain),
        ],
    ),
    table(0, "jobs", (320_000.0, 400.0, 260.0), 103_000.0, &[index("jobs_pkey", &["id"], 22.0, 137_000.0, Role::Key)]),
    table(
        0,
        "events",
        (1_104_000_000.0, 22_600_000.0, 74.0),
        0.0,
        &[
            index("events_pkey", &["id"], 22.0, 1_500.0, Role::Key),
            index("events_customer_id_at_idx", &["customer_id", "at"], 30.0, 58_000.0, Role::Plain),
        ],
    ),
    table(
        1,
        "daily_revenue",
        (214_000.0, 310.0, 60.0),
        43_000.0,
        &[index("daily_revenue_pkey", &["day", "city"], 34.0, 44_000.0, Role::Key)],
    ),
    table(1, "staging_orders", (11_600.0, 0.0, 90.0), 0.0, &[]),
    table(
        1,
        "page_facts",
        (196_000_000.0, 910_000.0, 66.0),
        0.0,
        &[index("page_facts_day_page_idx", &["day", "page"], 34.0, 190.0, Role::Plain)],
    ),
];

/// The databases, by their place.
pub(super) const DATABASES: [&str; 2] = ["shop", "analytics"];
