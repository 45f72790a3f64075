//! The realtime layer with nothing but an echo behind it, and no accounts: for pointing protocol
//! suites and new clients at.
//!
//! ```text
//! cargo run --example echo -- --port 3000 --ping-interval 300ms --ping-timeout 200ms
//! ```
//!
//! In the namespaces `/` and `/custom`: a socket is sent `auth` with what it showed when it
//! connected; `message` comes back as `message-back`; `message-with-ack` comes back in its ack. As
//! everywhere in waggle, an event carries one JSON payload, and an ack is an object with `ok`.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use clap::Parser;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use waggle::clock::Clock;
use waggle::config::{AddressRange, Config, Problems, Vars};
use waggle::error::Result;
use waggle::limits::Limits;
use waggle::net::address::client_address;
use waggle::net::server::Acceptor;
use waggle::realtime::events::{Dispatcher, Done, EventTable, ServerEvent};
use waggle::realtime::hub::Hub;
use waggle::realtime::relay::local::Local;
use waggle::realtime::session::Session;
use waggle::realtime::socketio::Door;
use waggle::telemetry;

const AUTH: ServerEvent<Value> = ServerEvent::reliable("auth", &[]);
const MESSAGE_BACK: ServerEvent<Value> = ServerEvent::reliable("message-back", &[]);

/// An echo over Socket.IO.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "3000")]
    port: String,
    /// How often a client is asked for a sign of life.
    #[arg(long, default_value = "25s")]
    ping_interval: String,
    /// How long a client may take to give it.
    #[arg(long, default_value = "20s")]
    ping_timeout: String,
    /// How long a client may take to join a namespace.
    #[arg(long, default_value = "10s")]
    connect_timeout: String,
}

impl Arguments {
    fn config(&self) -> std::result::Result<Config, Problems> {
        Config::from_vars(Vars::from_pairs(&[
            ("HOST", "127.0.0.1"),
            ("PORT", &self.port),
            ("PING_INTERVAL", &self.ping_interval),
            ("PING_TIMEOUT", &self.ping_timeout),
            ("CONNECT_TIMEOUT", &self.connect_timeout),
        ]))
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let config = Arguments::parse().config()?;
    let _telemetry = telemetry::start_logging(&config.log);
    let (acceptor, listeners) =
        Acceptor::bind(config.listen.host, &config.listen.ports, None, &[]).await?;
    let hub = Hub::new(Box::new(Local), config.sockets.parser, &Clock::system());
    acceptor.serve(listeners, &router(&config, &hub), &config.sockets);
    tracing::info!(addresses = ?acceptor.addresses(), "echo is serving");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn router(config: &Config, hub: &Arc<Hub>) -> Router {
    let no_proxies: Arc<[AddressRange]> = Arc::new([]);
    let limits = Arc::new(Limits::new(&config.rates, hub.clock()));
    let dispatcher = Dispatcher::new(vec![echo(hub)], hub, &limits);
    Door::new(&dispatcher, hub, None, config.cors.clone(), &config.sockets)
        .router(&config.sockets)
        .layer(from_fn_with_state(no_proxies, client_address))
}

/// Its namespace is `/custom`; `/` has the events of every namespace.
fn echo(hub: &Arc<Hub>) -> EventTable {
    let (greeter, sender) = (hub.clone(), hub.clone());
    EventTable::new(&["/custom"], &["error"])
        .on_connect(move |session, auth| greet(greeter.clone(), session, auth))
        .on("message", "Comes back as `message-back`.", move |session, payload| {
            send_back(sender.clone(), session, payload)
        })
        .on("message-with-ack", "Comes back in its ack.", |_, payload| acknowledge(payload))
        .emits(&AUTH, "What the socket showed when it connected.")
        .emits(&MESSAGE_BACK, "A `message`.")
}

async fn greet(hub: Arc<Hub>, session: Arc<Session>, auth: Value) {
    let shown = if auth.is_null() { json!({}) } else { auth };
    hub.send_first(&session, &AUTH, &shown);
}

async fn send_back(hub: Arc<Hub>, session: Arc<Session>, payload: Value) -> Result<Done> {
    hub.send(&session, &MESSAGE_BACK, &payload);
    Ok(Done {})
}

/// The ack of `message-with-ack`.
#[derive(Serialize, ToSchema)]
struct Acknowledged {
    /// What was sent.
    payload: Value,
}

async fn acknowledge(payload: Value) -> Result<Acknowledged> {
    Ok(Acknowledged { payload })
}
