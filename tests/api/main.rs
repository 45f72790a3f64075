//! The server from outside: REST and Socket.IO through real sockets, on every store.
//!
//! The tests on MongoDB need a server: `WAGGLE_TEST_MONGODB_URI`, which tests/run.sh sets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[macro_use]
mod support;

mod access;
mod accounts;
mod admin;
mod at_rest;
mod chat;
mod connections;
mod decoders;
mod doors;
mod drivers;
mod engine_ids;
mod extending;
mod hashing;
mod headers;
mod history;
mod idempotence;
mod inbox;
mod limits;
mod logs;
mod matrix;
mod operations;
mod operators;
mod orders;
mod orders_model;
mod panics;
mod passwords;
mod personal;
mod polling;
mod presence;
mod process;
mod profiles;
mod reading;
mod requests;
mod rooms;
mod rooms_model;
mod sessions;
mod shutdown;
mod sizes;
mod slow;
mod sync;
mod sync_on_connect;
mod text;
mod tokens;
mod typing;
mod users;
