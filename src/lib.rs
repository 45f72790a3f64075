//! waggle: a realtime server for chat, rooms, presence, orders and drivers.
#![forbid(unsafe_code)]

pub mod auth;
pub mod caller;
pub mod chat;
pub mod clock;
pub mod config;
pub mod error;
pub mod ids;
pub mod limits;
pub mod page;
pub mod presence;
pub mod realtime;
pub mod rest;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod users;
