//! What the driver app and its back office send of orders.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drivers::requests::DriverRef;
use crate::error::{Fields, Result};
use crate::geo::{Point, latitude, longitude};
use crate::money::Money;
use crate::orders::model::{Contact, Contents, Item, Place, Status};
use crate::orders::requests::{ItemBody, OrderRef, PlaceOrder, parse_items, sum, text_or_number};
use crate::text::{Address, Description, DisplayName, Text};

/// The most orders of one batch.
const MOST_POOLED: usize = 100;

/// How far an order has come, as `/api/v1` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// No driver has it.
    Pending,
    /// A driver has it and fetches it.
    Preparing,
    /// The driver brings it.
    OutForDelivery,
    /// It is there.
    Delivered,
    /// It will not be.
    Cancelled,
}

impl From<Status> for StatusWord {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Preparing => Self::Preparing,
            Status::OutForDelivery => Self::OutForDelivery,
            Status::Delivered => Self::Delivered,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// A status as `/api/v1` spells it.
///
/// # Errors
/// It is none.
pub(super) fn status(word: &str) -> Result<Status, &'static str> {
    match word {
        "out_for_delivery" => Ok(Status::OutForDelivery),
        "outForDelivery" => Err(STATUSES),
        other => other.parse().map_err(|_| STATUSES),
    }
}

const STATUSES: &str = "must be pending, preparing, out_for_delivery, delivered or cancelled";

/// `{order_id, reason?}`: `accept_order` and `reject_order`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NameOrder {
    /// Its number or its id.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = i64, example = 105)]
    pub order_id: Option<String>,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

impl NameOrder {
    /// The order, and the reason.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<(OrderRef, Option<Description>)> {
        let mut fields = Fields::new();
        let order = fields.require("order_id", self.order_id, |text| text.parse());
        let reason = fields.optional("reason", self.reason, Description::parse_or_none);
        fields.into_result(order.map(|order| (order, reason.flatten())))
    }
}

/// Body of `POST orders`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateOrderBody {
    /// Where it is fetched: what the place is called.
    #[schema(required, value_type = String, example = "Burger King")]
    pub restaurant_name: Option<String>,
    /// How people find that.
    #[schema(required, value_type = String, example = "Koramangala 5th Block, Bangalore")]
    pub pickup_address: Option<String>,
    /// Degrees north.
    pub pickup_lat: Option<f64>,
    /// Degrees east.
    pub pickup_lng: Option<f64>,
    /// Where it is brought.
    #[schema(required, value_type = String, example = "Indiranagar 100ft Road, Bangalore")]
    pub delivery_address: Option<String>,
    /// Degrees north.
    pub delivery_lat: Option<f64>,
    /// Degrees east.
    pub delivery_lng: Option<f64>,
    /// Who gets it.
    pub customer_name: Option<String>,
    /// How to reach them.
    pub customer_phone: Option<String>,
    /// What was ordered.
    #[schema(value_type = Option<Vec<ItemBody>>)]
    pub items: Option<Vec<ItemBody>>,
    /// What it costs, where not all items carry prices.
    pub order_total: Option<f64>,
    /// What the driver gets, instead of what is computed.
    pub earnings: Option<f64>,
    /// What is to be minded.
    pub note: Option<String>,
    /// 1 to 64 characters; makes the placing idempotent.
    pub client_order_id: Option<String>,
    /// The driver to whom it is given at once: number, id or username.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(value_type = Option<i64>)]
    pub driver_id: Option<String>,
}

/// A checked order of the back office.
pub(super) struct CreateOrder {
    pub(super) order: PlaceOrder,
    pub(super) driver: Option<DriverRef>,
}

