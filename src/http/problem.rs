//! How errors are told: `application/problem+json` (RFC 9457). Each kind has a section in `docs/errors.md`.

use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store;

/// What kind of problem; the last part of its `type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A parameter or a value that is not in the list.
    BadParameter,
    /// No valid token where one is needed.
    Unauthorized,
    /// The `Host` header names somebody else (DNS rebinding).
    ForeignHost,
    /// A change that a page of another site asks for.
    ForeignOrigin,
    /// A body that is no JSON, or not the right one.
    BadBody,
    /// No such path.
    NotFound,
    /// A well-formed query hash that nobody has seen.
    UnknownQuery,
    /// An index or a table that nobody has seen, or that is gone.
    UnknownObject,
    /// An id that no alert has.
    UnknownAlert,
    /// The alert is over.
    AlertOver,
    /// The path has no such method.
    MethodNotAllowed,
    /// `CRON_SECRET` is not set, so that nobody may start jobs.
    CronClosed,
    /// The job that was to be started is running.
    AlreadyRunning,
    /// Something would have to be set first.
    NotConfigured,
    /// Nobody has looked at the server yet.
    NotCollected,
    /// As many streams of events are open as there may be.
    TooManyStreams,
    /// Traffic can't be served now.
    NotReady,
    /// What was asked for is in the store, and that doesn't answer.
    StoreUnavailable,
    /// A fault of pgvitals.
    Internal,
}

impl Kind {
    /// Every kind, for the test that compares them with the document.
    #[cfg(test)]
    pub(super) const ALL: [Kind; 19] = [
        Kind::BadParameter,
        Kind::Unauthorized,
        Kind::ForeignHost,
        Kind::ForeignOrigin,
        Kind::BadBody,
        Kind::NotFound,
        Kind::UnknownQuery,
        Kind::UnknownObject,
        Kind::UnknownAlert,
        Kind::AlertOver,
        Kind::MethodNotAllowed,
        Kind::CronClosed,
        Kind::AlreadyRunning,
        Kind::NotConfigured,
        Kind::NotCollected,
        Kind::TooManyStreams,
        Kind::NotReady,
        Kind::StoreUnavailable,
        Kind::Internal,
    ];

    /// The name in `type` and in the document.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Kind::BadParameter => "bad-parameter",
            Kind::Unauthorized => "unauthorized",
            Kind::ForeignHost => "foreign-host",
            Kind::ForeignOrigin => "foreign-origin",
            Kind::BadBody => "bad-body",
            Kind::NotFound => "not-found",
            Kind::UnknownQuery => "unknown-query",
            Kind::UnknownObject => "unknown-object",
            Kind::UnknownAlert => "unknown-alert",
            Kind::AlertOver => "alert-over",
            Kind::MethodNotAllowed => "method-not-allowed",
            Kind::CronClosed => "cron-closed",
            Kind::AlreadyRunning => "already-running",
            Kind::NotConfigured => "not-configured",
            Kind::NotCollected => "not-collected",
            Kind::TooManyStreams => "too-many-streams",
            Kind::NotReady => "not-ready",
            Kind::StoreUnavailable => "store-unavailable",
            Kind::Internal => "internal",
        }
    }

    /// The same words for every problem of the kind.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Kind::BadParameter => "Unknown parameter or value",
            Kind::Unauthorized => "A valid token is needed",
            Kind::ForeignHost => "The Host header is not this server's",
            Kind::NotFound => "No such path",
            Kind::ForeignOrigin => "The request comes from another site's page",
            Kind::BadBody => "The body can't be used",
            Kind::UnknownQuery => "No such query",
            Kind::UnknownObject => "No such index or table",
            Kind::UnknownAlert => "No such alert",
            Kind::AlertOver => "The alert is over",
            Kind::MethodNotAllowed => "No such method here",
            Kind::CronClosed => "Jobs can't be started from outside",
            Kind::AlreadyRunning => "The job is running",
            Kind::NotConfigured => "A setting is missing",
            Kind::NotCollected => "Nobody has looked at the server yet",
            Kind::TooManyStreams => "Too many streams of events",
            Kind::NotReady => "Not ready",
            Kind::StoreUnavailable => "The store does not answer",
            Kind::Internal => "Internal error",
        }
    }

    /// The status it is answered with.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Kind::BadParameter | Kind::BadBody => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::ForeignHost | Kind::ForeignOrigin | Kind::CronClosed => StatusCode::FORBIDDEN,
            Kind::NotFound | Kind::UnknownQuery | Kind::UnknownObject | Kind::UnknownAlert => StatusCode::NOT_FOUND,
            Kind::AlertOver => StatusCode::CONFLICT,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::AlreadyRunning => StatusCode::CONFLICT,
            Kind::TooManyStreams
            | Kind::NotReady
            | Kind::StoreUnavailable
            | Kind::NotConfigured
            | Kind::NotCollected => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An answer that tells what was wrong and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    /// What kind.
    pub(super) kind: Kind,
    /// What was wrong here, which value, what is allowed.
    pub(super) detail: String,
    /// Of a job that is running: since when.
    pub(super) running_since: Option<String>,
}

impl Problem {
    /// A problem with its explanation.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), running_since: None }
    }
}

/// The shape of a problem.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// `urn:pgvitals:problem:` and the kind; see docs/errors.md.
    r#type: String,
    /// The same words for every problem of the kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong here, and what is allowed.
    detail: String,
    /// Of a job that is running: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    running_since: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let body = ProblemBody {
            r#type: format!("urn:pgvitals:problem:{}", self.kind.slug()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail,
            running_since: self.running_since,
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pgvitals\""));
        }
        response
    }
}

/// A store that says no, or nothing.
impl From<store::error::Error> for Problem {
    fn from(error: store::error::Error) -> Self {
        Self::new(Kind::StoreUnavailable, format!("the store does not answer: {error}"))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Problem::new(Kind::BadParameter, rejection.body_text())
    }
}
