//! Children that never outlive the demo.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

/// How often an ending child is looked at, and how many times before it is killed.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 200;

/// A child that gets SIGINT, then SIGKILL, when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program that writes to a log file.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let program = command.get_program().to_owned();
        Ok(Self(command.spawn().with_context(|| format!("can't start {}", program.display()))?))
    }

    /// Takes care of a program that was started.
    pub(crate) fn adopt(child: Child) -> Self {
        Self(child)
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Whether it has ended, and well.
    pub(crate) fn has_succeeded(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(status)) if status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_running() {
            return;
        }
        let _asked = Command::new("kill").args(["-INT", &self.0.id().to_string()]).stderr(Stdio::null()).status();
        for _ in 0..LOOKS {
            if !self.is_running() {
                return;
            }
            std::thread::park_timeout(LOOK);
        }
        let _killed = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// `wanted` if it is free, else a port that is.
pub(crate) fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)))?;
    Ok(listener.local_addr()?.port())
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
}
