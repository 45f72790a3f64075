//! Rooms: who is in them, who may what, invites, and who is there now (CONTRACT §5).

pub mod model;
pub mod store;
