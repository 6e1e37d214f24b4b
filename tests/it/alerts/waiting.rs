//! What waits to be told, as who tells reads it.

use pgvitals::store::alerts::desk::Desk;
use pgvitals::store::alerts::notices::About;

use crate::store::Store;
use crate::store::idle::settings;
use crate::support::postgres::Cluster;

/// In quiet hours of a large fleet more waits than is looked at in one go, and all of it is older.
#[test]
fn what_is_critical_does_not_wait_behind_thousands_that_do() {
    let store = Store::on(Cluster::newest());
    store.superuser().query(
        "insert into pgvitals.alerts (opened_at, last_seen_at, updated_at, value, worst, threshold, count, server, kind,
             subject, name, severity, message)
         select now(), now(), now(), 1, 1, 1, 1, 'db', 'sequence_exhaustion', n::text, n::text,
             case n when 3000 then 'critical' else 'warning' end, ''
         from generate_series(1, 3000) n;
         insert into pgvitals.notifications (alert_id, event, channel, due)
         select id, 'opened', 'webhook', now() - case severity when 'critical' then '0' else '1 hour' end::interval
         from pgvitals.alerts",
    );
    let spool = tempfile::tempdir().unwrap();
    let desk = Desk::new(settings(&store, spool.path()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waiting = runtime.block_on(desk.waiting(&|_| None)).unwrap();
    let alert = match &waiting[0].about {
        About::Alert(_, alert) => alert,
        other => panic!("{other:?}"),
    };
    assert_eq!((waiting.len(), alert.subject.name.as_str()), (2_000, "3000"));
}
