//! What every door asks before it does any work: may a page of this origin connect, is the server
//! stopping, does this address connect too often, and whose token is this.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::caller::CheckToken;
use crate::config::CorsOrigins;
use crate::error::Result;
use crate::limits::{Limits, PerAddress};
use crate::net::address::ClientAddress;

/// Who is let in, and how often they may try.
#[derive(Clone)]
pub struct Gate {
    /// The token check.
    pub check: Arc<dyn CheckToken>,
    /// Limits connects to a namespace.
    pub connects: PerAddress,
    /// Limits new transports.
    pub handshakes: PerAddress,
    /// The limits.
    pub limits: Arc<Limits>,
}

impl Gate {
    /// Counts a new transport of this address.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count_handshake(&self, address: ClientAddress) -> Result<()> {
        (self.handshakes)(&self.limits).check(&address.0).map(drop)
    }
}

/// A page may connect when its origin is listed, or is this server's own; an app that names no
/// origin always may.
pub(super) fn is_allowed(origins: &CorsOrigins, headers: &HeaderMap) -> bool {
    let Some(origin) =
        headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default())
    else {
        return true;
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let same = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    same || origins.allows(origin)
}
