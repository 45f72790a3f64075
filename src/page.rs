//! Pages of lists: how many, and from where. Cursors are opaque to clients.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::error::{Error, Result};

/// A number of rows: at least 1, cut to a list's own maximum.
///
/// # Errors
/// `validation_failed` for 0, negative numbers and what is no number.
pub fn limit(raw: Option<&str>, default: u32, max: u32) -> Result<u32> {
    size("limit", raw, default, max)
}

/// As [`limit`], for a parameter with another name.
///
/// # Errors
/// As [`limit`].
pub fn size(field: &'static str, raw: Option<&str>, default: u32, max: u32) -> Result<u32> {
    match raw {
        None => Ok(default),
        Some(text) => match text.parse::<u32>() {
            Ok(0) | Err(_) => {
                Err(Error::invalid(field, format!("must be a number from 1 to {max}")))
            }
            Ok(wanted) => Ok(wanted.min(max)),
        },
    }
}

/// A count of rows or a `seq`, named `field`, if it was given.
///
/// # Errors
/// `validation_failed` for negative numbers and what is no number.
pub fn count(field: &'static str, raw: Option<&str>) -> Result<Option<i64>> {
    raw.map(|text| match text.parse::<u32>() {
        Ok(number) => Ok(i64::from(number)),
        Err(_) => Err(Error::invalid(field, "must be a number, 0 or more")),
    })
    .transpose()
}

/// Writes the position after which the next page starts.
pub fn cursor(position: impl fmt::Display) -> String {
    BASE64.encode(position.to_string())
}

/// Reads a cursor that [`cursor`] wrote; `parse` reads the position.
///
/// # Errors
/// `validation_failed` when it is none of ours.
pub fn position<T>(raw: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
    let Some(text) = raw else { return Ok(None) };
    let decoded = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let position = decoded.as_deref().and_then(parse);
    position.map(Some).ok_or_else(|| Error::invalid("cursor", "must be a nextCursor of this list"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_position_comes_back_from_its_cursor(place: String) {
            let read = position(Some(&cursor(&place)), |text| Some(text.to_owned()));
            prop_assert_eq!(read.unwrap(), Some(place));
        }

        #[test]
        fn any_text_is_a_parameter_or_refused(text: String, max in 1..1000_u32) {
            if let Ok(limit) = limit(Some(&text), 1, max) {
                prop_assert!((1..=max).contains(&limit));
            }
            if let Ok(count) = count("skip", Some(&text)) {
                prop_assert!(count >= Some(0));
            }
            let read = position(Some(&text), |text| Some(cursor(text)));
            prop_assert!(read.is_err() || read == Ok(Some(text)), "one cursor has one text");
        }
    }

    #[test]
    fn a_limit_is_at_least_one_and_cut_to_the_maximum() {
        assert_eq!(limit(None, 50, 200).unwrap(), 50);
        assert_eq!(limit(Some("500"), 50, 200).unwrap(), 200);
        for bad in ["0", "-1", "many", ""] {
            assert!(limit(Some(bad), 50, 200).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let written = cursor("alice");
        let read = position(Some(&written), |text| Some(text.to_owned()));
        assert_eq!(read.unwrap().as_deref(), Some("alice"));
        assert!(position(Some("%%%"), |text| Some(text.to_owned())).is_err());
    }
}
