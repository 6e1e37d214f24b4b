//! What is logged, which is no room's setting.

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What to log, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Directives as `tracing_subscriber::EnvFilter` reads them.
    pub filter: String,
    /// How lines are written.
    pub format: LogFormat,
}
