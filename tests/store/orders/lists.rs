//! Lists of orders.

use waggle::ids::UserId;
use waggle::orders::model::{Change, Order, OrderPage, Rejection, Status, When, Whose};

use super::changing::done;
use super::{insert, new_order};
use crate::fixture::{Stores, at, somebody};

/// The first page of a user's orders.
pub(super) fn of(user: UserId) -> OrderPage {
    OrderPage { whose: Whose::Of(user), status: None, before: None, limit: 100 }
}

fn numbers_of(orders: &[Order]) -> Vec<i64> {
    orders.iter().map(|order| order.number).collect()
}

/// The numbers on a page.
pub(super) async fn numbers(stores: &Stores, page: OrderPage) -> Vec<i64> {
    let orders = stores.orders.orders(&page).await.unwrap();
    for order in &orders {
        assert_eq!(stores.orders.order(order.id).await.unwrap().as_ref(), Some(order));
    }
    numbers_of(&orders)
}

every_store! {
    async fn a_page_has_the_orders_a_user_placed_prepares_or_brings(stores: Stores) {
        let (alice, bob, other) = (somebody(), somebody(), somebody());
        for (customer, restaurant, driver, status) in [
            (alice, None, None, Status::Pending),
            (other, Some(alice), None, Status::Preparing),
            (other, None, Some(alice), Status::Pending),
            (other, Some(bob), Some(other), Status::Delivered),
            (alice, Some(alice), Some(alice), Status::Delivered),
            (alice, Some(bob), None, Status::Cancelled),
        ] {
            insert(&stores, &Order { restaurant, driver, status, ..new_order(customer) }).await;
        }
        let in_status = |status, page| OrderPage { status: Some(status), ..page };
        let everybodys = OrderPage { whose: Whose::Everybodys, ..of(alice) };
        for (page, found) in [
            (of(alice), &[6, 5, 3, 2, 1][..]),
            (of(bob), &[6, 4]),
            (of(somebody()), &[]),
            (everybodys, &[6, 5, 4, 3, 2, 1]),
            (in_status(Status::Pending, of(alice)), &[3, 1]),
            (in_status(Status::Delivered, of(alice)), &[5]),
            (in_status(Status::OutForDelivery, of(alice)), &[]),
            (in_status(Status::Delivered, everybodys), &[5, 4]),
            (OrderPage { before: Some(5), limit: 2, ..of(alice) }, &[3, 2]),
            (OrderPage { before: Some(1), ..of(alice) }, &[]),
            (OrderPage { before: Some(3), ..in_status(Status::Pending, of(alice)) }, &[1]),
            (OrderPage { before: Some(5), limit: 3, ..everybodys }, &[4, 3, 2]),
            (
                OrderPage { before: Some(5), limit: 3, ..in_status(Status::Pending, everybodys) },
                &[3, 1],
            ),
            (OrderPage { limit: 0, ..everybodys }, &[]),
            (OrderPage { limit: 0, ..of(alice) }, &[]),
        ] {
            assert_eq!(numbers(&stores, page).await, found, "{page:?}");
        }
    }

    async fn pages_follow_one_another_without_gap_or_repeat(stores: Stores) {
        let customer = somebody();
        for n in 0..23 {
            let status = Status::ALL[n % 5];
            insert(&stores, &Order { status, ..new_order(customer) }).await;
        }
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = numbers(&stores, OrderPage { before, limit: 5, ..of(customer) }).await;
            let Some(last) = page.last() else { break };
            before = Some(*last);
            seen.extend(page);
        }
        assert_eq!(seen, (1..=23).rev().collect::<Vec<_>>());
    }

    async fn orders_under_way_are_those_a_driver_is_at(stores: Stores) {
        let (user, other) = (somebody(), somebody());
        for status in Status::ALL {
            insert(&stores, &Order { status, driver: Some(other), ..new_order(user) }).await;
            insert(&stores, &Order { status, driver: Some(user), ..new_order(other) }).await;
            insert(&stores, &Order { status, restaurant: Some(user), ..new_order(somebody()) })
                .await;
        }
        for (user, limit, found) in [
            (user, 9, &[8, 7, 5, 4][..]),
            (other, 9, &[8, 7, 5, 4]),
            (user, 3, &[8, 7, 5]),
            (user, 0, &[]),
            (somebody(), 9, &[]),
        ] {
            let under_way = stores.orders.under_way(user, limit).await.unwrap();
            assert_eq!(numbers_of(&under_way), found);
        }
    }

    async fn open_orders_are_pending_offered_to_nobody_and_not_rejected(stores: Stores) {
        let (driver, other) = (somebody(), somebody());
        let rejection = |driver| Rejection { driver, reason: None, at: at(0) };
        let order = || new_order(somebody());
        for order in [
            order(),
            Order { status: Status::Preparing, ..order() },
            Order { offered_to: Some(other), ..order() },
            Order { rejections: vec![rejection(other), rejection(driver)], ..order() },
            Order { rejections: vec![rejection(other)], passed: vec![driver], ..order() },
            Order { status: Status::Cancelled, ..order() },
            Order { offered_to: Some(driver), ..order() },
            order(),
        ] {
            insert(&stores, &order).await;
        }
        for (driver, limit, found) in [
            (driver, 9, &[8, 5, 1][..]),
            (driver, 2, &[8, 5]),
            (other, 9, &[8, 1]),
            (somebody(), 9, &[8, 5, 4, 1]),
            (driver, 0, &[]),
        ] {
            let open = stores.orders.open(driver, limit).await.unwrap();
            assert_eq!(numbers_of(&open), found);
        }
    }

    async fn orders_are_due_at_their_time_the_longest_overdue_first(stores: Stores) {
        let due_at = |millis| Order { dispatch_at: Some(at(millis)), ..new_order(somebody()) };
        for order in [
            due_at(50),
            new_order(somebody()),
            due_at(10),
            Order { status: Status::Cancelled, ..due_at(5) },
            due_at(30),
            due_at(10),
        ] {
            insert(&stores, &order).await;
        }
        for (now, limit, found) in [
            (9, 9, &[][..]),
            (10, 9, &[3, 6]),
            (49, 9, &[3, 6, 5]),
            (50, 9, &[3, 6, 5, 1]),
            (99, 2, &[3, 6]),
            (99, 0, &[]),
        ] {
            let due = stores.orders.due(at(now), at(99), limit).await.unwrap();
            assert_eq!(numbers_of(&due), found, "{now}");
        }
        let third = stores.orders.order_by_number(3).await.unwrap().unwrap();
        let later = Change { dispatch_at: None, ..Change::of(&third, at(11)) };
        done(stores.orders.change(third.id, &When::from(&third), &later).await.unwrap());
        assert_eq!(numbers_of(&stores.orders.due(at(20), at(99), 9).await.unwrap()), [6]);
        // The clock was put back: so far ahead nothing is put.
        assert_eq!(numbers_of(&stores.orders.due(at(2), at(30), 9).await.unwrap()), [1]);
        assert_eq!(numbers_of(&stores.orders.due(at(2), at(29), 9).await.unwrap()), [5, 1]);
    }
}
