//! Connections: the accept loop and its guarded IO, TLS, and whose address stands behind a request.
//! Knows neither sockets nor routes; [`crate::realtime`] and [`crate::rest`] stand on it.

pub mod address;
pub mod connection;
mod guard;
pub mod server;
mod slots;
pub mod tls;
