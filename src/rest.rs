//! What every REST door shares: reading requests, and showing answers in a router's dialect
//! (CONTRACT §1). A handler returns a [`Reply`] or an [`crate::error::Error`] and never formats anything.

mod dialect;
mod extract;
mod layers;

pub use dialect::{Dialect, Reply};
pub use extract::{Body, OptionalBody, Params, PathId, PathIds};
pub use layers::{
    RequestId, by_address, by_user, contain_panics, detached, log_requests, request_id,
    slow_refusals,
};
