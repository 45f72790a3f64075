//! What admins ask.

use std::net::IpAddr;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Role;
use crate::error::{Error, Fields, Result};
use crate::page;
use crate::realtime::session::SessionNo;
use crate::text::Description;

/// Rows of one answer, usually and at most.
const ROWS: (u32, u32) = (100, 200);

/// Parameters of `GET sockets`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SocketParams {
    /// Part of a username or display name; of the first 1000 accounts that have it.
    search: Option<String>,
    /// `/chat`, `ws:driver` …
    namespace: Option<String>,
    /// `user`, `driver`, `restaurant` or `admin`.
    #[param(value_type = Option<Role>)]
    role: Option<String>,
    /// An IP address.
    address: Option<String>,
    /// 1 to 200; 100 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Which sockets an admin wants to see. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketQuery {
    /// Part of a username or display name.
    pub search: Option<String>,
    /// Where they are connected.
    pub namespace: Option<String>,
    /// What their users may do.
    pub role: Option<Role>,
    /// Where their clients are.
    pub address: Option<IpAddr>,
    /// Only with a number behind this one.
    pub after: Option<SessionNo>,
    /// At most so many.
    pub limit: u32,
}

impl TryFrom<SocketParams> for SocketQuery {
    type Error = Error;

    fn try_from(params: SocketParams) -> Result<Self> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let address = |text: String| text.parse().map_err(|_| "must be an IP address");
        let mut fields = Fields::new();
        let role = fields.optional("role", given(params.role), |word| word.parse());
        let address = fields.optional("address", given(params.address), address);
        let after = page::position(params.cursor.as_deref(), |no| no.parse().ok());
        let after = fields.check(after);
        let limit = fields.check(page::limit(params.limit.as_deref(), ROWS.0, ROWS.1));
        let (after, limit) = fields.into_result(after.zip(limit))?;
        Ok(Self {
            search: given(params.search.map(|text| text.trim().to_owned())),
            namespace: given(params.namespace),
            role,
            address,
            after,
            limit,
        })
    }
}

/// Parameters of `GET bans`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BanParams {
    /// 1 to 200; 100 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

impl BanParams {
    /// Behind which username key, and how many.
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn parse(self) -> Result<(String, u32)> {
        let mut fields = Fields::new();
        let after = page::position(self.cursor.as_deref(), |name| Some(name.to_owned()));
        let after = fields.check(after).flatten();
        let limit = fields.check(page::limit(self.limit.as_deref(), ROWS.0, ROWS.1));
        Ok((after.unwrap_or_default(), fields.into_result(limit)?))
    }
}

/// Body of `PUT users/:id/ban`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct BanBody {
    /// Why, at most 500 characters; shown to admins only.
    #[schema(example = "Sends the same to everybody")]
    reason: Option<String>,
}

impl BanBody {
    /// The reason.
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn parse(self) -> Result<Option<Description>> {
        let mut fields = Fields::new();
        let reason = fields.optional("reason", self.reason, Description::parse_or_none);
        fields.finish()?;
        Ok(reason.flatten())
    }
}
