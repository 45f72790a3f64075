//! Rooms: who is in them, who may what, invites, and who is there now (CONTRACT §5).
//!
//! Routes: `/rooms…`, without messages and receipts, which are chat's. Events are chat's too
//! (`join_room` marks messages as read); emits `user_joined`, `user_left`, `left_room`,
//! `room_updated`.

mod attendance;
pub mod event_wire;
mod invites;
pub mod model;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
pub mod wire;
