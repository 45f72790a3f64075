//! What stands in front of every REST handler: request ids, the client's address, a log line,
//! contained panics, and rate limits with their headers.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response as HttpResponse};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use tracing::field::Empty;

use crate::caller::Caller;
use crate::error::{Allowance, Error, Result};
use crate::limits::{Limits, PerAddress};
use crate::net::address::ClientAddress;
use crate::telemetry::{self, OneOfMany};

/// Characters of a path, and of a method, that are logged: anybody may send long ones, and many
/// lines may wait to be written.
const SHOWN_OF_PATH: usize = 256;
const SHOWN_OF_METHOD: usize = 16;

/// The status in logs and metrics of a request whose connection ended before the answer (nginx's).
const HUNG_UP: u16 = 499;

/// What a request is called in logs and error answers.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Gives each request an id: the client's `X-Request-Id` when it is short and plain, else a new one.
/// Every line that is logged for the request has it, and the user once that is known.
pub async fn request_id(mut request: Request, next: Next) -> Response {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let given = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).filter(plain);
    let id: Arc<str> =
        given.map_or_else(|| format!("{:016x}", rand::random::<u64>()).into(), Into::into);
    request.extensions_mut().insert(RequestId(id.clone()));
    // Of the highest level, so that it is there for whatever is logged.
    let span = tracing::error_span!("http", request = &*id, user = Empty);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Writes one line for each request, without its query (tokens stand there).
pub async fn log_requests(request: Request, next: Next) -> Response {
    let mut line = Line::begin(&request);
    let response = next.run(request).await;
    line.status = response.status().as_u16();
    line.is_one_of_many |= response.extensions().get::<OneOfMany>().is_some();
    response
}

/// The line of a request: written when it is answered, or when nobody waits for an answer any more.
/// What polls, and what hangs up, may be very many: their lines are at `debug`.
struct Line {
    started: Instant,
    method: String,
    path: String,
    route: Option<MatchedPath>,
    status: u16,
    is_one_of_many: bool,
}

impl Line {
    /// Of a client that hangs up, until it is answered.
    fn begin(request: &Request) -> Self {
        let begin = |text: &str, most| text.chars().take(most).collect::<String>();
        Self {
            started: Instant::now(),
            method: begin(request.method().as_str(), SHOWN_OF_METHOD),
            path: begin(request.uri().path(), SHOWN_OF_PATH),
            route: request.extensions().get::<MatchedPath>().cloned(),
            status: HUNG_UP,
            is_one_of_many: request.uri().path().starts_with("/socket.io"),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { started, method, path, route, status, is_one_of_many } = self;
        if std::thread::panicking() {
            *status = 500;
        }
        telemetry::answered(method, route.as_ref().map(MatchedPath::as_str), path, *status);
        metrics::counter!("waggle_http_requests_total", "status" => status.to_string())
            .increment(1);
        let ms = started.elapsed().as_millis() as u64;
        if *is_one_of_many || *status == HUNG_UP {
            tracing::debug!(%method, %path, status, ms, "request");
        } else {
            tracing::info!(%method, %path, status, ms, "request");
        }
    }
}

/// Finishes requests that change something, also when the client hangs up before the answer: what
/// was half done would stay so.
pub async fn detached(State(work): State<TaskTracker>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let answer = work.spawn(next.run(request).in_current_span()).await;
    answer.unwrap_or_else(|problem| Error::internal(problem).into_response())
}

/// Turns a panic into `internal`.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands over a box")]
pub fn contain_panics(cause: Box<dyn std::any::Any + Send>) -> HttpResponse<Body> {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
    Error::internal(text.as_deref().unwrap_or("a panic without a text")).into_response()
}

/// Lets an address that was refused too much wait for its answers.
pub async fn slow_refusals(
    State(limits): State<Arc<Limits>>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_client_error() && limits.refused_requests.pause(address).await {
        response.extensions_mut().insert(OneOfMany);
    }
    response
}

/// Limits a route by the client's address.
pub async fn by_address(
    State((limits, limiter)): State<(Arc<Limits>, PerAddress)>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let limiter = limiter(&limits);
    let checked = limiter.check(&address.network());
    limited(checked, request, next).await
}

/// Limits the requests of a user that change something; needs a token, as the routes behind do.
pub async fn by_user(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let caller = match Caller::from_request_parts(&mut parts, &()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let limiter = &limits.rest_writes;
    let checked = limiter.check(&caller.user);
    limited(checked, Request::from_parts(parts, body), next).await
}

/// A refusal by a limit behind this one shows that one.
async fn limited(checked: Result<Option<Allowance>>, request: Request, next: Next) -> Response {
    match checked {
        Err(error) => error.into_response(),
        Ok(allowance) => {
            let mut response = next.run(request).await;
            if let Some(allowance) = allowance
                && !response.headers().contains_key(LIMIT)
            {
                show_allowance(response.headers_mut(), allowance);
            }
            response
        }
    }
}

/// The header that says how many are allowed.
const LIMIT: &str = "x-ratelimit-limit";

/// Says in headers what a caller has left of a limit.
pub(super) fn show_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    headers.insert(LIMIT, HeaderValue::from(allowance.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(allowance.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(allowance.reset.seconds()));
}
