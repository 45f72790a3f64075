//! What stands in front of routes, in front of routes that panic.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::routing::get;
use reqwest::{Client, Method};
use serde_json::Value;

use super::*;
use crate::clock::Clock;
use crate::config::{SocketParser, Vars};
use crate::net::server::Acceptor;
use crate::realtime::relay::local::Local;

async fn panics() -> &'static str {
    panic!("a defect in a handler")
}

/// Serves routes of which one panics.
async fn serve() -> (SocketAddr, Acceptor) {
    let config = Config::from_vars(Vars::from_pairs(&[])).unwrap();
    let hub = Hub::new(Box::new(Local), SocketParser::Common, &Clock::system());
    let routes = Router::new()
        .route("/panics", get(panics).post(panics))
        .route("/works", get(async || "fine").post(async || "fine"));
    let router = in_front(contained(routes, &hub).layer(from_fn(Dialect::show)));
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (acceptor, listeners) = Acceptor::bind(here, &[0], None, &[]).await.unwrap();
    acceptor.serve(listeners, &router, &config.sockets);
    (acceptor.addresses()[0], acceptor)
}

#[tokio::test]
async fn a_panic_ends_its_request_alone_and_is_not_shown() {
    let (address, _acceptor) = serve().await;
    let client = Client::new();
    for method in [Method::GET, Method::POST, Method::GET] {
        let ask = async |path: &str| {
            let asked = client.request(method.clone(), format!("http://{address}{path}"));
            asked.send().await.unwrap()
        };
        let answer = ask("/panics").await;
        assert_eq!(answer.status(), 500);
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "internal", "{body}");
        assert!(!body.to_string().contains("defect"), "{body}");
        let answer = ask("/works").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), "fine");
    }
}
