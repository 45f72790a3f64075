//! What waggle promises when things break: processes killed, databases gone, disks full, clients
//! that do not read, do not wait, or send rubbish. Each test starts the built server as a process
//! of its own, hurts it or its surroundings, and counts what became of every message.
//!
//! One test runs at a time, whatever the runner does ([`setting::turn`]). MongoDB is started by
//! `tests/mongod.sh`, a server for each test that needs one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod ledger;
mod load;
mod polling;
mod setting;

mod abandoned_polls;
mod bad_bytes;
mod bad_connects;
mod bad_values;
mod bursts;
mod disk_full;
mod idle_connections;
mod kill_drivers;
mod kill_mongod;
mod kill_server;
mod shutdown;
mod slow_reader;
mod vanishing;
