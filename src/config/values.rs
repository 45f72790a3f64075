//! What variables can hold: choices, durations, rates, address ranges, origins.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::vars::Vars;

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $($word:literal)|+),+ $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($($word)|+ => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", [$($($word),+),+].join(", "))),
                }
            }
        }
    )*};
}

choices! {
    /// What the server is run for.
    AppEnv {
        /// Defaults that are easy to start with; mail is logged.
        Development = "development",
        /// As development.
        Test = "test",
        /// Refuses weak secrets.
        Production = "production",
    }
    /// How log lines look.
    LogFormat {
        /// For people.
        Text = "text",
        /// For machines.
        Json = "json",
    }
    /// How Socket.IO packets are written, for the whole server.
    SocketParser {
        /// JSON.
        Common = "common",
        /// MessagePack, `socket.io-msgpack-parser`.
        Msgpack = "msgpack",
    }
    /// How orders are given out (CONTRACT §7).
    DispatchMode {
        /// Every available driver is told, the first to accept wins.
        Broadcast = "broadcast",
        /// The nearest driver is asked, then the next.
        Nearest = "nearest",
    }
    /// Who may watch where a driver is (seed 000).
    WatchPolicy {
        /// Anyone with a token.
        Everyone = "everyone",
        /// Admins, the driver, and who has a part in an order that the driver is at.
        Parties = "parties",
    }
    /// Who is told that somebody came or went (CONTRACT §6).
    PresenceAudience {
        /// Everyone connected.
        Everyone = "everyone",
        /// Those who share a conversation.
        Contacts = "contacts",
    }
}

/// `count/window`: so many in so long, all at once or spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(count, window)| {
            Some(Self { count: count.trim().parse().ok()?, window: duration(window.trim()).ok()? })
        });
        parts.ok_or_else(|| "must be a count and a window as in 30/10s, or off".to_owned())
    }
}

/// Reads `500ms`, `5s`, `10m`, `12h`, `7d`; a bare number is seconds. Zero is no duration.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis_per_unit: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis_per_unit));
    match millis {
        Some(millis @ 1..=31_536_000_000_000) => Ok(Duration::from_millis(millis)),
        _ => Err("must be a duration as in 500ms, 5s, 10m, 12h or 7d".to_owned()),
    }
}

/// One address, or a range in CIDR notation (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Whether `address` lies in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        let (network, width) = bits(self.network);
        let (address, other_width) = bits(address.to_canonical());
        let shift = width - u32::from(self.prefix);
        width == other_width && (shift == width || network >> shift == address >> shift)
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

impl FromStr for AddressRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MESSAGE: &str = "must be an address or a range as in 10.0.0.0/8";
        let (network, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let network: IpAddr = network.parse().map_err(|_| MESSAGE)?;
        let width = bits(network).1 as u8;
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse().map_err(|_| MESSAGE))?;
        if prefix > width { Err(MESSAGE) } else { Ok(Self { network, prefix }) }
    }
}

/// Which web origins may call; same-origin requests and native apps always may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// `*`: any, without credentials.
    Any,
    /// These, as browsers write them: `https://app.example.com`.
    Listed(Vec<String>),
}

impl CorsOrigins {
    pub(super) fn read(vars: &mut Vars, env: super::AppEnv) -> Self {
        let text = vars.text("CORS_ORIGIN", "");
        match text.trim() {
            "*" => Self::Any,
            "" if env != super::AppEnv::Production => Self::Any,
            list => Self::listed(vars, list),
        }
    }

    fn listed(vars: &mut Vars, list: &str) -> Self {
        let origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let origins: Vec<String> = origins.map(|o| o.trim_end_matches('/').to_owned()).collect();
        for origin in &origins {
            let host = origin.split_once("://").map(|(_, host)| host);
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', '*'])) {
                vars.reject(
                    "CORS_ORIGIN",
                    format!("{origin}: must be * or a list of scheme://host[:port]"),
                );
            }
        }
        Self::Listed(origins)
    }

    /// Whether a page of this origin may call.
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.iter().any(|listed| listed == origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bare_numbers_are_seconds() {
        for (text, millis) in
            [("500ms", 500), ("5s", 5000), ("5", 5000), ("10m", 600_000), ("7d", 604_800_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "-1s", "0s", "1w", "1.5s", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        let range: AddressRange = "10.0.0.0/8".parse().unwrap();
        assert!(range.contains("10.1.2.3".parse().unwrap()));
        assert!(range.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!range.contains("11.0.0.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<AddressRange>().unwrap().contains("1.2.3.4".parse().unwrap()));
        assert!(!"::1".parse::<AddressRange>().unwrap().contains("127.0.0.1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<AddressRange>().is_err());
    }
}
