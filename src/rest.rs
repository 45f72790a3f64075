//! What every REST door shares: reading requests, and showing answers in a router's dialect
//! (CONTRACT §1). A handler returns a [`Reply`] or an [`Error`] and never formats anything.

mod dialect;
mod extract;
mod layers;

pub use dialect::{Dialect, Reply};
pub use extract::{Body, ClientAddress, OptionalBody, Params, PathId};
pub(crate) use extract::{bearer, query_token};
pub use layers::{
    RequestId, by_address, by_user, client_address, contain_panics, log_requests, request_id,
};
