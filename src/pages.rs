//! The pages for people: the test client at `/`, compiled in.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "test-client/"]
#[include = "*.html"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
struct Files;

/// The page may talk to any server, as its address field says, and runs nothing but its own files.
const POLICY: &str = "default-src 'self'; connect-src 'self' http: https: ws: wss:; img-src 'self' data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the pages.
pub fn router() -> Router {
    Router::new()
        .route("/", get(async || file("text-client.html")))
        .route("/text-client.html", get(async || file("text-client.html")))
        .route("/text-client.js", get(async || file("text-client.js")))
        .route("/text-client.css", get(async || file("text-client.css")))
        .route(
            "/text-client/{name}",
            get(async |Path(name): Path<String>| file(&format!("text-client/{name}"))),
        )
        .route("/favicon.svg", get(async || file("favicon.svg")))
}

fn file(name: &str) -> Response {
    let Some(EmbeddedFile { data, metadata }) = Files::get(name) else {
        return Error::not_found("There is nothing here").into_response();
    };
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, content_type(metadata.mimetype())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, data).into_response()
}

fn content_type(mime: &str) -> HeaderValue {
    let text =
        if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
