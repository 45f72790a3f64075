//! Any text where a value is to stand: parameters, ids, names, times, amounts, variables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waggle::caller::query_token;
use waggle::clock::Timestamp;
use waggle::config::{AddressRange, Config, Rate, Vars};
use waggle::credentials::{Email, Password, Username};
use waggle::drivers::requests::DriverRef;
use waggle::ids::UserId;
use waggle::money::Money;
use waggle::orders::days::TimeZoneName;
use waggle::orders::requests::OrderRef;
use waggle::page;
use waggle::text::{IdempotencyKey, MessageText};

const VARIABLES: [&str; 8] = [
    "PORT", "HOST", "PRESENCE_GRACE", "RATE_LIMIT_SENDS", "TRUSTED_PROXIES", "CORS_ORIGIN", "JWT_EXPIRES_IN", "MONGODB_URI",
];

fuzz_target!(|text: &str| {
    if let Ok(once) = MessageText::parse(text)
        && let Ok(twice) = MessageText::parse(once.as_str())
    {
        assert_eq!(once, twice);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
    if let Ok(id) = text.parse::<UserId>() {
        assert_eq!(id.to_string(), text.to_ascii_lowercase());
    }
    if let Ok(money) = text.parse::<Money>() {
        assert!((0..=100_000_000).contains(&money.minor()));
    }
    if let Ok(zone) = text.parse::<TimeZoneName>() {
        assert!(zone.to_string().parse::<TimeZoneName>().is_ok());
    }
    if let Ok(limit) = page::limit(Some(text), 50, 200) {
        assert!((1..=200).contains(&limit));
    }
    let read = page::position(Some(text), |text| Some(text.to_owned()));
    if let Ok(Some(position)) = read {
        assert_eq!(page::cursor(position), text);
    }
    assert!(query_token(Some(text)).is_none_or(|token| !token.is_empty()));
    let _ = (text.parse::<Username>(), text.parse::<Email>(), text.parse::<Password>());
    let _ = (text.parse::<DriverRef>(), text.parse::<OrderRef>(), text.parse::<IdempotencyKey>());
    let _ = (text.parse::<Rate>(), text.parse::<AddressRange>());
    let _ = Config::from_vars(Vars::from_pairs(&VARIABLES.map(|name| (name, text))));
});
