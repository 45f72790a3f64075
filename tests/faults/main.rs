//! What waggle promises when things break: processes killed, databases gone, disks full, lines slow
//! or dead, clients that do not read, do not wait, or send rubbish. Each test starts the built
//! server as a process of its own, hurts it or its surroundings, and counts what became of every
//! message ([`tally`]).
//!
//! One test runs at a time, whatever the runner does ([`setting::turn`]). MongoDB is started by
//! `tests/mongod.sh`, a server for each test that needs one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod ledger;
mod load;
mod orders;
mod persistent;
mod polling;
mod proxy;
mod receiver;
mod setting;
mod stored;
mod tally;

mod abandoned_polls;
mod bad_bytes;
mod bad_connects;
mod bad_lines;
mod bad_lines_to_drivers;
mod bad_lines_to_mongod;
mod bad_values;
mod bursts;
mod clock_jumps;
mod disk_full;
mod disk_full_mongod;
mod failover;
mod freeze_server;
mod idle_connections;
mod kill_drivers;
mod kill_mongod;
mod kill_server;
mod shutdown;
mod slow_reader;
mod vanishing;
