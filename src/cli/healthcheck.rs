//! `pgvitals healthcheck`: for images without a shell.

use anyhow::bail;

use super::client::{Client, advised, runtime};
use crate::config::load::Loaded;

/// Well if `/healthz` answers 200.
pub(super) fn run(loaded: &Loaded) -> anyhow::Result<()> {
    let client = Client::new(&loaded.app.http.listen, None);
    let answer = runtime()?.block_on(client.get("/healthz")).map_err(advised)?;
    match answer.status {
        200 => Ok(()),
        status => bail!("{}/healthz answered {status}", loaded.app.http.listen),
    }
}
