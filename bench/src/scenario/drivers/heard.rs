//! What the server says on the raw sockets of drivers and of those who watch them.

use std::borrow::Cow;

use serde::Deserialize;

/// A frame to a driver, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub enum ToDriver<'a> {
    /// The driver's number.
    Connected(u64),
    Pong,
    /// An order's number, and the name of its restaurant.
    Assigned(u64, Cow<'a, str>),
    /// A position was not taken, because too many wait to be stored.
    Overloaded,
    /// A code and what it means.
    Error(String),
    /// Another, of this type.
    Other(Cow<'a, str>),
    /// Not what it says that it is.
    Broken,
}

/// A frame to a watcher.
#[derive(Debug, PartialEq)]
pub enum ToWatcher<'a> {
    /// Whose, and degrees north and east.
    Position(Cow<'a, str>, f64, f64),
    /// The driver has had no position for a while.
    Offline,
    Error(String),
    Broken,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Connected {
    driver_id: u64,
}

#[derive(Deserialize)]
struct Assigned<'a> {
    order_id: u64,
    #[serde(borrow)]
    restaurant_name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Failed {
    code: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'a> {
    #[serde(borrow)]
    username: Option<Cow<'a, str>>,
    lat: Option<f64>,
    long: Option<f64>,
    #[serde(borrow)]
    error_code: Option<Cow<'a, str>>,
    error: Option<String>,
    code: Option<String>,
}

impl<'a> ToDriver<'a> {
    /// Reads a frame.
    pub fn read(text: &'a str) -> Self {
        let kind = serde_json::from_str::<Typed<'_>>(text);
        let read = match kind.as_ref().map(|typed| &*typed.kind) {
            Ok("pong") => Some(Self::Pong),
            Ok("connected") => data(text).map(|Connected { driver_id }| Self::Connected(driver_id)),
            Ok("order_assigned") => data(text).map(|Assigned { order_id, restaurant_name }| {
                Self::Assigned(order_id, restaurant_name)
            }),
            Ok("error") => data(text).map(|Failed { code, message }| match &*code {
                "unavailable" => Self::Overloaded,
                _ => Self::Error(format!("{code}: {message}")),
            }),
            _ => kind.ok().map(|typed| Self::Other(typed.kind)),
        };
        read.unwrap_or(Self::Broken)
    }
}

fn data<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok().map(|Data { data }| data)
}

impl<'a> ToWatcher<'a> {
    /// Reads a frame.
    pub fn read(text: &'a str) -> Self {
        match serde_json::from_str(text) {
            Ok(Flat { username: Some(username), lat: Some(lat), long: Some(long), .. }) => {
                Self::Position(username, lat, long)
            }
            Ok(Flat { error_code: Some(code), .. }) if code == "OFFLINE_DRIVER" => Self::Offline,
            Ok(Flat { error: Some(error), code, .. }) => {
                Self::Error(format!("{}: {error}", code.unwrap_or_default()))
            }
            _ => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_to_a_driver_are_told_apart() {
        let connected = r#"{"type":"connected","data":{"driver_id":12,"server_time":"2026-11-28T14:00:00.000Z"}}"#;
        assert_eq!(ToDriver::read(connected), ToDriver::Connected(12));
        let pong = r#"{"type":"pong","data":{"timestamp":"2026-11-28T14:00:00.000Z"}}"#;
        assert_eq!(ToDriver::read(pong), ToDriver::Pong);
        let assigned = r#"{"type":"order_assigned","data":{"order_id":105,"id":"65a1","restaurant_name":"b1.2 7","items":[]}}"#;
        assert_eq!(ToDriver::read(assigned), ToDriver::Assigned(105, "b1.2 7".into()));
        let error = r#"{"type":"error","data":{"code":"validation_failed","message":"No."}}"#;
        assert_eq!(ToDriver::read(error), ToDriver::Error("validation_failed: No.".to_owned()));
        let full = r#"{"type":"error","data":{"code":"unavailable","message":"Later."}}"#;
        assert_eq!(ToDriver::read(full), ToDriver::Overloaded);
        let other = r#"{"type":"order_update","data":{}}"#;
        assert_eq!(ToDriver::read(other), ToDriver::Other("order_update".into()));
    }

    #[test]
    fn a_frame_without_its_parts_is_broken() {
        for text in [
            "",
            "{}",
            r#"{"type":"connected"}"#,
            r#"{"type":"connected","data":{"driver_id":"12"}}"#,
            r#"{"type":"order_assigned","data":{"order_id":105}}"#,
        ] {
            assert_eq!(ToDriver::read(text), ToDriver::Broken, "{text}");
        }
    }

    #[test]
    fn frames_to_a_watcher_are_told_apart() {
        let position = r#"{"username":"driver1","name":"Josh","lat":40.5,"long":-74,"image":null}"#;
        assert_eq!(ToWatcher::read(position), ToWatcher::Position("driver1".into(), 40.5, -74.0));
        let offline =
            r#"{"errorCode":"OFFLINE_DRIVER","errorMessage":"Driver is away","lastUpdate":null}"#;
        assert_eq!(ToWatcher::read(offline), ToWatcher::Offline);
        let error = r#"{"error":"Unknown type","code":"validation_failed"}"#;
        assert_eq!(
            ToWatcher::read(error),
            ToWatcher::Error("validation_failed: Unknown type".to_owned())
        );
        assert_eq!(ToWatcher::read(r#"{"username":"driver1","lat":1}"#), ToWatcher::Broken);
    }
}
