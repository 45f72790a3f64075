//! The pages for people, compiled in: the test client at `/`; an order, a driver, or all
//! drivers on a map at `/map.html`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Serialize;

use crate::config::{DispatchMode, OrderConfig};
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "test-client/"]
#[include = "*.html"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
struct Files;

/// What the pages have to know of the server: `GET /page-config.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PageConfig {
    /// Where maps get their background, with `{z}`, `{x}` and `{y}`.
    tile_url: Option<String>,
    /// ISO 4217.
    currency: String,
    dispatch_mode: &'static str,
}

#[derive(Debug)]
struct Pages {
    config: PageConfig,
    policy: HeaderValue,
}

/// The routes of the pages.
pub fn router(config: &OrderConfig) -> Router {
    let pages = Pages {
        config: PageConfig {
            tile_url: config.map_tiles.clone(),
            currency: config.currency.as_str().to_owned(),
            dispatch_mode: match config.dispatch {
                DispatchMode::Broadcast => "broadcast",
                DispatchMode::Nearest => "nearest",
            },
        },
        policy: policy(config.map_tiles.as_deref()),
    };
    let page =
        |name: &'static str| get(async move |State(pages): State<Arc<Pages>>| pages.file(name));
    Router::new()
        .route("/", page("text-client.html"))
        .route("/text-client.html", page("text-client.html"))
        .route("/text-client.js", page("text-client.js"))
        .route("/text-client.css", page("text-client.css"))
        .route("/orders.css", page("orders.css"))
        .route("/admin.css", page("admin.css"))
        .route("/map.html", page("map.html"))
        .route("/map.js", page("map.js"))
        .route("/map.css", page("map.css"))
        .route("/favicon.svg", page("favicon.svg"))
        .route("/text-client/{name}", get(part))
        .route("/page-config.json", get(page_config))
        .with_state(Arc::new(pages))
}

async fn part(State(pages): State<Arc<Pages>>, Path(name): Path<String>) -> Response {
    pages.file(&format!("text-client/{name}"))
}

async fn page_config(State(pages): State<Arc<Pages>>) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(&pages.config)).into_response()
}

impl Pages {
    fn file(&self, name: &str) -> Response {
        let Some(EmbeddedFile { data, metadata }) = Files::get(name) else {
            return Error::not_found("There is nothing here").into_response();
        };
        let headers: [(HeaderName, HeaderValue); 3] = [
            (header::CONTENT_TYPE, content_type(metadata.mimetype())),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
        ];
        (headers, data).into_response()
    }
}

/// The pages may talk to any server, as their address field says, show the tiles of a map where
/// there are some, and run nothing but their own files.
fn policy(tiles: Option<&str>) -> HeaderValue {
    let images = tiles.and_then(tile_source).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; connect-src 'self' http: https: ws: wss:; img-src 'self' data:{images}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("an origin is checked to have no control characters")
}

/// Where tiles come from, as a policy names it, after a space; `{s}` stands for any subdomain.
fn tile_source(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?.replace("{s}", "*");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:*[]".contains(&byte);
    let is_known = matches!(scheme, "http" | "https") && !host.is_empty();
    (is_known && host.bytes().all(plain)).then(|| format!(" {scheme}://{host}"))
}

fn content_type(mime: &str) -> HeaderValue {
    let text =
        if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(tiles: Option<&str>) -> String {
        let policy = policy(tiles).to_str().unwrap().to_owned();
        let images = policy.split("; ").find_map(|part| part.strip_prefix("img-src "));
        images.unwrap().to_owned()
    }

    #[test]
    fn images_come_from_the_host_of_the_tiles_and_no_other() {
        assert_eq!(images(None), "'self' data:");
        let shown = images(Some("https://tiles.example.org:8080/{z}/{x}/{y}.png?key=1"));
        assert_eq!(shown, "'self' data: https://tiles.example.org:8080");
        let shown = images(Some("https://{s}.example.org/{z}/{x}/{y}.png"));
        assert_eq!(shown, "'self' data: https://*.example.org");
    }

    #[test]
    fn a_strange_address_of_tiles_opens_nothing() {
        for url in
            ["https://a b/{z}", "https://x;script-src */{z}/{x}/{y}", "httpx://a/{z}", "http"]
        {
            assert_eq!(images(Some(url)), "'self' data:", "{url}");
        }
    }
}
