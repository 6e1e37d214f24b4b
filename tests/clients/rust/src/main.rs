//! SQLx and tokio-postgres: what their users see of a session. Where to connect to stands in the environment, as libpq
//! wants it; the first argument says which of the two.

mod sqlx_session;
mod tokio_session;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("sqlx") => sqlx_session::run().await,
        Some("tokio-postgres") => tokio_session::run().await,
        _ => panic!("session sqlx|tokio-postgres"),
    }
    println!("done");
}

/// The version of a package that this was built with.
fn locked(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"\nversion = \"");
    include_str!("../Cargo.lock").split(&name).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}
