//! Orders: inserting, numbers, repeats.

mod changing;
mod earnings;
mod lists;
mod notices;
mod offers;

use std::collections::BTreeSet;

use waggle::geo::Point;
use waggle::ids::{OrderId, UserId};
use waggle::money::Money;
use waggle::orders::model::{Contact, Contents, Entry, Item, Order, Place, Rejection, Status};
use waggle::orders::store::Inserted;
use waggle::text::{Address, Description, DisplayName, Text};

use crate::fixture::{Stores, at, at_once, somebody};

/// A pending order of one thing, with nothing that may be left out.
pub(crate) fn new_order(customer: UserId) -> Order {
    let soup = Item { name: Text::parse("Soup").unwrap(), quantity: 1, price: None };
    let contents = Contents {
        items: vec![soup],
        total: None,
        pickup: None,
        dropoff: None,
        note: None,
        contact: None,
        earnings: None,
    };
    Order {
        id: OrderId::generate(at(0)),
        number: 0,
        customer,
        restaurant: None,
        contents,
        client_order_id: None,
        status: Status::Pending,
        driver: None,
        earnings: Money::default(),
        offered_to: None,
        dispatch_at: None,
        passed: Vec::new(),
        rejections: Vec::new(),
        history: Vec::new(),
        created_at: at(0),
        updated_at: at(0),
    }
}

/// An order with everything that an order can have.
fn full_order(customer: UserId) -> Order {
    let reason = |text| Description::parse_or_none(text).unwrap();
    let item = |name, quantity, price: Option<i64>| Item {
        name: Text::parse(name).unwrap(),
        quantity,
        price: price.map(Money::from_minor),
    };
    let place = |name: Option<&str>, point| Place {
        name: name.map(|name| DisplayName::parse(name).unwrap()),
        address: Address::parse("Straße des \"17. Juni\" 135, 東京 🏯").unwrap(),
        point,
    };
    let driver = somebody();
    let entry = |status, driver, why| Entry {
        status,
        at: at(7),
        by: customer,
        driver,
        reason: reason(why),
    };
    Order {
        restaurant: Some(somebody()),
        contents: Contents {
            items: vec![item("Phở 🍜", 2, Some(1250)), item("it's", u32::MAX, None)],
            total: Some(Money::from_minor(100_000_000)),
            pickup: Some(place(Some("Zum Löwen"), Point::new(0.1 + 0.2, -1.0 / 3.0))),
            dropoff: Some(place(None, None)),
            note: reason("Bell is broken; knock\\knock"),
            contact: Some(Contact {
                name: Some(DisplayName::parse("Zoë \"Z\" O'Hara").unwrap()),
                phone: Some(Text::parse("+43 1 234-56").unwrap()),
            }),
            earnings: Some(Money::from_minor(4550)),
        },
        client_order_id: Some("key-🔑".parse().unwrap()),
        status: Status::OutForDelivery,
        driver: Some(driver),
        earnings: Money::from_minor(499),
        offered_to: Some(somebody()),
        dispatch_at: Some(at(12)),
        passed: vec![somebody(), somebody()],
        rejections: vec![
            Rejection { driver: somebody(), reason: reason("zu weit"), at: at(3) },
            Rejection { driver: somebody(), reason: None, at: at(4) },
        ],
        history: vec![
            entry(Status::Pending, None, ""),
            entry(Status::Preparing, Some(driver), "übernommen"),
        ],
        created_at: at(1),
        updated_at: at(999),
        ..new_order(customer)
    }
}

#[track_caller]
fn stored(inserted: Inserted) -> Order {
    match inserted {
        Inserted::Stored(order) => order,
        Inserted::Repeated(order) => panic!("{order:?} should have been new"),
    }
}

pub(crate) async fn insert(stores: &Stores, order: &Order) -> Order {
    stored(stores.orders.insert(order).await.unwrap())
}

fn either_node(stores: &Stores, n: usize) -> Stores {
    if n.is_multiple_of(2) { stores.clone() } else { stores.another_node() }
}

