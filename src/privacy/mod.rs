//! What is kept of a person, as a whole: giving it out, and erasing it. Asked for by operators,
//! with `waggle export-user` and `waggle erase-user`; nothing of it is on the wire.
//!
//! It has the last word of all domains: each knows what of its own is somebody's, and this one
//! asks all of them, in an order in which nothing comes back.

mod document;
pub mod erasing;
pub mod exporting;
pub mod model;
pub mod store;
mod views;
