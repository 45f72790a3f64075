//! What `send` and `lone` share: pairs of users, the messages between them, and the proof that none got lost. The rooms
//! use its stamps and counts.

mod field;
mod payload;
mod receiver;
mod sender;
mod tally;

pub use field::{DRAIN_TIMEOUT, Field, next_mark};
pub use payload::Stamp;
pub use sender::{ACK_TIMEOUT, AFTER_REFUSAL};
pub use tally::{Counter, Phase, Tally};
