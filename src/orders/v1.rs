//! Orders as the driver app and its back office see them (seed 002): on `/api/v1`, and on the raw
//! WebSockets.

mod earnings;
mod pools;
mod requests;
mod routes;
mod wire;

pub use requests::{CreateOrderBody, NameOrder, PoolBody, StatusWord};
pub use routes::router;
pub use wire::{
    Assignment, Failure, NEW_OFFER, Names, OFFER_REMOVED, ORDER_ASSIGNED, ORDER_TAKEN,
    ORDER_UPDATE, OfferRemoved, OrderUpdate, Pool, Taken,
};
