//! Nanoseconds per statement by length, FINGERPRINT §8: lexing and hash lookup of a text that is new in its literals.

use divan::Bencher;
use divan::counter::BytesCount;
use pgvitals::sql::fingerprint::Fingerprinter;
use pgvitals::sql::statement::Dialect;

fn main() {
    divan::main();
}

/// Statements as applications send them; the number differs in each call, so that no text is met twice.
const STATEMENTS: [&str; 5] = [
    "SELECT * FROM users WHERE id = ",
    "SELECT u.id, u.name, u.email FROM users u WHERE u.active = true AND u.tenant_id = 17 AND u.id = ",
    "SELECT \"orders\".\"id\", \"orders\".\"status\", \"orders\".\"total\", count(i.id) AS items FROM \"orders\" LEFT OUTER JOIN \
     order_items i ON i.order_id = \"orders\".\"id\" WHERE \"orders\".\"created_at\" >= '2026-01-01 00:00:00' AND \
     \"orders\".\"status\" IN ('open', 'paid', 'sent') GROUP BY 1, 2, 3 ORDER BY 1 DESC LIMIT ",
    "WITH recent AS (SELECT o.id, o.customer_id, o.total, row_number() OVER (PARTITION BY o.customer_id ORDER BY \
     o.created_at DESC) AS rank FROM orders o WHERE o.created_at > now() - interval '30 days' AND o.status <> 'draft'), \
     best AS (SELECT customer_id, sum(total) AS total FROM recent WHERE rank <= 5 GROUP BY customer_id HAVING sum(total) > \
     1000.50) SELECT c.id, c.name, c.email, c.data->>'segment' AS segment, coalesce(b.total, 0)::numeric(12,2) AS total, \
     CASE WHEN b.total > 5000 THEN 'gold' WHEN b.total > 2500 THEN 'silver' ELSE 'none' END AS level FROM customers c \
     INNER JOIN best b ON b.customer_id = c.id LEFT JOIN addresses a ON a.customer_id = c.id AND a.is_default = true WHERE \
     c.deleted_at IS NULL AND a.country IN ('DE', 'AT', 'CH') AND (c.flags & 4) = 0 ORDER BY total DESC NULLS LAST, c.id \
     OFFSET 50 LIMIT ",
    "",
];

fn long() -> String {
    let term = "(t.first_name ILIKE 'ann%' AND t.score >= 17.5 OR t.parent_id = 4711 AND t.kind <> 'x') AND ";
    format!("SELECT t.* FROM things t WHERE {}t.id = ", term.repeat(9_400 / term.len()))
}

fn run(bencher: Bencher, prefix: &str, suffix: &str) {
    let mut fingerprinter = Fingerprinter::new(8_192, 1);
    let texts: Vec<String> = (0..4_096).map(|number| format!("{prefix}{number:04}{suffix}")).collect();
    let mut next = texts.iter().cycle();
    bencher.counter(BytesCount::of_str(&texts[0])).bench_local(|| {
        next.next().map(|text| fingerprinter.statements(divan::black_box(text.as_bytes()), Dialect::default()))
    });
}

#[divan::bench(args = [31, 97, 305, 862, 9_464])]
fn statement(bencher: Bencher, len: usize) {
    let long = long();
    let index = [31, 97, 305, 862].iter().position(|known| *known == len);
    run(bencher, index.map_or(&long, |index| STATEMENTS[index]), "");
}

#[divan::bench]
fn met_before(bencher: Bencher) {
    let mut fingerprinter = Fingerprinter::new(8_192, 1);
    let text = STATEMENTS[1];
    bencher.bench_local(|| fingerprinter.statements(divan::black_box(text.as_bytes()), Dialect::default()));
}

#[divan::bench]
fn literal_of_a_megabyte(bencher: Bencher) {
    run_once(bencher, format!("INSERT INTO t (a) VALUES ('{}')", "x".repeat(1 << 20)));
}

#[divan::bench]
fn list_of_10_kib(bencher: Bencher) {
    let items: Vec<String> = (0..).map(|number| format!("{}", 100_000 + number)).take(10_240 / 8).collect();
    run(bencher, &format!("SELECT * FROM t WHERE id IN ({}, ", items.join(", ")), ")");
}

#[divan::bench]
fn rows_of_10_kib(bencher: Bencher) {
    let row = "(1234567, 'some name or other', 'a longer text that says nothing in particular', NULL), ";
    run(
        bencher,
        &format!("INSERT INTO t (a, b, c, d) VALUES {}(", row.repeat(10_240 / row.len())),
        ", 'x', 'y', NULL)",
    );
}

fn run_once(bencher: Bencher, text: String) {
    let mut fingerprinter = Fingerprinter::new(8_192, 1);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| fingerprinter.statements(divan::black_box(text.as_bytes()), Dialect::default()));
}
