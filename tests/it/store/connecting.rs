//! The store's URL: several hosts, and TLS.

use super::Store;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// "All hosts of the URL with `target_session_attrs=read-write`" (STORE §3): nobody, a server that can only be read, and
/// at last the right one.
#[test]
fn the_first_host_that_can_be_written_to_is_used() {
    let (right, other) = (Cluster::newest(), Cluster::any());
    let store = Store::empty(right);
    let mut admin = other.client("postgres");
    admin.query(&format!("create database {}_ro", store.database));
    admin.query(&format!("alter database {}_ro set default_transaction_read_only = on", store.database));
    right.client("postgres").query(&format!("create database {}_ro", store.database));
    let port = |cluster: &Cluster| cluster.tcp.host_and_port().1;
    let hosts = format!("127.0.0.1:1,127.0.0.1:{},127.0.0.1:{}", port(other), port(right));
    let url = format!("postgres://postgres@{hosts}/{}_ro", store.database);
    let output = Tool::pgvitals().args(&["migrate", "--store", &url]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let found = "select to_regnamespace('pgvitals') is not null";
    assert_eq!(right.client(&format!("{}_ro", store.database)).value(found), "t");
    assert_eq!(other.client(&format!("{}_ro", store.database)).value(found), "f");
}

/// TLS to the store is libpq's `sslmode`, also `verify-full`, with a password by SCRAM bound to the channel.
#[test]
fn tls_to_the_store_is_as_libpq_has_it() {
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let store = Store::empty(cluster);
    let (_, port) = cluster.tcp.host_and_port();
    let url = |host: &str, rest: &str| {
        format!("postgres://scram_user:secret%20of%20scram_user@{host}:{port}/{}?{rest}", store.database)
    };
    let ca = cluster.pki().ca.display().to_string();
    let migrate = |url: &str| Tool::pgvitals().args(&["migrate", "--store", url]).run();
    let full = migrate(&url("localhost", &format!("sslmode=verify-full&sslrootcert={ca}&channel_binding=require")));
    assert_eq!(full.code, Some(0), "{full:?}");
    for rest in ["sslmode=require", "sslmode=disable", "sslmode=prefer"] {
        assert!(migrate(&url("127.0.0.1", rest)).stdout.contains("nothing to do"), "{rest}");
    }
    let unknown = migrate(&url("localhost", "sslmode=verify-full"));
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("can't connect") && !unknown.stderr.contains("secret of"), "{unknown:?}");
}
