//! waggle: a realtime server for chat, rooms, presence, orders and drivers, on one port of one
//! process. This page is the map.
//!
//! ```text
//! Socket.IO door ┐                                  ┌ store trait of the domain ─ Mongo | Embedded
//!                ┼→ event table / routes → service ─┤
//! REST door      ┘        (decode)        (rules)   └ hub → relay (other nodes) → sockets
//! ```
//!
//! - A domain is a folder: [`presence`], [`auth`], [`users`], [`rooms`], [`chat`], [`drivers`], [`orders`], [`tracking`], [`privacy`]. In each, `model` holds what
//!   is known, `requests` and `wire` what clients send and get, `service` the rules, `routes` and
//!   `events` the doors, `store` a trait with two implementations.
//! - [`net`] accepts connections; [`realtime`] carries events over them and knows no domain;
//!   [`rest`] does the same for routes.
//! - [`store`] holds the database handles and the group-commit writer.
//! - [`app`] puts everything together.
//! - [`caller`], [`credentials`], [`error`], [`ids`], [`clock`], [`text`], [`page`], [`limits`] are shared by all.
//!
//! To find what an event does: look for its name in `<domain>/events.rs`, follow the service
//! method it calls, and from there the store method and the emitted event.
#![forbid(unsafe_code)]

pub mod admin;
pub mod app;
pub mod auth;
pub mod caller;
pub mod chat;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod docs;
pub mod drivers;
pub mod error;
pub mod geo;
pub mod ids;
pub mod limits;
pub mod money;
pub mod net;
pub mod operations;
pub mod orders;
pub mod page;
pub mod pages;
pub mod presence;
pub mod privacy;
pub mod realtime;
pub mod rest;
pub mod rooms;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tracking;
pub mod users;
