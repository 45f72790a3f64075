//! Answers, and how each dialect shows them.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::layers::{RequestId, show_allowance};
use crate::caller::{bearer, query_token};
use crate::error::{Error, ErrorBody};

/// How a router shows answers and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `{success, message, data}` and `{success, message, error, requestId}`.
    Envelope,
    /// The answer itself, and `{detail, code}` (seed 002).
    V1,
    /// The answer itself, and `{error, code}`; a token that does not hold is 403 (seed 000).
    Location,
}

/// A successful answer.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    message: &'static str,
    data: T,
}

impl<T> Reply<T> {
    /// 200.
    pub const fn ok(message: &'static str, data: T) -> Self {
        Self { status: StatusCode::OK, message, data }
    }

    /// 201.
    pub const fn created(message: &'static str, data: T) -> Self {
        Self { status: StatusCode::CREATED, message, data }
    }
}

/// What a handler answered, on its way to the dialect's layer.
#[derive(Clone)]
enum Answer {
    Success { message: &'static str, data: std::sync::Arc<RawValue> },
    Failure(Error),
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match to_raw_value(&self.data) {
            Ok(data) => {
                let answer = Answer::Success { message: self.message, data: data.into() };
                let mut response = self.status.into_response();
                response.extensions_mut().insert(answer);
                response
            }
            Err(problem) => Error::internal(problem).into_response(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).expect("codes have HTTP statuses");
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allowance) = self.allowance {
            show_allowance(response.headers_mut(), allowance);
        }
        response.extensions_mut().insert(Answer::Failure(self));
        response
    }
}

impl Dialect {
    /// The dialect of a path: also of one where nothing is.
    pub(crate) fn of(path: &str) -> Self {
        let is_under = |prefix| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under("/api/v1") {
            Self::V1
        } else if path == "/login" || is_under("/driver") {
            Self::Location
        } else {
            Self::Envelope
        }
    }

    /// The layer that writes the answers of all handlers, each in its dialect.
    pub async fn show(request: Request, next: Next) -> Response {
        let dialect = Self::of(request.uri().path());
        let id = request.extensions().get::<RequestId>().cloned();
        // Who logs in shows a password; a token beside it is not looked at.
        let has_token = request.uri().path() != "/login"
            && (bearer(request.headers()).is_some()
                || query_token(request.uri().query()).is_some());
        let mut response = next.run(request).await;
        let Some(answer) = response.extensions_mut().remove::<Answer>() else { return response };
        let body = match dialect {
            Self::Envelope => envelope(&answer, id.as_ref()),
            Self::V1 => bare(&answer, v1_failure),
            Self::Location => bare(&answer, location_failure),
        };
        let (mut head, _) = response.into_parts();
        if dialect == Self::Location && has_token && head.status == StatusCode::UNAUTHORIZED {
            head.status = StatusCode::FORBIDDEN;
        }
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::CONTENT_TYPE);
        let mut shown = body.into_response();
        *shown.status_mut() = head.status;
        *shown.extensions_mut() = head.extensions;
        shown.headers_mut().extend(named(head.headers));
        shown
    }
}

fn named(headers: axum::http::HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.into_iter().filter_map(|(name, value)| Some((name?, value)))
}

fn envelope(answer: &Answer, id: Option<&RequestId>) -> Response {
    #[derive(Serialize)]
    struct Success<'a> {
        success: bool,
        message: &'a str,
        data: &'a RawValue,
    }
    match answer {
        Answer::Success { message, data } => {
            Json(Success { success: true, message, data }).into_response()
        }
        Answer::Failure(error) => Json(json!({
            "success": false,
            "message": error.message,
            "error": ErrorBody::from(error),
            "requestId": id.map(RequestId::as_str),
        }))
        .into_response(),
    }
}

fn bare(answer: &Answer, failure: fn(&Error) -> Value) -> Response {
    match answer {
        Answer::Success { data, .. } => Json(data).into_response(),
        Answer::Failure(error) => Json(failure(error)).into_response(),
    }
}

fn v1_failure(error: &Error) -> Value {
    let mut body = json!({ "detail": error.message, "code": error.code });
    if !error.details.is_empty() {
        body["details"] = json!(error.details);
    }
    body
}

fn location_failure(error: &Error) -> Value {
    json!({ "error": error.message, "code": error.code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_dialect_of_its_clients() {
        for (path, dialect) in [
            ("/api/v1", Dialect::V1),
            ("/api/v1/orders/1", Dialect::V1),
            ("/api/v10", Dialect::Envelope),
            ("/login", Dialect::Location),
            ("/driver/update", Dialect::Location),
            ("/drivers", Dialect::Envelope),
            ("/api/auth/login", Dialect::Envelope),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
    }
}
