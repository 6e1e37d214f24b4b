//! Values that clients bound to statements, as they came, and how much of them may be held. Empty unless the owner wants
//! parameters (`capture_parameters`): values are secrets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Values that one connection may hold: those of its executions that have not ended, and of portals that are open.
const OWN_MAX: usize = 64 << 10;
/// The same of all connections of a worker.
const ALL_MAX: usize = 4 << 20;
/// What a kept value takes beside its bytes, rounded up.
const OVERHEAD: usize = 96;

/// A connection's part of what its worker may hold.
#[derive(Debug)]
pub struct Allowance {
    own: AtomicUsize,
    all: Arc<AtomicUsize>,
}

impl Allowance {
    /// That of one connection more; `all` is its worker's sum.
    pub fn new(all: &Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { own: AtomicUsize::new(0), all: Arc::clone(all) })
    }

    /// Keeps `body`, or only that there was one when that would be too much.
    pub fn keep(self: &Arc<Self>, body: &[u8]) -> Arc<Bound> {
        let bytes = body.len() + OVERHEAD;
        let fits = self.own.load(Relaxed) + bytes <= OWN_MAX && self.all.load(Relaxed) + bytes <= ALL_MAX;
        let body: Box<[u8]> = if fits { body.into() } else { Box::default() };
        self.own.fetch_add(body.len() + OVERHEAD, Relaxed);
        self.all.fetch_add(body.len() + OVERHEAD, Relaxed);
        Arc::new(Bound { body, allowance: Arc::clone(self) })
    }
}

/// The values of one Bind, in the protocol's encoding: `session` reads them. Never printed.
pub struct Bound {
    body: Box<[u8]>,
    allowance: Arc<Allowance>,
}

impl Bound {
    /// What was kept; empty when there was no room.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let bytes = self.body.len() + OVERHEAD;
        self.allowance.own.fetch_sub(bytes, Relaxed);
        self.allowance.all.fetch_sub(bytes, Relaxed);
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Eq for Bound {}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_holds_so_much_and_gives_it_back() {
        let all = Arc::default();
        let allowance = Allowance::new(&all);
        let body = [7; 1 << 10];
        let held: Vec<_> = (0..100).map(|_| allowance.keep(&body)).collect();
        let kept = held.iter().filter(|bound| !bound.body().is_empty()).count();
        assert_eq!(kept, OWN_MAX / (body.len() + OVERHEAD));
        assert_eq!(allowance.keep(b"").body(), b"");
        drop(held);
        assert_eq!(all.load(Relaxed), 0);
        assert_eq!(allowance.keep(&body).body(), body);
    }

    #[test]
    fn a_worker_holds_so_much_whoever_the_values_are_of() {
        let all = Arc::default();
        let body = [7; 32 << 10];
        let held: Vec<_> = (0..1_000).map(|_| Allowance::new(&all).keep(&body)).collect();
        assert_eq!(held.iter().filter(|bound| !bound.body().is_empty()).count(), ALL_MAX / (body.len() + OVERHEAD));
        assert!(!format!("{:?}", held[0]).contains('7'));
    }
}
