//! What every door asks before it does any work: may a page of this origin connect, is the server
//! stopping, does this address connect too often, and whose token is this.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use super::hub::Hub;
use crate::caller::{Caller, CheckToken};
use crate::config::CorsOrigins;
use crate::error::{Error, Result};
use crate::limits::{Limits, PerAddress};
use crate::net::address::ClientAddress;
use crate::telemetry::struck;

/// When somebody who has too many sockets may try again.
const FULL: Duration = Duration::from_secs(10);

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
    /// Sockets at once of one user.
    pub sockets_per_user: usize,
}

impl Gate {
    /// Counts a new transport of this address.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count_handshake(&self, address: ClientAddress) -> Result<()> {
        (self.handshakes)(&self.limits).check(&address.network()).map(drop)
    }

    /// Counts an attempt of this address to join a namespace.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn count_connect(&self, address: ClientAddress) -> Result<()> {
        (self.connects)(&self.limits).check(&address.network()).map(drop)
    }

    /// Whose token this is, if there is room for another socket of theirs.
    ///
    /// # Errors
    /// Those of [`CheckToken::check_token`]; `rate_limited`.
    pub(super) async fn identify(&self, hub: &Hub, token: Option<&str>) -> Result<Caller> {
        let token = token.ok_or_else(|| Error::unauthenticated("No token provided"))?;
        let caller = self.check.check_token(token).await?;
        if hub.sockets_of(caller.user) >= self.sockets_per_user {
            struck("sockets_of_user", Some(caller.user.into()));
            return Err(Error::rate_limited(FULL, None));
        }
        Ok(caller)
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