every_store! {
    async fn an_order_is_found_as_it_was_stored_with_the_next_number(stores: Stores) {
        let customer = somebody();
        let (plain, full) = (new_order(customer), Order { number: 77, ..full_order(customer) });
        for (number, order) in [(1, plain), (2, full)] {
            let expected = Order { number, ..order.clone() };
            assert_eq!(insert(&stores, &order).await, expected);
            let orders = stores.another_node().orders;
            assert_eq!(orders.order(order.id).await.unwrap().as_ref(), Some(&expected));
            assert_eq!(orders.order_by_number(number).await.unwrap(), Some(expected));
        }
    }

    async fn without_an_order_there_is_nothing_to_find(stores: Stores) {
        insert(&stores, &new_order(somebody())).await;
        assert_eq!(stores.orders.order(OrderId::generate(at(0))).await.unwrap(), None);
        for number in [0, 2, -1] {
            assert_eq!(stores.orders.order_by_number(number).await.unwrap(), None);
        }
        assert_eq!(stores.orders.offered_to(somebody()).await.unwrap(), None);
    }

    async fn a_contact_is_kept_with_what_is_known_of_it(stores: Stores) {
        let (name, phone) = (Some(DisplayName::parse("Zoë").unwrap()), Text::parse("112").ok());
        for contact in [
            None,
            Some(Contact { name: name.clone(), phone: None }),
            Some(Contact { name: None, phone: phone.clone() }),
            Some(Contact { name, phone }),
            Some(Contact { name: None, phone: None }),
        ] {
            let mut order = new_order(somebody());
            order.contents.contact = contact.clone();
            insert(&stores, &order).await;
            let found = stores.orders.order(order.id).await.unwrap().unwrap();
            assert_eq!(found.contents.contact, contact);
        }
    }

    async fn every_status_is_kept(stores: Stores) {
        for status in Status::ALL {
            let order = insert(&stores, &Order { status, ..new_order(somebody()) }).await;
            assert_eq!(stores.orders.order(order.id).await.unwrap().unwrap().status, status);
        }
    }

    async fn an_order_that_is_inserted_again_is_given_as_it_is_now(stores: Stores) {
        let key = Some("once".parse().unwrap());
        let keyed = Order { client_order_id: key, ..new_order(somebody()) };
        for (order, next) in [(keyed, Some(2)), (new_order(somebody()), None)] {
            insert(&stores, &order).await;
            let changed = changing::take(&stores, &order, somebody()).await;
            let again = Order { number: 99, updated_at: at(5), ..order };
            assert_eq!(insert(&stores.another_node(), &again).await, changed);
            if let Some(next) = next {
                let another = insert(&stores, &new_order(somebody())).await;
                assert_eq!(another.number, next, "no number was used up");
            }
        }
    }

    async fn a_key_is_used_once_by_each_customer(stores: Stores) {
        let keyed = |customer, key: &str| Order {
            client_order_id: Some(key.parse().unwrap()),
            ..new_order(customer)
        };
        let (alice, bob) = (somebody(), somebody());
        let first = insert(&stores, &keyed(alice, "key")).await;
        let again = stores.another_node().orders.insert(&keyed(alice, "key")).await.unwrap();
        assert_eq!(again, Inserted::Repeated(first));
        for (number, order) in [
            (2, keyed(bob, "key")),
            (3, keyed(alice, "Key")),
            (4, new_order(alice)),
            (5, new_order(alice)),
        ] {
            assert_eq!(insert(&stores, &order).await.number, number);
        }
    }

    async fn orders_inserted_at_once_have_the_numbers_from_1_on(stores: Stores) {
        let numbers = at_once((0..50).map(|n| {
            let node = either_node(&stores, n);
            async move { insert(&node, &new_order(somebody())).await.number }
        }))
        .await;
        assert_eq!(BTreeSet::from_iter(numbers), (1..=50).collect());
    }

    async fn an_order_with_a_key_that_is_placed_many_times_at_once_is_there_once(stores: Stores) {
        let customer = somebody();
        let outcomes = at_once((0..20).map(|n| {
            let node = either_node(&stores, n);
            let order =
                Order { client_order_id: Some("key".parse().unwrap()), ..new_order(customer) };
            async move { node.orders.insert(&order).await.unwrap() }
        }))
        .await;
        let new: Vec<_> =
            outcomes.iter().filter(|one| matches!(one, Inserted::Stored(_))).collect();
        let [Inserted::Stored(order)] = new[..] else { panic!("{new:?}") };
        for outcome in &outcomes {
            let (Inserted::Stored(one) | Inserted::Repeated(one)) = outcome;
            assert_eq!(one, order);
        }
        assert_eq!(lists::numbers(&stores, lists::of(customer)).await, [order.number]);
    }

    async fn an_order_that_is_inserted_many_times_at_once_is_there_once(stores: Stores) {
        let order =
            Order { client_order_id: Some("key".parse().unwrap()), ..new_order(somebody()) };
        let outcomes = at_once((0..20).map(|n| {
            let (node, order) = (either_node(&stores, n), order.clone());
            async move { insert(&node, &order).await }
        }))
        .await;
        assert!(outcomes.iter().all(|one| *one == outcomes[0]));
        assert_eq!(lists::numbers(&stores, lists::of(order.customer)).await, [outcomes[0].number]);
    }
}
