//! What clients ask of orders, as they write it and as it is once checked.

mod placing;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

pub use placing::{ItemBody, PlaceOrder, PlaceOrderBody};
pub(crate) use placing::{parse_items, sum};

use super::lifecycle::Action;
use super::model::Status;
use crate::drivers::requests::DriverRef;
use crate::error::{Fields, Result};
use crate::ids::OrderId;
use crate::money::Money;
use crate::text::Description;

/// How an order is named: by its id or its number (CONTRACT §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRef {
    /// `_id`.
    Id(OrderId),
    /// `orderNumber`.
    Number(i64),
}

/// A text that names no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id or the number of an order")]
pub struct InvalidOrderRef;

impl FromStr for OrderRef {
    type Err = InvalidOrderRef;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidOrderRef> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let number = text.parse().ok().filter(|number| *number > 0 && !text.starts_with('+'));
        number.map(Self::Number).ok_or(InvalidOrderRef)
    }
}

impl fmt::Display for OrderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A string, or a number as if it were one: clients write small numbers either way.
pub(crate) fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    match Option::<serde_json::Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        // MessagePack writes whole numbers as fractions, too.
        Some(serde_json::Value::Number(number)) => Ok(Some(match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole:.0}"),
            _ => number.to_string(),
        })),
        Some(_) => Err(de::Error::custom("expected a string or a number")),
    }
}

/// Payload of events that name an order and nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPayload {
    /// Its id or its number.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = String, example = "507f1f77bcf86cd799439014")]
    pub order_id: Option<String>,
}

impl OrderPayload {
    /// The order.
    ///
    /// # Errors
    /// `validation_failed` when it names none.
    pub fn parse(self) -> Result<OrderRef> {
        let mut fields = Fields::new();
        let order = fields.require("orderId", self.order_id, |text| text.parse());
        fields.into_result(order)
    }
}

/// Payload of `orderAccept`, `orderReject` and `cancelOrder`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReasonPayload {
    /// Its id or its number.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = String, example = "507f1f77bcf86cd799439014")]
    pub order_id: Option<String>,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

impl ReasonPayload {
    /// The order, and the reason.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<(OrderRef, Option<Description>)> {
        let mut fields = Fields::new();
        let order = fields.require("orderId", self.order_id, |text| text.parse());
        let reason = fields.optional("reason", self.reason, Description::parse_or_none);
        fields.into_result(order.map(|order| (order, reason.flatten())))
    }
}

/// Body of `POST …/reject` and `…/cancel`; may be missing.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ReasonBody {
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

impl ReasonBody {
    /// The reason.
    ///
    /// # Errors
    /// `validation_failed` when it is too long.
    pub fn parse(self) -> Result<Option<Description>> {
        let mut fields = Fields::new();
        let reason = fields.optional("reason", self.reason, Description::parse_or_none);
        fields.finish()?;
        Ok(reason.flatten())
    }
}

/// Payload of `updateOrderStatus`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStatusPayload {
    /// Its id or its number.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = String, example = "507f1f77bcf86cd799439014")]
    pub order_id: Option<String>,
    /// How far it has come now.
    #[schema(required, value_type = Status)]
    pub status: Option<String>,
}

impl UpdateStatusPayload {
    /// The order, and where it is now.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<(OrderRef, Action)> {
        let mut fields = Fields::new();
        let order = fields.require("orderId", self.order_id, |text| text.parse());
        let status = fields.require("status", self.status, |word| word.parse());
        let whole = order.zip(status.map(Action::Advance));
        fields.into_result(whole)
    }
}

/// Body of `PUT …/status`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct StatusBody {
    /// How far it has come now.
    #[schema(required, value_type = Status)]
    pub status: Option<String>,
}

impl StatusBody {
    /// Where it is now.
    ///
    /// # Errors
    /// `validation_failed` for what is no status.
    pub fn parse(self) -> Result<Action> {
        let mut fields = Fields::new();
        let status = fields.require("status", self.status, |word| word.parse());
        fields.into_result(status.map(Action::Advance))
    }
}

/// Body of `POST …/assign`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignBody {
    /// The driver's id, number or username.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = String)]
    pub driver_id: Option<String>,
    /// What the driver gets, instead of what was computed.
    pub earnings: Option<f64>,
}

impl AssignBody {
    /// The driver, and what they get.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<(DriverRef, Option<Money>)> {
        let mut fields = Fields::new();
        let driver = fields.require("driverId", self.driver_id, |text| text.parse());
        let earnings = fields.optional("earnings", self.earnings, Money::parse);
        fields.into_result(driver.map(|driver| (driver, earnings)))
    }
}
