//! What admins do with accounts and sockets.
//!
//! Routes, under `/api/admin`: `sockets`, `sockets/:id`, `users/:id/sockets`, `users/:id/ban`, `bans`;
//! the first also as `/debug/sockets`, beside the metrics. What is shown of sockets is what the hub
//! holds of those of this node; a ban is [`crate::auth`]'s. Not here: orders and drivers, whose
//! domains have a back office of their own.

pub mod requests;
pub mod routes;
pub mod service;
pub mod wire;
