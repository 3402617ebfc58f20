//! The one error of the chassis, and how it is told: as a problem document over HTTP, as a reason to
//! try again for reactions and tasks.

use axum::response::{IntoResponse, Response};
use quenty_kernel::{Failure, Kind, event::UnreadableFact};

use crate::http::{Answer, problem};

/// PostgreSQL: serialization failure and deadlock (SQLSTATE class 40); the chassis tries again.
const RETRYABLE: [&str; 2] = ["40001", "40P01"];
/// `query_canceled`: a statement took longer than anybody waits for it, or an operator has ended it.
const GIVEN_UP: &str = "57014";
/// How often the chassis runs a transaction again after one of these.
pub(crate) const RERUNS: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the caller can act on.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The request was answered before: its idempotency key has a stored answer.
    #[error("answered before")]
    Replay(Box<Answer>),
    #[error("database: {0}")]
    Database(sqlx::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    UnreadableFact(#[from] UnreadableFact),
    /// A bug or a broken environment; never shown to callers.
    #[error("{0}")]
    Internal(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Error {
    #[must_use]
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }

    /// Whether the database asked to run the transaction again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.code().is_some_and(|c| RETRYABLE.contains(&&*c)))
    }

    /// Whether the database cannot be reached now, or takes nothing in: consumers stop instead of burning deliveries.
    #[must_use]
    pub fn is_database_away(&self) -> bool {
        match self {
            Self::Database(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_),
            ) => true,
            // 57P01..03: shutting down, crashed, starting up; 53: out of disk, memory or connections; 08: connection;
            // 25006: read-only, as what was the primary before another became it.
            Self::Database(sqlx::Error::Database(e)) => e.code().is_some_and(|c| {
                ["57P0", "53", "08"].iter().any(|class| c.starts_with(class)) || c == "25006"
            }),
            _ => false,
        }
    }

    /// Whether the database has given the statement up.
    fn is_given_up(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.code().is_some_and(|c| c == GIVEN_UP))
    }

    /// Whether a value of the request is none that PostgreSQL can hold (SQLSTATE class 22: a NUL in a text, a year
    /// before the calendar, a number out of range).
    fn is_unstorable_value(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.code().is_some_and(|c| c.starts_with("22")))
    }

    /// What went wrong, out of few words: for traces, in which nothing stands that people wrote.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Failure(failure) => failure.code,
            Self::Replay(_) => "replay",
            Self::Database(_) => "database",
            Self::Json(_) | Self::UnreadableFact(_) => "json",
            Self::Internal(_) => "internal",
        }
    }

    /// The name of the violated constraint, if that is what went wrong.
    #[must_use]
    pub fn violated_constraint(&self) -> Option<&str> {
        match self {
            Self::Database(sqlx::Error::Database(e)) => e.constraint(),
            _ => None,
        }
    }

    /// What a caller is told.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Failure(failure) => failure.clone(),
            other if other.is_database_away() => Failure::new(
                Kind::Unavailable,
                "DATABASE_UNAVAILABLE",
                "the service's database cannot be reached, or takes nothing in; try again",
            )
            .retry_after(2),
            other if other.is_retryable() => Failure::new(
                Kind::Unavailable,
                "TOO_MUCH_CONTENTION",
                "too many changes of the same rows at once; try again",
            )
            .retry_after(1),
            other if other.is_given_up() => timed_out(),
            other if other.is_unstorable_value() => Failure::new(
                Kind::Invalid,
                "INVALID_VALUE",
                "a value cannot be stored: it holds a NUL character, or a date or number out of range",
            ),
            _ => Failure::new(
                Kind::Internal,
                "INTERNAL",
                "the service failed; the trace id names the log lines that say why",
            ),
        }
    }
}

/// What a caller is told whose request was given up.
pub(crate) fn timed_out() -> Failure {
    Failure::new(
        Kind::Unavailable,
        "TIMED_OUT",
        "the service took too long; with an Idempotency-Key it is safe to repeat",
    )
    .retry_after(1)
}

/// Lets `?` make a service's own error of what is the chassis's matter:
/// `platform_errors!(Error: Failure, sqlx::Error);`, for an `Error` with a variant `Platform`.
#[macro_export]
macro_rules! platform_errors {
    ($own:ident: $($source:ty),+) => {$(
        impl From<$source> for $own {
            fn from(error: $source) -> Self {
                Self::Platform(error.into())
            }
        }
    )+};
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Replay(answer) = self {
            return answer.into_response();
        }
        let failure = self.to_failure();
        if failure.kind == Kind::Internal {
            tracing::error!(error = %self, "request failed");
        } else if failure.kind == Kind::Unavailable {
            tracing::warn!(error = %self, "request refused for now");
        }
        if self.is_unstorable_value() {
            // A type at the edge should have refused it, and told which field it was.
            tracing::warn!(error = %self, "a value reached the database that it cannot hold");
        }
        let mut response = problem::response(&failure);
        if self.is_retryable() {
            response.extensions_mut().insert(crate::http::RunAgain);
        }
        if self.is_database_away() {
            response.extensions_mut().insert(crate::http::DatabaseAway);
        }
        response
    }
}
