//! Orders and drivers: how orders are given out, what drivers get, how long positions count.

use std::time::Duration;

use super::{DispatchMode, Vars};
use crate::money::Money;

/// Orders and drivers.
#[derive(Debug, Clone)]
pub struct OrderConfig {
    /// `DISPATCH_MODE`.
    pub dispatch: DispatchMode,
    /// `OFFER_TIMEOUT`: how long one driver may think about an order.
    pub offer_timeout: Duration,
    /// `EARNINGS_BASE`: what a driver gets for any order.
    pub earnings_base: Money,
    /// `EARNINGS_PER_KM`: what is added for each kilometre from pickup to dropoff.
    pub earnings_per_km: Money,
    /// `CURRENCY`, ISO 4217.
    pub currency: Currency,
    /// `LOCATION_MAX_AGE`: how old a position may be to count for the nearest driver.
    pub location_max_age: Duration,
    /// `LOCATION_RETENTION`: how long the history of positions is kept.
    pub location_retention: Duration,
    /// `MAP_TILE_URL`: where the page's map gets its background; it has none without.
    pub map_tiles: Option<String>,
}

/// The code of a currency: three letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Currency {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be the code of a currency as in USD")
        }
    }
}

impl OrderConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        Self {
            dispatch: vars.parsed("DISPATCH_MODE", "broadcast"),
            offer_timeout: vars.duration("OFFER_TIMEOUT", "30s"),
            earnings_base: vars.parsed("EARNINGS_BASE", "3.00"),
            earnings_per_km: vars.parsed("EARNINGS_PER_KM", "1.00"),
            currency: vars.parsed("CURRENCY", "USD"),
            location_max_age: vars.duration("LOCATION_MAX_AGE", "2m"),
            location_retention: vars.duration("LOCATION_RETENTION", "30d"),
            map_tiles: tiles(vars),
        }
    }
}

fn tiles(vars: &mut Vars) -> Option<String> {
    let url = vars.optional("MAP_TILE_URL")?;
    let complete = ["{z}", "{x}", "{y}"].iter().all(|part| url.contains(part));
    if !url.starts_with("http") || !complete {
        vars.reject("MAP_TILE_URL", "must be an address with {z}, {x} and {y} in it");
    }
    Some(url)
}
