//! One suite, every store: what the store traits promise, checked on each implementation.
//!
//! The tests on MongoDB need a server: `WAGGLE_TEST_MONGODB_URI`, which tests/run.sh sets.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[macro_use]
mod fixture;
mod embedded;
mod mongo;

mod accounts;
mod appending;
mod bans;
mod directory;
mod drivers;
mod inbox;
mod logins;
mod orders;
mod personal;
mod presence;
mod reading;
mod repeats;
mod room_messages;
mod room_reads;
mod rooms;
mod throughput;
mod tokens;
