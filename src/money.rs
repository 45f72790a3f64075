//! Amounts of money: integer minor units inside, decimals with two places on the wire. One
//! currency for the whole server (`CURRENCY`), taken to have hundredths.

use std::iter::Sum;
use std::str::FromStr;

use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;

/// The highest amount that a request may name: a million.
const MOST: f64 = 1_000_000.0;

/// An amount, in hundredths of the currency's unit. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Money(i64);

/// Why something is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an amount from 0 to 1000000")]
pub struct InvalidMoney;

impl Money {
    /// An amount as a client writes it, rounded to hundredths.
    ///
    /// # Errors
    /// Negative, over a million, or no number.
    pub fn parse(amount: f64) -> Result<Self, InvalidMoney> {
        if (0.0..=MOST).contains(&amount) {
            Ok(Self((amount * 100.0).round() as i64))
        } else {
            Err(InvalidMoney)
        }
    }

    /// So many hundredths.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// Hundredths.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// So many times as much.
    pub const fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count as i64))
    }

    /// So many times as much, rounded; nothing for what is no finite number of times.
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round().max(0.0) as i64)
    }
}

impl std::ops::Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |sum, amount| sum + amount)
    }
}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        text.parse().map_err(|_| InvalidMoney).and_then(Self::parse)
    }
}

impl Serialize for Money {
    /// A JSON number with two places, `12.50`: no binary fraction comes in between.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        RawValue::from_string(text).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .minimum(Some(0.0))
            .examples([12.5])
            .into()
    }
}

impl utoipa::ToSchema for Money {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_amount_survives_the_wire(minor in 0..=100_000_000_i64) {
            let shown = serde_json::to_string(&Money(minor)).unwrap();
            prop_assert_eq!(shown.parse(), Ok(Money(minor)));
            prop_assert_eq!(Money::parse(serde_json::from_str(&shown).unwrap()), Ok(Money(minor)));
        }

        #[test]
        fn no_number_and_no_text_makes_an_amount_out_of_range(amount: f64, text: String, factor: f64, count: u32) {
            for money in [Money::parse(amount), text.parse()].into_iter().flatten() {
                prop_assert!((0..=100_000_000).contains(&money.minor()));
                prop_assert!(money.scaled(factor).minor() >= 0);
                prop_assert!(money.times(count) + money >= money);
            }
        }
    }

    #[test]
    fn an_amount_is_hundredths_inside_and_has_two_places_outside() {
        for (amount, text) in [(12.5, "12.50"), (0.1 + 0.2, "0.30"), (0.0, "0.00"), (7.0, "7.00")] {
            let shown = serde_json::to_string(&Money::parse(amount).unwrap()).unwrap();
            assert_eq!(shown, text);
        }
    }

    #[test]
    fn what_nobody_can_pay_is_no_amount() {
        for amount in [-0.01, 1_000_000.01, f64::NAN, f64::INFINITY] {
            assert_eq!(Money::parse(amount), Err(InvalidMoney), "{amount}");
        }
    }
}
