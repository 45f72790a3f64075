//! How orders change: under which condition, to what, and of whom it must be told.

use serde::{Deserialize, Serialize};

use super::{Entry, Order, Rejection, Status};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::money::Money;

/// What an order must be like for a change to happen: exactly so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// How far it has come.
    pub status: Status,
    /// Who brings it.
    pub driver: Option<UserId>,
    /// To whom it is offered.
    pub offered_to: Option<UserId>,
}

impl From<&Order> for When {
    fn from(order: &Order) -> Self {
        Self { status: order.status, driver: order.driver, offered_to: order.offered_to }
    }
}

/// What becomes of [`Order::passed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// It stays.
    Keep,
    /// One more, unless they are in it.
    Add(UserId),
    /// One less.
    Remove(UserId),
}

/// What happened to an order for a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// It is theirs.
    Assigned,
    /// It is theirs no longer: cancelled, or taken from them.
    Cancelled,
}

impl NoticeKind {
    /// The word in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::str::FromStr for NoticeKind {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Assigned, Self::Cancelled]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or("must be assigned or cancelled")
    }
}

/// What a driver must still be told of an order (CONTRACT §8). At most one for each driver and
/// order: of what happened since they were told, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Who must be told.
    pub driver: UserId,
    /// How many steps the order's history has after the step that made it.
    pub no: u32,
    /// What.
    pub kind: NoticeKind,
}

/// What a change does to the notices of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// They stay.
    Keep,
    /// This one, instead of the one that its driver has.
    Set(Notice),
    /// None for this driver.
    Clear(UserId),
}

/// A change of an order: what it is like afterwards, and what is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// How far it has come.
    pub status: Status,
    /// Who brings it.
    pub driver: Option<UserId>,
    /// What they get for it.
    pub earnings: Money,
    /// To whom it is offered.
    pub offered_to: Option<UserId>,
    /// When the dispatcher looks at it again.
    pub dispatch_at: Option<Timestamp>,
    /// Who let it pass.
    pub passed: Passed,
    /// Who must be told of it.
    pub notify: Notify,
    /// Appended to the rejections.
    pub rejection: Option<Rejection>,
    /// Appended to the history.
    pub entry: Option<Entry>,
    /// When.
    pub at: Timestamp,
}

impl Change {
    /// A change that changes nothing but the time.
    pub fn of(order: &Order, at: Timestamp) -> Self {
        Self {
            status: order.status,
            driver: order.driver,
            earnings: order.earnings,
            offered_to: order.offered_to,
            dispatch_at: order.dispatch_at,
            passed: Passed::Keep,
            notify: Notify::Keep,
            rejection: None,
            entry: None,
            at,
        }
    }
}
