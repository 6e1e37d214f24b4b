//! PostgreSQL's own programs and other people's drivers, run against an address.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::address::Address;
#[cfg(feature = "all-clients")]
use super::postgres::more_clients;
use super::postgres::{ADVICE, clients, program};

/// A program to run.
pub(crate) struct Tool {
    command: Command,
    input: Vec<u8>,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Tool {
    /// One of PostgreSQL's programs, fit for this major version.
    pub(crate) fn postgres(name: &str, major: u32) -> Self {
        Self::new(&program(name, major))
    }

    /// The program under test, for its short commands.
    pub(crate) fn pgvitals() -> Self {
        Self::new(Path::new(env!("CARGO_BIN_EXE_pgvitals")))
    }

    /// A line for the shell, which fails as soon as a part of it does.
    pub(crate) fn shell(line: &str) -> Self {
        Self::new(Path::new("bash")).args(&["-euo", "pipefail", "-c", line])
    }

    /// A program of the system.
    pub(crate) fn system(name: &str) -> Self {
        Self::new(Path::new(name))
    }

    /// A script of `tests/clients/python` for Python with its drivers.
    pub(crate) fn python(script: &str) -> Self {
        Self::new(&clients().join("python/bin/python")).arg("-I").arg(&in_clients("python", script))
    }

    /// A script of `tests/clients/javascript` for Node with its drivers.
    pub(crate) fn node(script: &str) -> Self {
        let tool = Self::new(Path::new("node")).arg("--no-warnings").arg(&in_clients("javascript", script));
        tool.variable("PGVITALS_NODE_MODULES", &clients().join("node_modules").to_string_lossy())
    }

    /// A script of `tests/browser` for Node, which drives a browser over the page of this pgvitals.
    pub(crate) fn browser(script: &str, http: SocketAddr) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = root.join(".cache/browser/node_modules");
        assert!(modules.is_dir(), "{} is missing: {ADVICE}", modules.display());
        let tool = Self::new(Path::new("node")).arg(&root.join("tests/browser").join(script).to_string_lossy());
        tool.variable("PGVITALS_NODE_MODULES", &modules.to_string_lossy())
            .variable("PGVITALS_CHROMIUM", "/usr/bin/chromium")
            .variable("PGVITALS_PICTURES", &root.join("target/browser").to_string_lossy())
            .variable("PGVITALS_HTTP", &format!("127.0.0.1:{}", http.port()))
    }

    /// One of the programs that `scripts/bootstrap clients` built or fetched.
    #[cfg(feature = "all-clients")]
    pub(crate) fn more(program: &str) -> Self {
        Self::new(&more_clients().join(program))
    }

    /// An interpreter of the system with a script of `tests/clients`.
    #[cfg(feature = "all-clients")]
    pub(crate) fn interpreter(interpreter: &str, script: &str) -> Self {
        Self::new(Path::new(interpreter)).arg(&in_clients(interpreter, script))
    }

    /// The session in Java.
    #[cfg(feature = "all-clients")]
    pub(crate) fn java() -> Self {
        let path = format!("{}:/usr/share/java/postgresql.jar", more_clients().display());
        Self::new(Path::new("java")).args(&["-cp", &path, "Session"])
    }

    /// Somebody else's program.
    pub(crate) fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("PGUSER", "postgres").env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        Self { command, input: Vec::new() }
    }

    /// Where to connect to.
    pub(crate) fn against(mut self, address: &Address, database: &str) -> Self {
        let (host, port) = address.host_and_port();
        self.command.env("PGHOST", host).env("PGPORT", port).env("PGDATABASE", database);
        self
    }

    /// Where it runs.
    pub(crate) fn directory(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What to write to its standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.as_bytes().to_vec();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Output {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let mut stdin = child.stdin.take().unwrap();
        let input = std::mem::take(&mut self.input);
        // A program may end without reading all of its input; its exit code tells.
        let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it to its end, which must be a good one.
    #[track_caller]
    pub(crate) fn succeed(self) -> Output {
        let what = format!("{:?}", self.command);
        let output = self.run();
        assert_eq!(output.code, Some(0), "{what}: {}\n{}", output.stdout, output.stderr);
        output
    }
}

fn in_clients(language: &str, script: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(language)
        .join(script)
        .to_string_lossy()
        .into_owned()
}
