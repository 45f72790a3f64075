use serde_json::{Value, json};

use super::*;

fn parse(value: Value) -> Result<PlaceOrder> {
    serde_json::from_value::<PlaceOrderBody>(value).unwrap().parse()
}

fn wrong(value: Value) -> Vec<String> {
    let error = parse(value).unwrap_err();
    error.details.into_iter().map(|detail| detail.field.into_owned()).collect()
}

#[test]
fn the_total_is_computed_where_all_items_carry_prices() {
    let priced = json!({"name": "tea", "quantity": 3, "price": 1.1});
    let order = parse(json!({"items": [priced], "total": 99})).unwrap();
    assert_eq!(order.contents.total, Some(Money::from_minor(330)));
    let order = parse(json!({"items": [priced, "milk"], "total": 4.2})).unwrap();
    assert_eq!(order.contents.total, Some(Money::from_minor(420)));
    assert_eq!(order.contents.items[1].quantity, 1);
    assert_eq!(parse(json!({"items": ["milk"]})).unwrap().contents.total, None);
}

#[test]
fn everything_wrong_with_an_order_is_told_at_once() {
    let fields = wrong(json!({
        "items": [{"name": " ", "quantity": 0, "price": -1}, {"quantity": 1e9, "price": null},
            {"name": "x", "quantity": 1.5, "price": "2"}],
        "total": null, "pickup": {"lat": 91, "lng": 0, "address": "a"},
        "dropoff": {"lat": 1}, "note": "n".repeat(501), "clientOrderId": "", "restaurantId": "x"
    }));
    let expected = [
        "items[0].name",
        "items[0].quantity",
        "items[0].price",
        "items[1].name",
        "items[1].quantity",
        "items[1].price",
        "items[2].quantity",
        "items[2].price",
        "total",
        "pickup.lat",
        "dropoff.address",
        "dropoff.lng",
        "note",
        "clientOrderId",
        "restaurantId",
    ];
    assert_eq!(fields, expected);
    assert_eq!(wrong(json!({"items": []})), ["items"]);
    assert_eq!(wrong(json!({})), ["items"]);
}

#[test]
fn a_place_may_be_its_address() {
    let order = parse(json!({"items": ["x"], "dropoff": "Main St 1"})).unwrap();
    assert_eq!(order.contents.dropoff.unwrap().address.as_str(), "Main St 1");
    let place = json!({"address": "a", "lat": 0, "lng": 0});
    let order = parse(json!({"items": ["x"], "pickup": place})).unwrap();
    assert_eq!(order.contents.pickup.unwrap().point, Point::new(0.0, 0.0));
}
