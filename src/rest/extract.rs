//! Reading requests: bodies, query parameters, ids in paths, who calls, from where.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::caller::{Caller, CheckToken, bearer, query_token};
use crate::error::{Error, WHOLE, from_json};
use crate::net::connection::Connection;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body.
pub struct Body<T>(pub T);

/// A JSON body that may be missing; then it is the default.
pub struct OptionalBody<T>(pub T);

/// Query parameters. A parameter given twice or not readable is `validation_failed`.
pub struct Params<T>(pub T);

/// The only id in a path.
pub struct PathId<T>(pub T);

/// The two ids in a path.
pub struct PathIds<A, B>(pub A, pub B);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let json = claims_json(request.headers());
        let bytes = read(request, state).await?;
        if !json {
            return Err(Error::unsupported_media_type());
        }
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let json = claims_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !json {
            return Err(Error::unsupported_media_type());
        }
        parse(&bytes).map(Self)
    }
}

/// Reads the body. Whoever had to show a token before it is checked again behind it: the session may
/// have ended while the body came, the account may be banned or erased, and what was let in before
/// must not be done then.
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    let (parts, body) = request.into_parts();
    let again = parts.extensions.get::<Caller>().is_some().then(|| parts.clone());
    let request = Request::from_parts(parts, body);
    let read = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await;
    let read = read.map_err(|_| Error::malformed("The body did not come in time"))?;
    let bytes = read.map_err(|rejection| match rejection.status().as_u16() {
        413 => Error::payload_too_large(),
        _ => Error::malformed("The body could not be read"),
    })?;
    if let Some(again) = again {
        check(&again).await?;
    }
    Ok(bytes)
}

/// Every body is an object; serde would read one from an array as well.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return from_json(bytes);
    }
    from_json::<IgnoredAny>(bytes)?;
    Err(Error::invalid(WHOLE, "must be an object"))
}

/// `application/json` and `application/*+json` (RFC 6839).
fn claims_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let subtype = essence.to_ascii_lowercase();
    subtype.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"))
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(problem) => Err(Error::invalid("query", problem.body_text())),
        }
    }
}

impl<S: Send + Sync, T: FromStr<Err: fmt::Display>> FromRequestParts<S> for PathId<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = text.map_err(|_| Error::not_found("There is nothing here"))?;
        id(&text).map(Self)
    }
}

impl<S, A, B> FromRequestParts<S> for PathIds<A, B>
where
    S: Send + Sync,
    A: FromStr<Err: fmt::Display>,
    B: FromStr<Err: fmt::Display>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let texts = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) = texts.map_err(|_| Error::not_found("There is nothing here"))?;
        Ok(Self(id(&one)?, id(&other)?))
    }
}

fn id<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|problem: T::Err| Error::invalid("id", problem.to_string()))
}

/// Who calls, by the token that the head of the request shows.
async fn check(head: &Parts) -> Result<Caller, Error> {
    let check = head.extensions.get::<Arc<dyn CheckToken>>().cloned();
    let check = check.ok_or_else(|| Error::internal("the token layer is missing"))?;
    let token = bearer(&head.headers).or_else(|| query_token(head.uri.query()));
    let token = token.ok_or_else(|| Error::unauthenticated("No token provided"))?;
    check.check_token(&token).await
}

/// Whoever calls must show a token that holds: in `Authorization: Bearer`, or as `?token=`.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(*caller);
        }
        let caller = check(parts).await?;
        tracing::Span::current().record("user", tracing::field::display(caller.user));
        if let Some(connection) = parts.extensions.get::<Arc<Connection>>() {
            connection.recognise();
        }
        parts.extensions.insert(caller);
        Ok(caller)
    }
}
