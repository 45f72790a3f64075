//! Messages, between two and in rooms (CONTRACT §4, §5): one writer, one numbering, one way to
//! resume for both.
//!
//! Events, in `/chat` and `/rooms`: `send_message`, `message_read`, `sync`; emits `message_sent`,
//! `sync`. In `/chat`: `typing_start`, `typing_stop`; emits `receive_message`, `user_typing`,
//! `message_read_receipt`. In `/rooms`: `join_room`, `leave_room`, `typing`, `mark_messages_read`;
//! emits `joined_room`, `receive_message`, `typing`, `message_receipt`, `messages_read`.
//! Routes: `/api/messages/…`, `/api/conversations`, `/rooms/:roomId/messages…`.

pub mod events;
pub mod message_wire;
pub mod model;
pub mod requests;
pub mod room_events;
pub mod room_routes;
pub mod room_wire;
pub mod routes;
pub mod service;
pub mod store;
mod typing;
pub mod wire;
