//! The Socket.IO door: admission before the client hears that it is connected, one handler for
//! all events of a socket, and the engine's gaps closed (FACTS §0, §1).

mod admission;
mod front;
mod link;
mod polls;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;
use socketioxide::{ParserConfig, SocketIo, SocketIoBuilder};
use tower::ServiceExt;

use super::events::Dispatcher;
use super::gate::Gate;
use super::hub::Hub;
use super::transports::Transports;
use crate::config::{CorsOrigins, SocketConfig, SocketParser};

use admission::{Handshake, open};
use polls::Engine;

/// What the door needs to let sockets in.
pub struct Door {
    hub: Arc<Hub>,
    dispatcher: Arc<Dispatcher>,
    /// `None`: whoever comes is let in, as the `echo` example does.
    gate: Option<Gate>,
    transports: Arc<Transports>,
    origins: CorsOrigins,
    event_queue: usize,
    /// How long a transport may stay without a socket.
    patience: Duration,
}

impl Door {
    /// A door to the namespaces of `dispatcher`.
    pub fn new(
        dispatcher: &Arc<Dispatcher>,
        hub: &Arc<Hub>,
        gate: Option<Gate>,
        origins: CorsOrigins,
        config: &SocketConfig,
    ) -> Arc<Self> {
        Arc::new(Self {
            hub: hub.clone(),
            dispatcher: dispatcher.clone(),
            gate,
            transports: Arc::new(Transports::new(hub.clock())),
            origins,
            event_queue: config.event_queue,
            patience: config.connect_timeout,
        })
    }

    /// The routes under `/socket.io`.
    pub fn router(self: &Arc<Self>, config: &SocketConfig) -> Router {
        let (service, io) = engine(config).build_svc();
        for namespace in self.dispatcher.namespaces().filter(|name| name.starts_with('/')) {
            let (admitting, opening) = (self.clone(), self.clone());
            let admit = move |handshake: Handshake| {
                let door = admitting.clone();
                async move { door.admit(handshake, namespace).await }
            };
            let connected = move |socket: SocketRef, handshake: Handshake| {
                open(&opening, &socket, handshake);
                async {}
            };
            io.ns(namespace, connected.with(admit));
        }
        let engine =
            ServiceExt::<Request>::map_response(service.clone(), IntoResponse::into_response);
        let front = front::Front { door: self.clone(), engine: Engine::new(engine) };
        Router::new()
            .route_service("/socket.io", service.clone())
            .route_service("/socket.io/", service)
            .layer(from_fn_with_state(front, front::guard))
            .merge(front::client_bundles())
    }
}

fn engine(config: &SocketConfig) -> SocketIoBuilder {
    let builder = SocketIo::builder()
        .req_path("/socket.io")
        .ping_interval(config.ping_interval)
        .ping_timeout(config.ping_timeout)
        .connect_timeout(config.connect_timeout)
        .max_buffer_size(config.send_buffer)
        .max_payload(config.max_packet as u64)
        .ws_max_message_size(config.max_packet)
        .ws_max_frame_size(config.max_packet)
        .ws_read_buffer_size(1024);
    match config.parser {
        SocketParser::Common => {
            builder.with_parser(ParserConfig::common().max_incoming_binaries(10))
        }
        SocketParser::Msgpack => builder.with_parser(ParserConfig::msgpack()),
    }
}
