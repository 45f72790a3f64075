//! Drivers as the driver app reads and writes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::model::{Account, User};
use crate::auth::requests::LoggedIn;
use crate::clock::Timestamp;
use crate::error::{Fields, Result};
use crate::ids::UserId;

/// Whether a driver wants orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnlineStatus {
    /// Connected, and offered new orders.
    Online,
    /// Not offered any.
    Offline,
}

impl From<bool> for OnlineStatus {
    fn from(available: bool) -> Self {
        if available { Self::Online } else { Self::Offline }
    }
}

/// Who drives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriverProfile {
    /// Id.
    pub id: UserId,
    /// The small number.
    pub driver_id: Option<i64>,
    /// Unique name.
    #[schema(example = "driver1")]
    pub username: String,
    /// Address.
    pub email: String,
    /// What the person is called.
    pub name: Option<String>,
    /// Where a picture is.
    pub image: Option<String>,
    /// Whether new orders are offered.
    pub status: OnlineStatus,
    /// When the account was registered.
    pub created_at: Timestamp,
}

impl DriverProfile {
    /// The profile of a driver who is offered orders, or not.
    pub fn new(account: &Account, available: bool) -> Self {
        Self {
            id: account.id,
            driver_id: account.driver_number,
            username: account.username.clone(),
            email: account.email.clone(),
            name: account.name.clone(),
            image: account.image.clone(),
            status: available.into(),
            created_at: account.created_at,
        }
    }
}

/// Tokens, and whose they are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenPair {
    /// Access token, a JWT.
    pub access_token: String,
    /// Refresh token, for one use.
    pub refresh_token: String,
    /// `bearer` (RFC 6750).
    #[schema(value_type = String, example = "bearer")]
    pub token_type: &'static str,
    /// Seconds that the access token holds.
    pub expires_in: u64,
    /// Who drives; `null` for an account of the back office.
    pub driver: Option<DriverProfile>,
    /// The account.
    pub user: User,
}

impl TokenPair {
    pub(super) fn new(logged_in: LoggedIn, driver: Option<DriverProfile>) -> Self {
        let LoggedIn { token, refresh_token, expires_in, user } = logged_in;
        Self { access_token: token, refresh_token, token_type: "bearer", expires_in, driver, user }
    }
}

/// Body of `auth/refresh`.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RefreshTokenBody {
    /// The refresh token of the last login or refresh.
    #[schema(required, value_type = String)]
    pub refresh_token: Option<String>,
}

/// Body of `driver/status` and of `drivers/{id}/status`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OnlineBody {
    /// `online` or `offline`.
    #[schema(required, value_type = OnlineStatus)]
    pub status: Option<String>,
}

impl OnlineBody {
    /// Whether the driver wants orders.
    ///
    /// # Errors
    /// `validation_failed` for what is neither.
    pub fn parse(self) -> Result<bool> {
        let mut fields = Fields::new();
        let online = fields.require("status", self.status, |word| match word.as_str() {
            "online" => Ok(true),
            "offline" => Ok(false),
            _ => Err("must be online or offline"),
        });
        fields.into_result(online)
    }
}

/// `{driver_id, status, connected}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnlineState {
    /// The driver's number.
    pub driver_id: Option<i64>,
    /// What was asked for. `online` takes effect with a socket; a driver connects online.
    pub status: OnlineStatus,
    /// Whether a socket of the driver is there.
    pub connected: bool,
}

/// `{accepted}`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// Positions that are stored now: those of one time count once.
    pub accepted: usize,
}
