//! What a statement of the shop is made of: who sends it, when, and how long it takes.

/// Who sends statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Caller {
    Web,
    Api,
    Worker,
    Importer,
    Reports,
    Facts,
}

impl Caller {
    /// Service, database, user, application.
    pub(super) const fn names(self) -> (Service, &'static str, &'static str, &'static str) {
        match self {
            Caller::Web => (Service::Shop, "shop", "web", "storefront"),
            Caller::Api => (Service::Shop, "shop", "api", "mobile-api"),
            Caller::Worker => (Service::BackOffice, "shop", "worker", "worker"),
            Caller::Importer => (Service::BackOffice, "shop", "importer", "supplier-feed"),
            Caller::Reports => (Service::BackOffice, "shop", "analyst", "metabase"),
            Caller::Facts => (Service::BackOffice, "analytics", "analyst", "metabase"),
        }
    }
}

/// Who measured: a pgvitals beside each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Service {
    /// What customers see.
    Shop,
    /// Everybody else.
    BackOffice,
}

impl Service {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Shop, Self::BackOffice];

    /// Its name, and its instance's.
    pub(super) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Shop => ("shop", "shop-7c9d5b-x2k4t"),
            Self::BackOffice => ("back-office", "back-office-5f6c8-q9z7m"),
        }
    }
}

/// When something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beat {
    /// As customers come.
    Shop,
    /// Always.
    Steady,
    /// While people are in their offices.
    Office,
    /// In this hour of the day.
    Night(i64),
}

/// A statement as the shop has it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Spec {
    pub(super) sql: &'static str,
    pub(super) callers: &'static [Caller],
    /// Tag `route`; empty without one.
    pub(super) route: &'static str,
    pub(super) beat: Beat,
    /// Executions a minute, all callers together, at load 1.
    pub(super) often: f64,
    /// Median duration.
    pub(super) ms: f64,
    /// Standard deviation of durations' logarithms.
    pub(super) spread: f64,
    /// Rows of an execution.
    pub(super) rows: f64,
    /// Bytes of its answer.
    pub(super) bytes_out: u64,
    /// SQLSTATE and share of executions.
    pub(super) errors: &'static [(&'static str, f64)],
}
