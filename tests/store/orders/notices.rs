//! What drivers must still be told.

use waggle::ids::{OrderId, UserId};
use waggle::orders::model::{Change, Notice, NoticeKind, Notify, Order, Passed, Status, When};
use waggle::orders::store::Changed;

use super::changing::{done, taking};
use super::{either_node, insert, new_order};
use crate::fixture::{Stores, at, at_once, somebody};

/// A step that a driver must be told of.
fn telling(order: &Order, driver: UserId, kind: NoticeKind) -> Change {
    let notice = Notice { driver, no: order.history.len() as u32 + 1, kind };
    Change { notify: Notify::Set(notice), ..taking(order, driver) }
}

async fn change(stores: &Stores, order: &Order, change: Change) -> Order {
    done(stores.orders.change(order.id, &When::from(order), &change).await.unwrap())
}

async fn assign(stores: &Stores, order: &Order, driver: UserId) -> Order {
    change(stores, order, telling(order, driver, NoticeKind::Assigned)).await
}

async fn cancel(stores: &Stores, order: &Order, driver: UserId) -> Order {
    let status = Status::Cancelled;
    change(stores, order, Change { status, ..telling(order, driver, NoticeKind::Cancelled) }).await
}

/// What a driver must still be told: numbers of orders, and `no` and kind of each notice.
async fn untold(stores: &Stores, driver: UserId) -> Vec<(i64, u32, NoticeKind)> {
    let mut found = Vec::new();
    for (order, notice) in stores.orders.untold(driver, 100).await.unwrap() {
        assert_eq!(notice.driver, driver);
        assert_eq!(stores.orders.order(order.id).await.unwrap().as_ref(), Some(&order));
        found.push((order.number, notice.no, notice.kind));
    }
    found
}

async fn told(stores: &Stores, told: &[(UserId, OrderId, u32)]) {
    stores.orders.told(told).await.unwrap();
}

