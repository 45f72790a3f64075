//! Orders and drivers: who does what to them, and who hears of it (CONTRACT §7, §8, §10).

mod accepting;
mod assigning;
mod bad_input;
mod cancelling;
mod crowds;
mod dispatching;
mod drivers;
mod forbidden;
mod idempotence;
mod limits;
mod listing;
mod moving;
mod nearby;
mod offers;
mod placing;
mod restarts;
mod rooms;
mod tracking;
mod trails;
