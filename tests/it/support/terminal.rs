//! A real terminal with a program in it: tmux, driven in its control mode, which tells whenever something is written.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use tempfile::TempDir;

use super::clock::{PATIENCE, now};
use super::postgres::ADVICE;

/// Lines of the control mode that wait to be looked at.
const LINES: usize = 4_096;

/// A screen, its keyboard and what runs there. It ends with whoever started it.
pub(crate) struct Terminal {
    tmux: Child,
    commands: Option<ChildStdin>,
    lines: Receiver<String>,
    directory: TempDir,
}

impl Terminal {
    /// Runs this command of the shell on a screen of so many columns and rows. When it has ended, the screen tells its exit
    /// code and the terminal's settings, and stays.
    pub(crate) fn run(command: &str, columns: u16, rows: u16) -> Self {
        let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let configuration = directory.path().join("tmux.conf");
        std::fs::write(&configuration, "set -g default-terminal tmux-256color\nset -g destroy-unattached on\n")
            .unwrap();
        let (socket, pid) = (directory.path().join("socket"), directory.path().join("pid"));
        let command = format!(
            "sh -c 'echo $$ >{}; exec {command}'; code=$?; echo; echo \"exit code $code\"; stty -a; exec cat",
            pid.display()
        );
        let mut tmux = Command::new("tmux");
        tmux.arg("-C").arg("-u").arg("-S").arg(&socket).arg("-f").arg(&configuration);
        tmux.args(["new-session", &command]).env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR");
        tmux.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut tmux = tmux.spawn().unwrap_or_else(|error| panic!("no tmux ({error}): {ADVICE}"));
        let (sender, lines) = sync_channel(LINES);
        let stdout = BufReader::new(tmux.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                // Nobody reads on once the test has ended.
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let mut terminal = Self { commands: tmux.stdin.take(), tmux, lines, directory };
        terminal.answer();
        terminal.resize(columns, rows);
        terminal
    }

    /// Makes the screen another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.tell(&format!("refresh-client -C {columns}x{rows}"));
    }

    /// Presses keys, by their names in tmux.
    pub(crate) fn press(&mut self, keys: &str) {
        self.tell(&format!("send-keys -t %0 {keys}"));
    }

    /// Writes text.
    pub(crate) fn write(&mut self, text: &str) {
        self.tell(&format!("send-keys -t %0 -l '{text}'"));
    }

    /// What tmux knows of the screen: `alternate_on`, `cursor_flag`.
    pub(crate) fn property(&mut self, name: &str) -> String {
        self.tell(&format!("display-message -p -t %0 '#{{{name}}}'")).concat()
    }

    /// The process id of the command.
    pub(crate) fn pid(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("pid")).unwrap().trim().to_owned()
    }

    /// The screen's lines, as soon as they are as wanted.
    #[track_caller]
    pub(crate) fn await_screen(&mut self, what: &str, is_there: impl Fn(&[String]) -> bool) -> Vec<String> {
        let end = now() + PATIENCE;
        loop {
            let lines = self.tell("capture-pane -p -t %0");
            if is_there(&lines) {
                return lines;
            }
            assert!(now() < end, "never saw {what}:\n{}", lines.join("\n"));
            while !self.next().starts_with("%output") {}
        }
    }

    /// Tells tmux to do something; what it says.
    fn tell(&mut self, command: &str) -> Vec<String> {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Vec<String> {
        while !self.next().starts_with("%begin ") {}
        let mut said = Vec::new();
        loop {
            let line = self.next();
            assert!(!line.starts_with("%error "), "tmux: {said:?}");
            if line.starts_with("%end ") {
                return said;
            }
            said.push(line);
        }
    }

    fn next(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("tmux tells what happens")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Without its only client the session ends, and so does what runs in it.
        drop(self.commands.take());
        self.tmux.wait().unwrap();
    }
}
