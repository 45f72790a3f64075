//! Sockets of every kind, knowing no domain: how connections are accepted and cut, how events are
//! decoded and dispatched, and how what a service emits reaches its audience.
//!
//! [`server`] accepts and guards connections, [`socketio`] is the Socket.IO door, [`events`] the
//! table of what a domain understands and emits, [`session`] one connected socket, [`hub`] the
//! way to everybody, [`relay`] the way to other nodes.

pub mod events;
mod guard;
pub mod hub;
pub mod relay;
pub mod server;
pub mod session;
pub mod socketio;
mod transports;
