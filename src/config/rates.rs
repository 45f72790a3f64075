//! Rate limits: how often each thing may be done.

use super::{Rate, Vars};

/// How often each thing may be done; `None` is `off`.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// `RATE_LIMIT_SENDS`, per user.
    pub sends: Option<Rate>,
    /// `RATE_LIMIT_TYPING`, per user.
    pub typing: Option<Rate>,
    /// `RATE_LIMIT_JOINS`, per user.
    pub joins: Option<Rate>,
    /// `RATE_LIMIT_ORDERS`, per user.
    pub orders: Option<Rate>,
    /// `RATE_LIMIT_LOCATIONS`, per driver.
    pub locations: Option<Rate>,
    /// `RATE_LIMIT_CONNECTS`, per address.
    pub connects: Option<Rate>,
    /// `RATE_LIMIT_LOGINS`, per address.
    pub logins: Option<Rate>,
    /// `RATE_LIMIT_LOGIN_FAILURES`, per account.
    pub login_failures: Option<Rate>,
    /// `RATE_LIMIT_REGISTRATIONS`, per address.
    pub registrations: Option<Rate>,
    /// `RATE_LIMIT_REST_WRITES`, per user.
    pub rest_writes: Option<Rate>,
    /// `RATE_LIMIT_REFUSED_REQUESTS`, per address.
    pub refused_requests: Option<Rate>,
    /// `RATE_LIMIT_REFUSED_EVENTS`, per address.
    pub refused_events: Option<Rate>,
}

impl Rates {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let all_off = vars.parsed_choice("RATE_LIMITS", "on", &["on", "off"]) == "off";
        let rates = Self {
            sends: vars.rate("RATE_LIMIT_SENDS", "30/10s"),
            typing: vars.rate("RATE_LIMIT_TYPING", "20/10s"),
            joins: vars.rate("RATE_LIMIT_JOINS", "200/10s"),
            orders: vars.rate("RATE_LIMIT_ORDERS", "30/1m"),
            locations: vars.rate("RATE_LIMIT_LOCATIONS", "100/10s"),
            connects: vars.rate("RATE_LIMIT_CONNECTS", "600/10s"),
            logins: vars.rate("RATE_LIMIT_LOGINS", "10/1m"),
            login_failures: vars.rate("RATE_LIMIT_LOGIN_FAILURES", "5/15m"),
            registrations: vars.rate("RATE_LIMIT_REGISTRATIONS", "60/1m"),
            rest_writes: vars.rate("RATE_LIMIT_REST_WRITES", "300/1m"),
            refused_requests: vars.rate("RATE_LIMIT_REFUSED_REQUESTS", "1000/10s"),
            refused_events: vars.rate("RATE_LIMIT_REFUSED_EVENTS", "45000/15s"),
        };
        if all_off { Self::default() } else { rates }
    }
}
