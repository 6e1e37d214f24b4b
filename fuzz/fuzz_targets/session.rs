//! Both directions of a session, interleaved at random: it takes anything, and counts no call twice.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pgvitals::base::telemetry::Unmeasured;
use pgvitals::base::units::Stamp;
use pgvitals::session::identity::StartupParameters;
use pgvitals::session::observation::{Event, Observer};
use pgvitals::session::{Leg, Session};
use pgvitals::sql::fingerprint::Fingerprinter;

struct Ends(u32);

impl Observer for Ends {
    fn observe(&mut self, event: Event) {
        self.0 += u32::from(matches!(event, Event::Ended(_) | Event::StartupFailed(_)));
    }
}

/// Tags that mean something, so that few bytes make a session.
const CLIENT: &[u8] = b"QPBDECSHFdcfXp";
const SERVER: &[u8] = b"RKSZ123ntTDCIsEVGHWdcNA";

fuzz_target!(|data: &[u8]| {
    let startup = StartupParameters { user: b"fuzz", ..StartupParameters::default() };
    let mut session = Session::new(Arc::from("db"), Stamp::from_nanos(0), &startup);
    let (mut lexer, mut ends) = (Fingerprinter::new(1 << 13, 7), Ends(0));
    let (mut now, mut rest) = (0, data);
    while let Some((&[kind, tag, size], after)) = rest.split_first_chunk::<3>() {
        let (body, after) = after.split_at(usize::from(size % 32).min(after.len()));
        rest = after;
        now += u64::from(kind) * 1_000;
        let stamp = Stamp::from_nanos(now);
        let tags = if kind & 1 == 0 { CLIENT } else { SERVER };
        let length = if kind == 255 { 3 } else { body.len() as u32 + 4 };
        let frame = [&[tags[usize::from(tag) % tags.len()]][..], &length.to_be_bytes(), body].concat();
        match kind & 15 {
            2 => session.holding(Leg::Client, stamp),
            4 => session.drained(Leg::Client, stamp),
            6 => session.holding(Leg::Upstream, stamp),
            8 => session.drained(Leg::Upstream, stamp),
            kind if kind & 1 == 0 => session.client_bytes(&frame, stamp, &mut lexer, &mut ends),
            _ => session.server_bytes(&frame, stamp, &mut ends),
        }
        let _ = (session.phase(), session.in_flight(), session.open_transaction());
    }
    if data.len() % 97 == 0 {
        session.make_opaque(Unmeasured::Panic, &mut ends);
    }
    session.closed(Stamp::from_nanos(now), &mut lexer, &mut ends);
    session.closed(Stamp::from_nanos(now), &mut lexer, &mut ends);
    assert!(ends.0 == 1, "a session ends once");
});
