//! `docs/sql.md`: each statement runs, on every server.

use super::{Store, furnish};
use crate::support::document::blocks;
use crate::support::postgres::Cluster;

/// "twenty questions that a person asks …, each with a statement that a test runs" (issue 5)
#[test]
fn each_question_of_the_document_is_answered() {
    let blocks = blocks("docs/sql.md");
    let statements: Vec<_> = blocks.iter().filter(|block| block.language == "sql").map(|block| &*block.text).collect();
    assert_eq!(statements.len(), 20);
    for major in Cluster::majors() {
        let store = Store::on(Cluster::of(major));
        furnish(&store, 2);
        store.writer().query(
            "insert into pgvitals.query_stats
             select s, now() - m * interval '10 minutes', 1, 1, 100, 9000, 0, 5000, 9000, i, 3, 1, 0, 0, 100, 3, 0, 0, 3, 0,
                 0, array[1000, 9000], array[2, 1]
             from generate_series(1, 4) s, generate_series(1, 2) i, generate_series(1, 20) m",
        );
        let mut reader = store.reader();
        for statement in &statements {
            reader.query(statement);
        }
        // What the first, third and last of them say of these rows.
        assert_eq!(reader.query(statements[0]).len(), 4, "PostgreSQL {major}");
        let p95 = "select distinct p95_ms from pgvitals.latency(now() - interval '3 hours', now(), '1 minute')";
        assert_eq!(reader.value(p95), "9", "PostgreSQL {major}");
        assert_eq!(reader.query(statements[19]).len(), 2, "PostgreSQL {major}");
    }
}
