//! PgBouncer.

use std::path::Path;

use super::Store;
use crate::support::keeper::Keeper;
use crate::support::postgres::{ADVICE, free_port, unprivileged};

/// It lends server connections, transaction by transaction.
pub(super) struct Pooler {
    pub(super) port: u16,
    _keeper: Keeper,
}

impl Pooler {
    /// Before this store, as this role, with so many server connections.
    pub(super) fn before(store: &Store, role: &str, connections: u32) -> Self {
        let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let user = unprivileged(directory.path());
        let (host, port) = store.cluster.tcp.host_and_port();
        let listen = free_port();
        let file = directory.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={host} port={port} user={role}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 1000\n"
        );
        std::fs::write(&file, settings).unwrap();
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
        let command = [program.expect(ADVICE).to_owned(), file.display().to_string()];
        let keeper = Keeper::start(directory, "TERM", user, &command);
        keeper.log.await_line("process up", |line| line.contains("process up").then_some(()));
        Self { port: listen, _keeper: keeper }
    }
}
