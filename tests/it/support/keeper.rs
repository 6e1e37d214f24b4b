//! A server process that ends with whoever started it, and its log.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use tempfile::TempDir;

use super::clock::{PATIENCE, now};

/// An unprivileged user, for servers that refuse to run as root.
#[derive(Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A running server. Dropped, or with the test process gone, the server is killed and its directory removed.
pub(crate) struct Keeper {
    child: Child,
    /// The server's own process id.
    pub(crate) pid: u32,
    /// What it wrote so far.
    pub(crate) log: Log,
}

impl Keeper {
    /// Starts `command`; `directory` goes when it ends. `signal` is how to end it, by name.
    pub(crate) fn start(directory: TempDir, signal: &str, user: Option<User>, command: &[String]) -> Self {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", include_str!("keeper.sh"), "keeper"]).arg(directory.path()).arg(signal).args(command);
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).current_dir("/");
        if let Some(User { uid, gid }) = user {
            keeper.uid(uid).gid(gid);
        }
        let mut child = keeper.spawn().unwrap_or_else(|error| panic!("can't start {command:?}: {error}"));
        let _kept = directory.keep(); // The keeper removes it.
        let log = Log::follow(child.stderr.take().unwrap());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = line.trim().parse().unwrap_or_else(|_| panic!("no process id from {command:?}: {}", log.text()));
        Self { child, pid, log }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("a server of the tests did not end: {error}");
        }
        if std::thread::panicking() {
            eprintln!("--- log of process {} ---\n{}", self.pid, self.log.tail(60));
        }
    }
}

/// Lines of a server's log, as they come.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Follows a stream on a thread of its own.
    fn follow(stream: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let writer = log.clone();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                writer.0.0.lock().unwrap().lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                writer.0.1.notify_all();
                line.clear();
            }
            writer.0.0.lock().unwrap().ended = true;
            writer.0.1.notify_all();
        });
        log
    }

    /// The first line, past or to come, in which `find` finds something.
    #[track_caller]
    pub(crate) fn await_line<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let end = now() + PATIENCE;
        let mut seen = 0;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = lines.lines[seen..].iter().find_map(|line| find(line)) {
                return found;
            }
            seen = lines.lines.len();
            let left = end.saturating_duration_since(now());
            if lines.ended || left.is_zero() {
                let text = lines.lines.join("\n");
                drop(lines); // Whoever cleans up wants to read it too.
                panic!("no log line with {what}:\n{text}");
            }
            lines = self.0.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// All that was written so far.
    pub(crate) fn text(&self) -> String {
        self.tail(usize::MAX)
    }

    fn tail(&self, count: usize) -> String {
        let lines = self.0.0.lock().unwrap();
        lines.lines[lines.lines.len().saturating_sub(count)..].join("\n")
    }
}
