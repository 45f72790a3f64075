//! What `send` and `lone` share: pairs of users, the messages between them, and the proof that none got lost.

mod field;
mod payload;
mod receiver;
mod sender;
mod tally;

pub use field::Field;
pub use tally::Tally;
