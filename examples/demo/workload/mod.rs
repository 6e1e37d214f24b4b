//! Applications that use the databases through pgvitals, each as its kind does. Together a few hundred statements a
//! second, so that the table moves and the machine doesn't.
//!
//! [`storefront`] prepared statements with route tags, an N+1; [`backoffice`] simple queries, several in a message,
//! errors; [`worker`] a job queue, pipelines, an idle transaction; [`reports`] slow statements; [`importer`] COPY.

mod backoffice;
mod importer;
mod reports;
mod storefront;
mod worker;

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{Client, Error, NoTls};

const RECONNECT: Duration = Duration::from_millis(500);

/// Who connects, and to what.
#[derive(Clone, Copy)]
struct Application {
    port: u16,
    database: &'static str,
    user: &'static str,
    name: &'static str,
}

impl Application {
    async fn connect(self) -> Result<Client, Error> {
        let Self { port, database, user, name } = self;
        let how = format!("host=127.0.0.1 port={port} dbname={database} user={user} application_name={name}");
        let (client, connection) = tokio_postgres::connect(&how, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Starts all of it, through the proxy on `port`; dropping the set ends all of it.
pub(crate) fn start(port: u16) -> JoinSet<()> {
    let mut running = JoinSet::new();
    let application = |database, user, name| Application { port, database, user, name };
    for seed in 1..=4 {
        keep(&mut running, application("shop", "web", "storefront"), seed, storefront::serve);
    }
    for seed in 5..=6 {
        keep(&mut running, application("shop", "worker", "worker"), seed, worker::work);
    }
    keep(&mut running, application("shop", "web", "backoffice"), 7, backoffice::click);
    keep(&mut running, application("shop", "importer", "importer"), 8, importer::import);
    keep(&mut running, application("shop", "analyst", "reports"), 9, reports::of_the_shop);
    keep(&mut running, application("analytics", "analyst", "reports"), 10, reports::of_the_year);
    running
}

/// Runs an application again and again, each time on a new connection: some of them lose theirs on purpose.
fn keep<F>(
    running: &mut JoinSet<()>,
    application: Application,
    seed: u64,
    run: impl Fn(Client, Random) -> F + Send + 'static,
) where
    F: Future<Output = Result<(), Error>> + Send,
{
    running.spawn(async move {
        let mut random = Random(seed);
        loop {
            // What fails is the demo's subject: pgvitals shows it.
            if let Ok(client) = application.connect().await {
                let _result = run(client, Random(random.next())).await;
            }
            sleep(RECONNECT).await;
        }
    });
}

/// Numbers that look random and are the same in each demo (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// From 1 to `most`.
    fn up_to(&mut self, most: u64) -> i32 {
        (self.next() % most + 1) as i32
    }

    /// Once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    /// A pause of about `millis`.
    async fn pause(&mut self, millis: u64) {
        sleep(Duration::from_millis(millis / 2 + self.next() % millis)).await;
    }
}
