//! The wish for an order.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::error::{Fields, Result, object};
use crate::geo::{LATITUDE_RANGE, LONGITUDE_RANGE, Point, latitude, longitude};
use crate::ids::UserId;
use crate::money::Money;
use crate::orders::model::{Contents, Item, ItemName, Place};
use crate::text::{Address, Description, DisplayName, IdempotencyKey};

/// Lines of one order.
const MOST_ITEMS: usize = 100;
/// How many of one thing.
const MOST_OF_ONE: f64 = 10_000.0;

/// Payload of `placeOrder` and body of `POST /api/orders`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrderBody {
    /// 1 to 100 lines. A string is an item without a price, once.
    #[schema(required, value_type = Vec<ItemBody>)]
    pub items: Option<Vec<ItemBody>>,
    /// What it costs, where not all items carry prices; else it is computed.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, example = 25.5)]
    pub total: Option<Option<f64>>,
    /// Where it is fetched. A string is an address.
    pub pickup: Option<PlaceBody>,
    /// Where it is brought. A string is an address.
    pub dropoff: Option<PlaceBody>,
    /// What is to be minded; at most 500 characters.
    pub note: Option<String>,
    /// 1 to 64 characters; makes the placing idempotent.
    pub client_order_id: Option<String>,
    /// The account of the restaurant, where it has one: it may see and cancel the order.
    #[schema(value_type = Option<UserId>)]
    pub restaurant_id: Option<String>,
}

/// One line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ItemBody {
    /// Its name alone.
    Name(String),
    /// All of it.
    Line(#[serde(deserialize_with = "object")] LineBody),
}

/// One line with its fields.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LineBody {
    /// 1 to 200 characters.
    #[schema(required, value_type = String, example = "Margherita")]
    pub name: Option<serde_json::Value>,
    /// 1 to 10000; one when nothing is said.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, example = 2)]
    pub quantity: Option<Option<serde_json::Value>>,
    /// What one costs.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, example = 8.5)]
    pub price: Option<Option<serde_json::Value>>,
}

/// A place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PlaceBody {
    /// Its address alone.
    Address(String),
    /// All of it.
    Whole(#[serde(deserialize_with = "object")] WholePlaceBody),
}

/// A place with its fields.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WholePlaceBody {
    /// What the place is called; 1 to 100 characters.
    pub name: Option<String>,
    /// 1 to 300 characters.
    #[schema(required, value_type = String)]
    pub address: Option<String>,
    /// Degrees north; with `lng` or not at all.
    #[schema(value_type = Option<f64>)]
    pub lat: Option<serde_json::Value>,
    /// Degrees east.
    #[schema(value_type = Option<f64>)]
    pub lng: Option<serde_json::Value>,
}

/// Tells `null` from absent: JavaScript writes `NaN` as `null`.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A checked wish for an order.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// What.
    pub contents: Contents,
    /// What makes the placing idempotent.
    pub client_order_id: Option<IdempotencyKey>,
    /// Who prepares it.
    pub restaurant: Option<UserId>,
}

impl PlaceOrderBody {
    /// The wish, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<PlaceOrder> {
        let mut fields = Fields::new();
        let items = parse_items(&mut fields, self.items.unwrap_or_default(), 1);
        let total = self.total.map(|total| amount(&mut fields, "total".into(), total));
        let pickup = self.pickup.map(|place| place.parse("pickup", &mut fields));
        let dropoff = self.dropoff.map(|place| place.parse("dropoff", &mut fields));
        let note = fields.optional("note", self.note, Description::parse_or_none).flatten();
        let key = fields.optional("clientOrderId", self.client_order_id, |text| text.parse());
        let restaurant = fields.optional("restaurantId", self.restaurant_id, |text| text.parse());
        let items = fields.into_result(items)?;
        let (total, pickup, dropoff) = (total.flatten(), pickup.flatten(), dropoff.flatten());
        let total = sum(&items).or(total);
        let contents =
            Contents { items, total, pickup, dropoff, note, contact: None, earnings: None };
        Ok(PlaceOrder { contents, client_order_id: key, restaurant })
    }
}

