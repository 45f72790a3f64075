//! What variables can hold: choices, durations, rates, address ranges, origins.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

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
        let written: IpAddr = network.parse().map_err(|_| MESSAGE)?;
        let width = bits(written).1 as u8;
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse().map_err(|_| MESSAGE))?;
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
        let network = written.to_canonical();
        let mapped = width - bits(network).1 as u8;
        let prefix = prefix.checked_sub(mapped).filter(|_| prefix <= width).ok_or(MESSAGE)?;
        Ok(Self { network, prefix })
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

/// What is logged: a level, or directives as tracing's `EnvFilter` takes them, such as
/// `info,waggle::chat=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogLevel {
    type Err = &'static str;

    /// `EnvFilter` takes a level that is misspelt for the name of a module, and logs nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
        let is_valid =
            |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level));
        if text.split(',').map(str::trim).all(is_valid) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "must be off, error, warn, info, debug or trace, or directives as info,waggle::chat=debug",
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_duration_and_a_rate_or_refused(text in prop_oneof![any::<String>(), "[0-9]{1,20}(ms|s|m|h|d)?"]) {
            if let Ok(read) = duration(&text) {
                prop_assert!(read >= Duration::from_millis(1) && read <= Duration::from_hours(24 * 365_000));
                prop_assert_eq!(duration(&format!("{}ms", read.as_millis())), Ok(read));
            }
            let rate = format!("7/{text}").parse::<Rate>();
            prop_assert_eq!(rate.ok().map(|rate| rate.window), duration(text.trim()).ok());
        }

        #[test]
        fn a_range_holds_the_address_it_is_written_with(four: [u8; 4], six: [u8; 16], prefix in 0..=130_u8, text: String) {
            let mapped = std::net::Ipv4Addr::from(four).to_ipv6_mapped();
            for (address, width) in [(IpAddr::from(four), 32), (six.into(), 128), (mapped.into(), 128)] {
                let range = format!("{address}/{prefix}").parse::<AddressRange>();
                let least = if address == IpAddr::from(mapped) { 96 } else { 0 };
                if address.to_canonical() == address || address == IpAddr::from(mapped) {
                    prop_assert_eq!(range.is_ok(), (least..=width).contains(&prefix));
                }
                prop_assert!(range.is_err() || range.is_ok_and(|range| range.contains(address)));
                prop_assert!(address.to_string().parse::<AddressRange>().unwrap().contains(address));
            }
            let _ = text.parse::<AddressRange>();
        }
    }

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
