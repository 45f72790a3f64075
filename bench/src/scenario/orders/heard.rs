//! The events of orders as they lie in the frame. A hundred drivers hear of each order, so they are not decoded.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::stages::Stage;
use crate::client::event_name;
use crate::scenario::found::{number, text};
use crate::scenario::messages::Stamp;

static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"id\":\""));
static NUMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"orderNumber\":"));
static NOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"note\":\""));
static STATUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"status\":\""));

/// What an event says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard<'a> {
    pub stage: Stage,
    /// The order's small number.
    pub number: u64,
    /// Its id and what its customer wrote on it, where the event has all of it.
    pub order: Option<(&'a str, Stamp<'a>)>,
}

/// An event, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Order(Heard<'a>),
    /// One of orders, but without the parts that it must have.
    Broken,
    /// An order that somebody else placed, or something else altogether.
    Other,
}

impl<'a> Event<'a> {
    /// Looks at the body of an event; `mark` is what all orders of this scenario have on them.
    pub fn read(body: &'a str, mark: &str) -> Self {
        let stage = match event_name(body) {
            "orderPlaced" => Some(Stage::Placed),
            "newOrder" => Some(Stage::Offered),
            "orderAccepted" => Some(Stage::Accepted),
            "removeOrder" => Some(Stage::Removed),
            "orderStatusUpdated" => text(body, &STATUS).and_then(Stage::named),
            _ => return Self::Other,
        };
        let (Some(stage), Some(number)) = (stage, number(body, &NUMBER)) else {
            return Self::Broken;
        };
        if !matches!(stage, Stage::Placed | Stage::Offered | Stage::Accepted) {
            return Self::Order(Heard { stage, number, order: None });
        }
        let stamp = text(body, &NOTE).and_then(Stamp::read);
        match (text(body, &ID), stamp.filter(|stamp| stamp.mark == mark)) {
            (_, None) => Self::Other,
            (None, _) => Self::Broken,
            (Some(id), Some(stamp)) => {
                Self::Order(Heard { stage, number, order: Some((id, stamp)) })
            }
        }
    }
}

/// The id and the small number of the order in an acknowledgement.
pub fn acknowledged(body: &str) -> Option<(&str, u64)> {
    Some((text(body, &ID)?, number(body, &NUMBER)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ORDER: &str = r#"{"id":"65a1","_id":"65a1","orderNumber":17,"userId":"u","driver":{"id":"d"},"status":"pending","items":[{"name":"\"id\":\"x\""}],"note":"m 4 99","history":[]}"#;

    #[test]
    fn an_order_is_told_by_its_note() {
        let stamp = Stamp { mark: "m", number: 4, intended: Duration::from_nanos(99) };
        for (name, stage) in [
            ("orderPlaced", Stage::Placed),
            ("newOrder", Stage::Offered),
            ("orderAccepted", Stage::Accepted),
        ] {
            let body = format!("[\"{name}\",{ORDER}]");
            let heard = Heard { stage, number: 17, order: Some(("65a1", stamp)) };
            assert_eq!(Event::read(&body, "m"), Event::Order(heard));
            assert_eq!(Event::read(&body, "n"), Event::Other, "somebody else's");
        }
    }

    #[test]
    fn other_events_name_the_order_by_its_number() {
        for (body, stage) in [
            (r#"["removeOrder",{"orderId":"65a1","orderNumber":17}]"#, Stage::Removed),
            (
                r#"["orderStatusUpdated",{"orderId":"65a1","orderNumber":17,"previousStatus":"preparing","status":"outForDelivery"}]"#,
                Stage::OutForDelivery,
            ),
        ] {
            let heard = Heard { stage, number: 17, order: None };
            assert_eq!(Event::read(body, "m"), Event::Order(heard));
        }
    }

    #[test]
    fn what_lacks_a_part_is_broken() {
        assert_eq!(Event::read(r#"["removeOrder",{"orderId":"65a1"}]"#, "m"), Event::Broken);
        let unknown = r#"["orderStatusUpdated",{"orderNumber":17,"status":"lost"}]"#;
        assert_eq!(Event::read(unknown, "m"), Event::Broken);
        assert_eq!(Event::read(r#"["user_status",{"userId":"u"}]"#, "m"), Event::Other);
    }

    #[test]
    fn an_answer_holds_the_order() {
        let answer = format!("[{{\"ok\":true,\"order\":{ORDER}}}]");
        assert_eq!(acknowledged(&answer), Some(("65a1", 17)));
    }
}