/// The lines of an order, at least so many, checked.
pub(crate) fn parse_items(
    fields: &mut Fields,
    items: Vec<ItemBody>,
    least: usize,
) -> Option<Vec<Item>> {
    if items.len() < least || items.len() > MOST_ITEMS {
        fields.reject("items", format!("must be a list of {least} to {MOST_ITEMS} items"));
        return None;
    }
    let parsed = items.into_iter().enumerate().map(|(at, item)| item.parse(at, fields));
    parsed.collect::<Vec<_>>().into_iter().collect()
}

/// What items cost that all carry prices.
pub(crate) fn sum(items: &[Item]) -> Option<Money> {
    items.iter().map(|item| Some(item.price?.times(item.quantity))).sum()
}

fn amount(fields: &mut Fields, field: String, value: Option<f64>) -> Option<Money> {
    match value.map(Money::parse) {
        Some(Ok(amount)) => Some(amount),
        Some(Err(problem)) => {
            fields.reject(field, problem.to_string());
            None
        }
        None => {
            fields.reject(field, "must be a number");
            None
        }
    }
}

impl ItemBody {
    fn parse(self, at: usize, fields: &mut Fields) -> Option<Item> {
        let (name, quantity, price) = match self {
            Self::Name(name) => (Some(name.into()), None, None),
            Self::Line(LineBody { name, quantity, price }) => (name, quantity, price),
        };
        let name = name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        let name = ItemName::parse(name)
            .map_err(|problem| fields.reject(format!("items[{at}].name"), problem.to_string()))
            .ok();
        let quantity = match quantity.map(whole_number) {
            None => Some(1),
            Some(Some(quantity)) => Some(quantity),
            Some(None) => {
                let problem = format!("must be a whole number from 1 to {MOST_OF_ONE}");
                fields.reject(format!("items[{at}].quantity"), problem);
                None
            }
        };
        let price = price.map(|price| {
            let price = price.as_ref().and_then(serde_json::Value::as_f64);
            amount(fields, format!("items[{at}].price"), price)
        });
        Some(Item { name: name?, quantity: quantity?, price: price.flatten() })
    }
}

fn whole_number(value: Option<serde_json::Value>) -> Option<u32> {
    let number = value?.as_f64()?;
    let is_whole = (1.0..=MOST_OF_ONE).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u32)
}

impl PlaceBody {
    fn parse(self, at: &'static str, fields: &mut Fields) -> Option<Place> {
        let place = match self {
            Self::Address(address) => {
                WholePlaceBody { name: None, address: Some(address), lat: None, lng: None }
            }
            Self::Whole(place) => place,
        };
        let mut check = |field: &str, problem: &str| {
            fields.reject(format!("{at}.{field}"), problem);
        };
        let address = Address::parse(place.address.unwrap_or_default())
            .map_err(|problem| check("address", &problem.to_string()))
            .ok();
        let name = place.name.map(DisplayName::parse).transpose();
        let name = name.map_err(|problem| check("name", &problem.to_string())).ok().flatten();
        let number = |value: Option<serde_json::Value>| value.map(|value| value.as_f64());
        let (lat, lng) = (number(place.lat), number(place.lng));
        let point = match (lat, lng) {
            (None, None) => None,
            (lat, lng) => {
                let lat = lat.flatten().and_then(|degrees| latitude(degrees).ok());
                let lng = lng.flatten().and_then(|degrees| longitude(degrees).ok());
                if lat.is_none() {
                    check("lat", LATITUDE_RANGE);
                }
                if lng.is_none() {
                    check("lng", LONGITUDE_RANGE);
                }
                lat.zip(lng).and_then(|(lat, lng)| Point::new(lat, lng))
            }
        };
        Some(Place { name, address: address?, point })
    }
}

#[cfg(test)]
mod tests;
