//! Rooms: who is in them, what is said there, and who hears of it (CONTRACT §5, §10).

mod attending;
mod floods;
mod history;
mod idempotence;
mod inbox;
mod invites;
mod joining;
mod making;
mod marking;
mod members;
mod messages;
mod namespaces;
mod owners;
mod presence;
mod reading;
mod receipts;
mod removal;
mod sync;
mod typing;
mod visibility;