every_store! {
    async fn a_driver_must_be_told_until_they_were_the_lowest_numbers_first(stores: Stores) {
        let driver = somebody();
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(insert(&stores, &new_order(somebody())).await);
        }
        for at in [1, 0, 2] {
            orders[at] = assign(&stores, &orders[at], driver).await;
        }
        let node = stores.another_node();
        let assigned = |number| (number, 1, NoticeKind::Assigned);
        assert_eq!(untold(&node, driver).await, [assigned(1), assigned(2), assigned(3)]);
        let first = node.orders.untold(driver, 2).await.unwrap();
        let first: Vec<_> = first.into_iter().map(|(order, _)| order).collect();
        assert_eq!(first, orders[..2]);
        assert_eq!(node.orders.untold(driver, 0).await.unwrap(), []);
        assert_eq!(untold(&node, somebody()).await, []);

        told(&node, &[(driver, orders[0].id, 1), (driver, orders[2].id, 1)]).await;
        assert_eq!(untold(&stores, driver).await, [assigned(2)]);
        told(&stores, &[(driver, orders[1].id, 1)]).await;
        assert_eq!(untold(&node, driver).await, []);
        for order in orders {
            assert_eq!(stores.orders.order(order.id).await.unwrap(), Some(order), "untouched");
        }
    }

    async fn of_what_happened_meanwhile_the_last_is_told(stores: Stores) {
        let driver = somebody();
        let order = insert(&stores, &new_order(somebody())).await;
        let order = assign(&stores, &order, driver).await;
        let order = change(&stores, &order, Change::of(&order, at(10))).await;
        assert_eq!(untold(&stores, driver).await, [(1, 1, NoticeKind::Assigned)], "kept");
        let order = cancel(&stores.another_node(), &order, driver).await;
        assert_eq!(untold(&stores, driver).await, [(1, 2, NoticeKind::Cancelled)]);
        told(&stores, &[(driver, order.id, 2)]).await;
        assert_eq!(untold(&stores, driver).await, []);
    }

    async fn each_driver_of_an_order_has_a_notice_of_their_own(stores: Stores) {
        let (one, other) = (somebody(), somebody());
        let order = insert(&stores, &new_order(somebody())).await;
        let order = assign(&stores, &order, one).await;
        let lost = telling(&order, one, NoticeKind::Cancelled);
        let lost = Change {
            status: Status::Pending,
            driver: None,
            passed: Passed::Add(one),
            ..lost
        };
        let order = change(&stores, &order, lost).await;
        assert_eq!(order.passed, [one]);
        let order = assign(&stores, &order, other).await;
        assert_eq!(untold(&stores, one).await, [(1, 2, NoticeKind::Cancelled)]);
        assert_eq!(untold(&stores, other).await, [(1, 3, NoticeKind::Assigned)]);

        let knows = |driver| Change {
            notify: Notify::Clear(driver),
            passed: Passed::Remove(one),
            ..Change::of(&order, at(20))
        };
        assert_eq!(change(&stores, &order, knows(other)).await.passed, []);
        assert_eq!(untold(&stores, other).await, []);
        change(&stores, &order, knows(somebody())).await;
        assert_eq!(untold(&stores, one).await, [(1, 2, NoticeKind::Cancelled)]);
    }

    async fn only_the_notice_that_was_told_is_forgotten(stores: Stores) {
        let (driver, other) = (somebody(), somebody());
        let order = insert(&stores, &new_order(somebody())).await;
        let order = assign(&stores, &order, driver).await;
        let order = cancel(&stores, &order, driver).await;
        let there = [(1, 2, NoticeKind::Cancelled)];
        for another in [
            &[][..],
            &[(driver, order.id, 1)],
            &[(driver, order.id, 3)],
            &[(other, order.id, 2)],
            &[(driver, OrderId::generate(at(0)), 2), (driver, order.id, 0)],
        ] {
            told(&stores, another).await;
            assert_eq!(untold(&stores, driver).await, there, "{another:?}");
        }
        for _ in 0..2 {
            told(&stores, &[(driver, order.id, 1), (driver, order.id, 2)]).await;
            assert_eq!(untold(&stores, driver).await, []);
        }
    }

    async fn a_change_that_did_not_happen_leaves_no_notice_and_takes_none(stores: Stores) {
        let (driver, busy) = (somebody(), somebody());
        let offered = Order { offered_to: Some(busy), ..new_order(somebody()) };
        insert(&stores, &offered).await;
        let order = insert(&stores, &new_order(somebody())).await;
        let is = When::from(&order);
        let assigned = telling(&order, driver, NoticeKind::Assigned);
        let longer = Notice { driver, no: 2, kind: NoticeKind::Assigned };
        for (when, change, outcome) in [
            (When { status: Status::Preparing, ..is }, assigned.clone(), Changed::Otherwise),
            (is, Change { notify: Notify::Set(longer), ..assigned.clone() }, Changed::Otherwise),
            (is, Change { offered_to: Some(busy), ..assigned.clone() }, Changed::Busy),
        ] {
            assert_eq!(stores.orders.change(order.id, &when, &change).await.unwrap(), outcome);
            assert_eq!(untold(&stores, driver).await, []);
        }
        let order = change(&stores, &order, assigned).await;
        let knows = Change { notify: Notify::Clear(driver), ..Change::of(&order, at(10)) };
        let outcome = stores.orders.change(order.id, &is, &knows).await.unwrap();
        assert_eq!(outcome, Changed::Otherwise);
        assert_eq!(untold(&stores, driver).await, [(2, 1, NoticeKind::Assigned)]);
    }

    async fn a_notice_that_is_set_while_an_older_one_is_told_stays(stores: Stores) {
        let driver = somebody();
        let mut orders = Vec::new();
        for _ in 0..20 {
            let order = insert(&stores, &new_order(somebody())).await;
            orders.push(assign(&stores, &order, driver).await);
        }
        let older: Vec<_> = orders.iter().map(|order| (driver, order.id, 1)).collect();
        at_once((0..40).map(|n| {
            let (node, order) = (either_node(&stores, n), orders[n / 2].clone());
            let older = if n.is_multiple_of(4) { older.clone() } else { vec![older[n / 2]] };
            async move {
                if n.is_multiple_of(2) {
                    told(&node, &older).await;
                } else {
                    cancel(&node, &order, driver).await;
                }
            }
        }))
        .await;
        let cancelled: Vec<_> = (1..=20).map(|number| (number, 2, NoticeKind::Cancelled)).collect();
        assert_eq!(untold(&stores, driver).await, cancelled);
        let newer: Vec<_> = orders.iter().map(|order| (driver, order.id, 2)).collect();
        told(&stores, &newer).await;
        assert_eq!(untold(&stores, driver).await, []);
    }

    async fn of_many_drivers_at_once_only_who_got_the_order_must_be_told(stores: Stores) {
        let order = insert(&stores, &new_order(somebody())).await;
        let drivers: Vec<_> = (0..20).map(|_| somebody()).collect();
        at_once(drivers.iter().enumerate().map(|(n, driver)| {
            let (node, order) = (either_node(&stores, n), order.clone());
            let change = telling(&order, *driver, NoticeKind::Assigned);
            async move {
                node.orders.change(order.id, &When::from(&order), &change).await.unwrap();
            }
        }))
        .await;
        let winner = stores.orders.order(order.id).await.unwrap().unwrap().driver;
        for driver in drivers {
            let expected = (Some(driver) == winner).then_some((1, 1, NoticeKind::Assigned));
            assert_eq!(untold(&stores, driver).await, Vec::from_iter(expected));
        }
    }
}