impl CreateOrderBody {
    pub(super) fn parse(self) -> Result<CreateOrder> {
        let mut fields = Fields::new();
        let name = fields.require("restaurant_name", self.restaurant_name, DisplayName::parse);
        let from = fields.require("pickup_address", self.pickup_address, Address::parse);
        let to = fields.require("delivery_address", self.delivery_address, Address::parse);
        let start =
            point(&mut fields, ["pickup_lat", "pickup_lng"], self.pickup_lat, self.pickup_lng);
        let end = point(
            &mut fields,
            ["delivery_lat", "delivery_lng"],
            self.delivery_lat,
            self.delivery_lng,
        );
        let who = fields.optional("customer_name", self.customer_name, DisplayName::parse);
        let phone = fields.optional("customer_phone", self.customer_phone, Text::parse);
        let items = parse_items(&mut fields, self.items.unwrap_or_default(), 0);
        let said = fields.optional("order_total", self.order_total, Money::parse);
        let earnings = fields.optional("earnings", self.earnings, Money::parse);
        let note = fields.optional("note", self.note, Description::parse_or_none).flatten();
        let key = fields.optional("client_order_id", self.client_order_id, |text| text.parse());
        let driver = fields.optional("driver_id", self.driver_id, |text| text.parse());
        let whole = (|| {
            let pickup = Place { name: Some(name?), address: from?, point: start };
            let dropoff = Place { name: None, address: to?, point: end };
            let contents = Contents {
                total: total(items.as_deref()?).or(said),
                items: items?,
                pickup: Some(pickup),
                dropoff: Some(dropoff),
                note,
                contact: (who.is_some() || phone.is_some()).then_some(Contact { name: who, phone }),
                earnings,
            };
            let order = PlaceOrder { contents, restaurant: None, client_order_id: key };
            Some(CreateOrder { order, driver })
        })();
        fields.into_result(whole)
    }
}

/// What the items cost, where there are some and all carry prices.
fn total(items: &[Item]) -> Option<Money> {
    if items.is_empty() { None } else { sum(items) }
}

/// A point of which both halves are said, or neither.
fn point(
    fields: &mut Fields,
    names: [&'static str; 2],
    lat: Option<f64>,
    lng: Option<f64>,
) -> Option<Point> {
    if lat.is_none() && lng.is_none() {
        return None;
    }
    let lat = fields.require(names[0], lat, latitude);
    let lng = fields.require(names[1], lng, longitude);
    Point::new(lat?, lng?)
}

/// Body of `PUT orders/{id}/status`.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct V1StatusBody {
    /// How far it has come now.
    #[schema(required, value_type = StatusWord)]
    pub status: Option<String>,
}

impl V1StatusBody {
    pub(super) fn parse(self) -> Result<Status> {
        let mut fields = Fields::new();
        let to = fields.require("status", self.status, |word| status(&word));
        fields.into_result(to)
    }
}

/// Body of `POST orders/{id}/assign`.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct AssignOrderBody {
    /// The driver's number, id or username.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = i64, example = 123)]
    pub driver_id: Option<String>,
    /// What the driver gets, instead of what was computed.
    pub earnings: Option<f64>,
}

impl AssignOrderBody {
    pub(super) fn parse(self) -> Result<(DriverRef, Option<Money>)> {
        let mut fields = Fields::new();
        let driver = fields.require("driver_id", self.driver_id, |text| text.parse());
        let earnings = fields.optional("earnings", self.earnings, Money::parse);
        fields.into_result(driver.map(|driver| (driver, earnings)))
    }
}

/// Body of `POST pools`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PoolBody {
    /// 1 to 100 numbers or ids of pending orders.
    #[schema(required, value_type = Vec<i64>)]
    pub order_ids: Option<Vec<NumberOrText>>,
    /// The driver's number, id or username.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schema(required, value_type = i64, example = 123)]
    pub driver_id: Option<String>,
}

/// A number or a string.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum NumberOrText {
    /// A number.
    Number(i64),
    /// A string.
    Text(String),
}

impl PoolBody {
    /// The orders, each once, and the driver.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<(Vec<OrderRef>, DriverRef)> {
        let mut fields = Fields::new();
        let orders = fields.require("order_ids", self.order_ids, |all| {
            if all.is_empty() || all.len() > MOST_POOLED {
                return Err("must name 1 to 100 orders");
            }
            let parsed: Result<Vec<_>, _> = all
                .iter()
                .map(|one| match one {
                    NumberOrText::Number(number) => OrderRef::from_str(&number.to_string()),
                    NumberOrText::Text(text) => OrderRef::from_str(text),
                })
                .collect();
            parsed.map_err(|_| "must be numbers or ids of orders")
        });
        let driver = fields.require("driver_id", self.driver_id, |text| text.parse());
        fields.into_result(orders.zip(driver))
    }
}

#[cfg(test)]
mod tests;
