//! Sockets of every kind, knowing no domain: how they are let in and cut, how events are decoded
//! and dispatched, and how what a service emits reaches its audience.
//!
//! [`socketio`] is the Socket.IO door, [`websocket`] what the raw WebSocket doors share, [`gate`]
//! what every door asks first, [`events`] the
//! table of what a domain understands and emits, [`session`] one connected socket, [`hub`] the
//! way to everybody, [`relay`] the way to other nodes.

pub mod events;
pub mod gate;
pub mod hub;
pub mod relay;
pub mod session;
pub mod socketio;
mod transports;
pub mod websocket;
