//! Orders as they are stored (CONTRACT §7).

mod changing;
mod redacting;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use changing::{Change, Notice, NoticeKind, Notify, Passed, When};

use crate::clock::Timestamp;
use crate::geo::Point;
use crate::ids::{OrderId, UserId};
use crate::money::Money;
use crate::text::{Address, Description, DisplayName, IdempotencyKey, Text};

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderStatus)]
pub enum Status {
    /// No driver has taken it.
    Pending,
    /// A driver has taken it and fetches it.
    Preparing,
    /// The driver has it and brings it.
    OutForDelivery,
    /// It is there.
    Delivered,
    /// It will not be.
    Cancelled,
}

impl Status {
    /// All there are, in their order.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Preparing, Self::OutForDelivery, Self::Delivered, Self::Cancelled];

    /// The word on the wire and in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Preparing => "preparing",
            Self::OutForDelivery => "outForDelivery",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Cancelled)
    }

    /// Whether a driver is at it.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Preparing | Self::OutForDelivery)
    }
}

impl std::str::FromStr for Status {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.word() == word)
            .ok_or("must be pending, preparing, outForDelivery, delivered or cancelled")
    }
}

/// What an item is called.
pub type ItemName = Text<200>;

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub name: ItemName,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub price: Option<Money>,
}

/// Where an order is fetched or brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// What the place is called.
    pub name: Option<DisplayName>,
    /// How people find it.
    pub address: Address,
    /// Where on the map.
    pub point: Option<Point>,
}

/// Who receives an order, where somebody else placed it (CONTRACT §8: `/api/v1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What they are called.
    pub name: Option<DisplayName>,
    /// How they are reached.
    pub phone: Option<Text<32>>,
}

/// What was ordered. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// At least one.
    pub items: Vec<Item>,
    /// What it costs: computed where all items carry prices, else what the customer said.
    pub total: Option<Money>,
    /// Where it is fetched.
    pub pickup: Option<Place>,
    /// Where it is brought.
    pub dropoff: Option<Place>,
    /// What is to be minded.
    pub note: Option<Description>,
    /// Who receives it. Only drivers are told.
    pub contact: Option<Contact>,
    /// What a driver gets, where whoever placed it has said so; else that is computed.
    pub earnings: Option<Money>,
}

impl Contents {
    /// Metres in a straight line from pickup to dropoff, where both are on the map.
    pub fn distance(&self) -> Option<f64> {
        let point = |place: &Option<Place>| place.as_ref()?.point;
        Some(point(&self.pickup)?.distance(point(&self.dropoff)?))
    }
}

/// A step that an order took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it was after the step.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Who took it there.
    pub by: UserId,
    /// Who its driver was after the step.
    pub driver: Option<UserId>,
    /// Why, where somebody said so.
    pub reason: Option<Description>,
}

/// A driver who does not want an order. At most one of each driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Who.
    pub driver: UserId,
    /// Why.
    pub reason: Option<Description>,
    /// When.
    pub at: Timestamp,
}

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its small number: 1, 2, 3 …
    pub number: i64,
    /// Who placed it.
    pub customer: UserId,
    /// Who prepares it, where that is an account.
    pub restaurant: Option<UserId>,
    /// What was ordered.
    pub contents: Contents,
    /// What made the placing idempotent; unique per customer.
    pub client_order_id: Option<IdempotencyKey>,
    /// How far it has come.
    pub status: Status,
    /// Who brings it. Stays when the order has ended.
    pub driver: Option<UserId>,
    /// What the driver gets for it.
    pub earnings: Money,
    /// The driver to whom alone it is offered now. Nobody is offered two orders at once.
    pub offered_to: Option<UserId>,
    /// When the dispatcher looks at it again; the end of the offer, where there is one.
    pub dispatch_at: Option<Timestamp>,
    /// Drivers who let an offer of it pass.
    pub passed: Vec<UserId>,
    /// Drivers who are not offered it again.
    pub rejections: Vec<Rejection>,
    /// Every step it took, the first first; only ever appended.
    pub history: Vec<Entry>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a driver earned in some time, with the orders delivered in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// In all.
    pub total: Money,
    /// How many they were.
    pub orders: u64,
}

/// Whose orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those that a user placed, prepares or brings.
    Of(UserId),
    /// All.
    Everybodys,
}

/// A page of orders, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderPage {
    /// Whose.
    pub whose: Whose,
    /// Only those that have come so far.
    pub status: Option<Status>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// So many at most.
    pub limit: u32,
}
