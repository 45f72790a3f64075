//! Whatever the back office sends is an order or an error of its own.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::from_value;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-200.0..200.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z0-9 ]{1,30}".prop_map(Value::from),
        prop::collection::vec("[a-z]{0,9}", 0..120).prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn any_values_are_an_order_or_refused(values in prop::collection::vec(value(), 15)) {
        let names = [
            "restaurant_name", "pickup_address", "pickup_lat", "pickup_lng", "delivery_address", "delivery_lat",
            "delivery_lng", "customer_name", "customer_phone", "items", "order_total", "earnings", "note",
            "client_order_id", "driver_id",
        ];
        let good = json!({ "restaurant_name": "R", "pickup_address": "P", "delivery_address": "D" });
        for (at, value) in values.iter().enumerate() {
            let mut one = good.clone();
            one[names[at]] = value.clone();
            if let Ok(whole) = from_value(one).and_then(CreateOrderBody::parse) {
                let phone = whole.order.contents.contact.and_then(|contact| contact.phone);
                prop_assert!(phone.is_none_or(|phone| phone.as_str().chars().count() <= 100));
            }
        }
        let all = Value::from_iter(names.into_iter().zip(values));
        if let Err(error) = from_value(all).and_then(CreateOrderBody::parse) {
            prop_assert_eq!(error.code.status(), 400);
        }
    }

    #[test]
    fn any_words_are_a_status_and_an_assignment_or_refused(word: String, driver in value(), earnings in value()) {
        let status = from_value::<V1StatusBody>(json!({ "status": word })).and_then(V1StatusBody::parse);
        prop_assert!(status.is_ok() == ["pending", "preparing", "out_for_delivery", "delivered", "cancelled"].contains(&word.as_str()));
        let assign = json!({ "driver_id": driver, "earnings": earnings });
        if let Err(error) = from_value(assign).and_then(AssignOrderBody::parse) {
            prop_assert_eq!(error.code.status(), 400);
        }
    }
}
