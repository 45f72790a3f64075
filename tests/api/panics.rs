//! A defect in the handler of an event or of a connect, behind the doors and the dispatcher of the
//! server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use serde_json::{Value, json};
use waggle::clock::Clock;
use waggle::config::{AddressRange, Config, Vars};
use waggle::limits::Limits;
use waggle::net::address::client_address;
use waggle::net::server::Acceptor;
use waggle::realtime::events::{Dispatcher, Done, EventTable, Nothing};
use waggle::realtime::hub::Hub;
use waggle::realtime::relay::local::Local;
use waggle::realtime::session::Session;
use waggle::realtime::socketio::Door;

use crate::support::server::run_embedded;
use crate::support::{Server, Socket};

async fn panic_at_connect(_: Arc<Session>, auth: Value) {
    assert_eq!(auth["panic"], false, "a defect in a connect handler");
}

async fn panic(_: Arc<Session>, _: Nothing) -> waggle::error::Result<Done> {
    panic!("a defect in an event handler")
}

async fn work(_: Arc<Session>, _: Nothing) -> waggle::error::Result<Done> {
    Ok(Done {})
}

/// Serves events of which one panics, in the place of a server that is stopped.
async fn serve(server: &Server) -> Acceptor {
    let config = Config::from_vars(Vars::from_pairs(&[])).unwrap();
    let hub = Hub::new(Box::new(Local), config.sockets.parser, &Clock::system());
    let limits = Arc::new(Limits::new(&config.rates, &Clock::system()));
    let table = EventTable::new(&["/defects"], &["error"])
        .on_connect(panic_at_connect)
        .on("panic", "Panics.", panic)
        .on("work", "Does nothing.", work);
    let proxies: Arc<[AddressRange]> = Arc::new([]);
    let router = Door::new(
        &Dispatcher::new(vec![table], &hub, &limits),
        &hub,
        None,
        config.cors.clone(),
        &config.sockets,
    )
    .router(&config.sockets)
    .layer(from_fn_with_state(proxies, client_address));
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (acceptor, listeners) = Acceptor::bind(here, &[0], None, &[]).await.unwrap();
    acceptor.serve(listeners, &router, &config.sockets);
    server.stand_for(acceptor.addresses()[0].port());
    acceptor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_its_event_alone_and_is_not_shown() {
    run_embedded(&[], async |server| {
        server.stop().await;
        let _acceptor = serve(server).await;
        for at_connect in [false, true] {
            let auth = json!({ "panic": at_connect });
            let mut socket = Socket::connect(server, "/defects", &auth).await;
            for _ in 0..3 {
                let error = socket.refused("panic", &json!({}), "internal").await;
                assert!(!error.to_string().contains("defect"), "{error}");
                socket.done("work", &json!({})).await;
            }
        }
    })
    .await;
}
