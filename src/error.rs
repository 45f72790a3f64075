//! What can go wrong, in stable words (CONTRACT §1): one [`Error`], one [`Code`] each, and what
//! every door shows of it. A driver's error becomes `internal` or `unavailable`, is logged once
//! where it is converted, and its text never reaches a client.

mod reading;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;

/// What all of a request is called where a field would be named.
pub const WHOLE: &str = "payload";

/// The result of everything that can fail in front of a client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The stable word for a failure, the same in REST, Socket.IO and raw WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request was understood and one of its values is not allowed; `details` name them.
    ValidationFailed,
    /// The request could not be read at all.
    Malformed,
    /// No token, or one that is not valid.
    Unauthenticated,
    /// A token that was valid once.
    TokenExpired,
    /// Known, and not allowed.
    Forbidden,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// It contradicts what is stored.
    Conflict,
    /// The body is over the limit.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Too many of these in too short a time.
    RateLimited,
    /// The server cannot do this now; the same request may succeed later.
    Unavailable,
    /// A defect of the server.
    Internal,
}

impl Code {
    /// The HTTP status that belongs to the word.
    pub const fn status(self) -> u16 {
        match self {
            Self::ValidationFailed | Self::Malformed => 400,
            Self::Unauthenticated | Self::TokenExpired => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The word itself.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation_failed",
            Self::Malformed => "malformed",
            Self::Unauthenticated => "unauthenticated",
            Self::TokenExpired => "token_expired",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// One value that is not allowed, by the name the client gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field, as the wire names it.
    pub field: Cow<'static, str>,
    /// What it must be.
    pub message: String,
}

/// What a caller has left of a limit, as the `X-RateLimit-*` headers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many are allowed in a window.
    pub limit: u32,
    /// How many of them are left now.
    pub remaining: u32,
    /// When all of them are back.
    pub reset: Timestamp,
}

/// A failure as clients may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The stable word.
    pub code: Code,
    /// A sentence for people; never with inner detail.
    pub message: Cow<'static, str>,
    /// With [`Code::ValidationFailed`]: every value that is not allowed.
    pub details: Vec<FieldError>,
    /// With [`Code::RateLimited`] and [`Code::Unavailable`]: when to try again.
    pub retry_after: Option<Duration>,
    /// With [`Code::RateLimited`]: of which limit, and what the caller has left of it.
    pub allowance: Option<Allowance>,
}

impl Error {
    fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            allowance: None,
        }
    }

    /// Values that are not allowed.
    pub fn validation(details: Vec<FieldError>) -> Self {
        let message = match details.first() {
            Some(first) => format!("{} {}", first.field, first.message).into(),
            None => Cow::Borrowed("The request is not valid"),
        };
        Self { details, ..Self::new(Code::ValidationFailed, message) }
    }

    /// One value that is not allowed.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// The same, of a part of what the client sent: `part.field` is wrong, or `part` itself.
    pub fn within(self, part: &str) -> Self {
        if self.code != Code::ValidationFailed {
            return self;
        }
        let within = |FieldError { field, message }| {
            let is_whole = field == WHOLE;
            let field = if is_whole { part.to_owned() } else { format!("{part}.{field}") };
            FieldError { field: field.into(), message }
        };
        Self::validation(self.details.into_iter().map(within).collect())
    }

    /// A request that could not be read.
    pub fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Malformed, message)
    }

    /// No token, or none that holds.
    pub fn unauthenticated(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Unauthenticated, message)
    }

    /// A token past its time.
    pub fn token_expired() -> Self {
        Self::new(Code::TokenExpired, "The token has expired")
    }

    /// Known, and not allowed.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// Not there, or not for this caller.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// Contradicts what is stored.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// A body over the limit.
    pub fn payload_too_large() -> Self {
        Self::new(Code::PayloadTooLarge, "The body is too large")
    }

    /// A body that does not claim to be JSON.
    pub fn unsupported_media_type() -> Self {
        Self::new(Code::UnsupportedMediaType, "The body must be application/json")
    }

    /// Too many in too short a time.
    pub fn rate_limited(retry_after: Duration, allowance: Option<Allowance>) -> Self {
        Self {
            retry_after: Some(retry_after),
            allowance,
            ..Self::new(Code::RateLimited, "Too many requests, slow down")
        }
    }

    /// Not now.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Code::Unavailable, message) }
    }

    /// A defect. `cause` is logged here, once, and shown to nobody.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(Code::Internal, "Something went wrong")
    }

    /// Seconds until a retry makes sense, rounded up, for `Retry-After` and `retryAfter`.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_millis().div_ceil(1000).max(1) as u64)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.word(), self.message)
    }
}

impl std::error::Error for Error {}

/// An error as it stands in an envelope and in an ack: `{code, message, details?, retryAfter?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody<'a> {
    /// The stable word.
    pub code: Code,
    /// A sentence for people.
    pub message: &'a str,
    /// With `validation_failed`: which fields, and what they must be.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub details: &'a [FieldError],
    /// With `rate_limited` and `unavailable`: seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// With `rate_limited`: how many are left now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u32>,
}

impl<'a> From<&'a Error> for ErrorBody<'a> {
    fn from(error: &'a Error) -> Self {
        Self {
            code: error.code,
            message: &error.message,
            details: &error.details,
            retry_after: error.retry_after_seconds(),
            remaining: (error.code == Code::RateLimited)
                .then(|| error.allowance.map_or(0, |allowance| allowance.remaining)),
        }
    }
}

pub use reading::{Fields, Object, from_json, from_value, object};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_never_told_to_come_at_once() {
        let after = |millis| Error::rate_limited(Duration::from_millis(millis), None);
        assert_eq!(after(1).retry_after_seconds(), Some(1));
        assert_eq!(after(1001).retry_after_seconds(), Some(2));
    }
}
