//! A server with a shop's database and a store, pgvitals in front of it, and a shell in which the documents' names and
//! addresses mean these.

use std::path::Path;

use tempfile::TempDir;

use crate::bytes_of;
use crate::support::client::{Client, bind, execute, parse, sync};
use crate::support::http::request;
use crate::support::keeper::Keeper;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::{Cluster, program};
use crate::support::tool::Tool;

const SECRET: &str = "a-secret-of-some-length";

/// What a statement of the documents asks; its hash there is the real one.
const PRODUCT: &str = "select id, name, price, stock from products where id = $1";

/// An index that was never finished is an alert as soon as somebody looks.
const FURNITURE: [&str; 4] = [
    "create table products (id int primary key, name text, price numeric, stock int)",
    "insert into products values (1, 'kettle', 30, 7)",
    "create index products_name on products (name)",
    "update pg_index set indisvalid = false where indexrelid = 'products_name'::regclass",
];

/// Commands that end when they are told to, and a word of what they say before.
const ENDLESS: [(&str, &str); 4] = [
    ("pgvitals run", " listening "),
    ("pgvitals serve", " http "),
    ("pgvitals top", "calls"),
    ("curl -N", "event: live"),
];

/// Commands that open sockets of their own.
const OPENERS: [&str; 3] = ["pgvitals run", "pgvitals check", "pgvitals serve"];

/// See above.
pub(super) struct Site {
    cluster: &'static Cluster,
    pgvitals: Pgvitals,
    /// The shell's home.
    home: TempDir,
    /// An open alert's id.
    alert: String,
    _client: Client,
}

impl Site {
    pub(super) fn new() -> Self {
        // Of its own: whoever looks at a server looks into all its databases.
        let cluster = Cluster::own(*Cluster::majors().last().expect("a PostgreSQL is at hand"));
        ["shop", "monitoring", "bench"].iter().for_each(|name| cluster.recreate(name));
        FURNITURE.iter().for_each(|sql| drop(cluster.client("shop").query(sql)));
        let home = home();
        let secret = home.path().join("secret").display().to_string();
        let (host, port) = cluster.tcp.host_and_port();
        let setup = Setup::before(&cluster.tcp)
            .flag("store", &format!("postgres://postgres@{host}:{port}/monitoring"))
            .flag("cron-secret-file", &secret)
            .flag("jobs-hourly", "off")
            .flag("jobs-daily", "off");
        let pgvitals = setup.start();
        let mut client = Client::connect(pgvitals.address(), "shop");
        let tagged = format!("{PRODUCT} /*route='/products/:id'*/");
        client.ask(&bytes_of![parse("", &tagged), bind("", "", &["1"]), execute("", 0), sync()]);
        pgvitals.await_statement(PRODUCT, 1);
        for job in ["hourly-monitoring", "daily-maintenance"] {
            let headers = [("authorization", format!("Bearer {SECRET}"))];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            let answer = request(pgvitals.http, "POST", &format!("/api/cron/{job}"), &headers);
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let alert = pgvitals.performance("metric=alerts")["alerts"][0]["id"].to_string();
        Self { cluster, pgvitals, home, alert, _client: client }
    }

    /// Runs a command as a reader would; its answer, or what is wrong with it.
    pub(super) fn run(&self, language: &str, text: &str) -> Result<String, String> {
        let text = self.filled(text);
        if language == "sql" {
            let psql = Tool::postgres("psql", self.cluster.major).args(&["-qX", "-v", "ON_ERROR_STOP=1"]);
            let output = psql.against(&self.cluster.unix, "shop").input(&format!("begin;\n{text}\n;rollback;")).run();
            return if output.code == Some(0) { Ok(output.stdout) } else { Err(output.stderr) };
        }
        if let Some((_, awaited)) = ENDLESS.iter().find(|(begin, _)| is(&text, begin)) {
            return Ok(self.watch(&text, awaited));
        }
        if text.contains("/api/cron/") {
            // A slot is done once, and several documents ask.
            self.cluster.client("monitoring").query("delete from pgvitals.job_runs");
        }
        let shell = Tool::shell(&text).directory(self.home.path());
        let output =
            self.environment(&text).into_iter().fold(shell, |shell, (name, value)| shell.variable(name, &value));
        let output = output.run();
        match output.code {
            Some(0) => Ok(output.stdout),
            code => Err(format!("exit code {code:?}: {}{}", output.stdout, output.stderr)),
        }
    }

    /// Starts a command, and ends it when it has said what it is awaited to.
    fn watch(&self, text: &str, awaited: &str) -> String {
        let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let variables = self.environment(text).into_iter().map(|(name, value)| format!("{name}={value}"));
        let script = format!("cd {} && exec {text}", self.home.path().display());
        let command = ["env".to_owned()].into_iter().chain(variables);
        let command: Vec<_> = command.chain(["bash", "-c", &script].map(str::to_owned)).collect();
        let keeper = Keeper::start(directory, "TERM", None, &command);
        keeper.log.await_line(awaited, |line| line.contains(awaited).then_some(()));
        keeper.log.text()
    }

    fn environment(&self, text: &str) -> Vec<(&'static str, String)> {
        let home = self.home.path();
        let folder = |name| program(name, self.cluster.major).parent().unwrap().display().to_string();
        let inherited = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{}:{inherited}", home.join("bin").display(), folder("psql"), folder("pgbench"));
        let http = match OPENERS.iter().any(|begin| is(text, begin)) {
            true => "127.0.0.1:0".to_owned(),
            false => self.pgvitals.http.to_string(),
        };
        vec![
            ("PATH", path),
            ("HOME", home.display().to_string()),
            ("CRON_SECRET", SECRET.to_owned()),
            ("PGVITALS_LISTEN", "127.0.0.1:0".to_owned()),
            ("PGVITALS_HTTP", http),
            ("PGVITALS_STORE", "off".to_owned()),
        ]
    }

    /// With real addresses in the place of the documents'.
    fn filled(&self, text: &str) -> String {
        let server = self.cluster.tcp.to_string();
        let names = [
            ("db.example.com:5432", server.as_str()),
            ("127.0.0.1:5432", &server),
            ("pgvitals_serve@stats/pgvitals", &format!("postgres@{server}/monitoring")),
            ("0.0.0.0:7480", "127.0.0.1:0"),
            ("127.0.0.1:7432", &self.pgvitals.address().to_string()),
            ("127.0.0.1:7480", &self.pgvitals.http.to_string()),
            // Ten seconds show something; that it runs is seen in one.
            ("-T 10 ", "-T 1 "),
            ("/api/alerts/17/", &format!("/api/alerts/{}/", self.alert)),
        ];
        names.iter().fold(text.to_owned(), |text, (name, real)| text.replace(name, real))
    }
}

/// Whether a command begins with these words.
fn is(text: &str, begin: &str) -> bool {
    text.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// A directory with pgvitals under its name, curl that takes a bad status for a failure, and a secret.
fn home() -> TempDir {
    let home = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
    std::fs::create_dir(home.path().join("bin")).unwrap();
    let pgvitals = Path::new(env!("CARGO_BIN_EXE_pgvitals"));
    std::os::unix::fs::symlink(pgvitals, home.path().join("bin/pgvitals")).unwrap();
    std::fs::write(home.path().join(".curlrc"), "fail-with-body\nsilent\nshow-error\nmax-time = 60\n").unwrap();
    std::fs::write(home.path().join("secret"), SECRET).unwrap();
    home
}
