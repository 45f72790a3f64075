//! waggle: a realtime server for chat, rooms, presence, orders and drivers.
#![forbid(unsafe_code)]

pub mod auth;
pub mod caller;
pub mod chat;
pub mod clock;
pub mod error;
pub mod ids;
pub mod page;
pub mod presence;
pub mod store;
pub mod text;
pub mod users;
