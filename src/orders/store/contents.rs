//! The contents of orders as both stores keep them. They differ in how a point stands.

use serde::{Deserialize, Serialize};

use crate::geo::Point;
use crate::money::Money;
use crate::orders::model::{Contact, Contents, Item, ItemName, Place};
use crate::text::{Address, Description, DisplayName, Text};

/// What was ordered, with points as `P`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentsRow<P> {
    items: Vec<ItemRow>,
    /// In hundredths, as every amount here.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup: Option<PlaceRow<P>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropoff: Option<PlaceRow<P>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earnings: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemRow {
    name: String,
    quantity: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceRow<P> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<P>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContactRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl<P: From<Point>> From<&Contents> for ContentsRow<P> {
    fn from(contents: &Contents) -> Self {
        Self {
            items: contents.items.iter().map(ItemRow::from).collect(),
            total: contents.total.map(Money::minor),
            pickup: contents.pickup.as_ref().map(PlaceRow::from),
            dropoff: contents.dropoff.as_ref().map(PlaceRow::from),
            note: contents.note.as_ref().map(|note| note.as_str().to_owned()),
            contact: contents.contact.as_ref().map(ContactRow::from),
            earnings: contents.earnings.map(Money::minor),
        }
    }
}

impl<P: Into<Point>> From<ContentsRow<P>> for Contents {
    fn from(row: ContentsRow<P>) -> Self {
        Self {
            items: row.items.into_iter().map(Item::from).collect(),
            total: row.total.map(Money::from_minor),
            pickup: row.pickup.map(Place::from),
            dropoff: row.dropoff.map(Place::from),
            note: row.note.map(Description::from_stored),
            contact: row.contact.map(Contact::from),
            earnings: row.earnings.map(Money::from_minor),
        }
    }
}

impl From<&Item> for ItemRow {
    fn from(item: &Item) -> Self {
        Self {
            name: item.name.as_str().to_owned(),
            quantity: item.quantity.into(),
            price: item.price.map(Money::minor),
        }
    }
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            name: ItemName::from_stored(row.name),
            quantity: row.quantity as u32,
            price: row.price.map(Money::from_minor),
        }
    }
}

impl<P: From<Point>> From<&Place> for PlaceRow<P> {
    fn from(place: &Place) -> Self {
        Self {
            name: place.name.as_ref().map(|name| name.as_str().to_owned()),
            address: place.address.as_str().to_owned(),
            point: place.point.map(P::from),
        }
    }
}

impl<P: Into<Point>> From<PlaceRow<P>> for Place {
    fn from(row: PlaceRow<P>) -> Self {
        Self {
            name: row.name.map(DisplayName::from_stored),
            address: Address::from_stored(row.address),
            point: row.point.map(P::into),
        }
    }
}

impl From<&Contact> for ContactRow {
    fn from(contact: &Contact) -> Self {
        Self {
            name: contact.name.as_ref().map(|name| name.as_str().to_owned()),
            phone: contact.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        }
    }
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        Self {
            name: row.name.map(DisplayName::from_stored),
            phone: row.phone.map(Text::from_stored),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_from_before_there_were_contacts_have_none_and_none_is_left_out() {
        let before = r#"{"items":[{"name":"tea","quantity":1}],"note":"hot"}"#;
        let row: ContentsRow<(f64, f64)> = serde_json::from_str(before).unwrap();
        assert!(row.contact.is_none());
        assert_eq!(serde_json::to_string(&row).unwrap(), before);
    }
}
