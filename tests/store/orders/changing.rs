//! Changes of orders.

use waggle::ids::{OrderId, UserId};
use waggle::money::Money;
use waggle::orders::model::{
    Change, Entry, Notice, NoticeKind, Notify, Order, Passed, Rejection, Status, When,
};
use waggle::orders::store::Changed;
use waggle::text::Description;

use super::{either_node, full_order, insert, new_order};
use crate::fixture::{Stores, at, at_once, somebody};

#[track_caller]
pub(super) fn done(changed: Changed) -> Order {
    match changed {
        Changed::Done(order) => *order,
        refused => panic!("{refused:?}"),
    }
}

/// What makes a driver bring an order.
pub(super) fn taking(order: &Order, driver: UserId) -> Change {
    let status = Status::Preparing;
    let entry = Entry { status, at: at(9), by: driver, driver: Some(driver), reason: None };
    Change { status, driver: Some(driver), entry: Some(entry), ..Change::of(order, at(9)) }
}

/// A driver takes a pending order.
pub(super) async fn take(stores: &Stores, order: &Order, driver: UserId) -> Order {
    let change = taking(order, driver);
    done(stores.orders.change(order.id, &When::from(order), &change).await.unwrap())
}

fn rejecting(order: &Order, driver: UserId, reason: &str) -> Change {
    let reason = Description::parse_or_none(reason).unwrap();
    let rejection = Some(Rejection { driver, reason, at: at(3) });
    Change { rejection, ..Change::of(order, at(3)) }
}

every_store! {
    async fn a_change_changes_what_it_says_and_nothing_else(stores: Stores) {
        let (driver, other) = (somebody(), insert(&stores, &full_order(somebody())).await);
        let reason = Description::parse_or_none("weil \"ja\" 🐝").unwrap();
        for order in [new_order(somebody()), full_order(somebody())] {
            let before = insert(&stores, &order).await;
            let entry = Entry {
                status: Status::Preparing,
                at: at(5),
                by: driver,
                driver: Some(driver),
                reason: reason.clone(),
            };
            let rejection = Rejection { driver, reason: reason.clone(), at: at(6) };
            let change = Change {
                status: Status::Preparing,
                driver: Some(driver),
                earnings: Money::from_minor(1234),
                offered_to: Some(somebody()),
                dispatch_at: Some(at(77)),
                passed: Passed::Add(driver),
                notify: Notify::Set(Notice {
                    driver,
                    no: before.history.len() as u32 + 1,
                    kind: NoticeKind::Assigned,
                }),
                rejection: Some(rejection.clone()),
                entry: Some(entry.clone()),
                at: at(8),
            };
            let mut expected = Order {
                status: change.status,
                driver: change.driver,
                earnings: change.earnings,
                offered_to: change.offered_to,
                dispatch_at: change.dispatch_at,
                updated_at: at(8),
                ..before.clone()
            };
            expected.passed.push(driver);
            expected.rejections.push(rejection);
            expected.history.push(entry);
            let after =
                stores.orders.change(order.id, &When::from(&before), &change).await.unwrap();
            assert_eq!(done(after), expected);
            assert_eq!(
                stores.another_node().orders.order(order.id).await.unwrap(),
                Some(expected.clone())
            );

            let nothing = Change {
                driver: None,
                offered_to: None,
                dispatch_at: None,
                ..Change::of(&expected, at(9))
            };
            let after =
                stores.orders.change(order.id, &When::from(&expected), &nothing).await.unwrap();
            let expected = Order {
                driver: None,
                offered_to: None,
                dispatch_at: None,
                updated_at: at(9),
                ..expected
            };
            assert_eq!(done(after), expected);
            assert_eq!(stores.orders.order(order.id).await.unwrap(), Some(expected));
        }
        assert_eq!(stores.orders.order(other.id).await.unwrap(), Some(other));
    }

    async fn a_change_happens_only_to_an_order_that_is_exactly_as_it_must_be(stores: Stores) {
        let (driver, offered, other) = (Some(somebody()), Some(somebody()), Some(somebody()));
        for (driver, offered_to) in [(None, None), (driver, None), (None, offered)] {
            let order =
                insert(&stores, &Order { driver, offered_to, ..new_order(somebody()) }).await;
            let is = When::from(&order);
            let change = Change { earnings: Money::from_minor(1), ..Change::of(&order, at(5)) };
            for when in [
                When { status: Status::Preparing, ..is },
                When { driver: other, ..is },
                When { offered_to: other, ..is },
                When { driver: if driver.is_some() { None } else { other }, ..is },
                When { offered_to: if offered_to.is_some() { None } else { other }, ..is },
            ] {
                let outcome = stores.orders.change(order.id, &when, &change).await.unwrap();
                assert_eq!(outcome, Changed::Otherwise, "{when:?} {is:?}");
            }
            assert_eq!(stores.orders.order(order.id).await.unwrap().as_ref(), Some(&order));
            done(stores.orders.change(order.id, &is, &change).await.unwrap());
            let nowhere = OrderId::generate(at(0));
            assert_eq!(
                stores.orders.change(nowhere, &is, &change).await.unwrap(),
                Changed::Otherwise
            );
        }
    }

    async fn of_a_hundred_drivers_at_once_one_gets_the_order(stores: Stores) {
        let order = insert(&stores, &new_order(somebody())).await;
        let outcomes = at_once((0..100).map(|n| {
            let (node, order, driver) = (either_node(&stores, n), order.clone(), somebody());
            async move {
                let change = taking(&order, driver);
                node.orders.change(order.id, &When::from(&order), &change).await.unwrap()
            }
        }))
        .await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|one| matches!(one, Changed::Done(_)));
        assert_eq!((winners.len(), losers.len()), (1, 99));
        assert!(losers.iter().all(|one| *one == Changed::Otherwise), "{losers:?}");
        let winner = done(winners.into_iter().next().unwrap());
        assert_eq!(winner.history.len(), 1);
        assert_eq!(stores.orders.order(order.id).await.unwrap(), Some(winner));
    }

    async fn a_driver_rejects_an_order_once(stores: Stores) {
        let order = insert(&stores, &new_order(somebody())).await;
        let (one, other) = (somebody(), somebody());
        let reject = async |driver, reason| {
            let change = rejecting(&order, driver, reason);
            stores.orders.change(order.id, &When::from(&order), &change).await.unwrap()
        };
        assert_eq!(done(reject(one, "no").await).rejections.len(), 1);
        assert_eq!(reject(one, "no").await, Changed::Otherwise);
        assert_eq!(reject(one, "never").await, Changed::Otherwise);
        let drivers: Vec<_> =
            done(reject(other, "").await).rejections.iter().map(|one| one.driver).collect();
        assert_eq!(drivers, [one, other]);
        done(
            stores
                .orders
                .change(order.id, &When::from(&order), &taking(&order, one))
                .await
                .unwrap(),
        );
    }

    async fn many_rejections_at_once_are_one_of_each_driver(stores: Stores) {
        let order = insert(&stores, &new_order(somebody())).await;
        let drivers: Vec<_> = (0..5).map(|_| somebody()).collect();
        let outcomes =
            at_once(
                (0..20).map(|n| {
                    let (node, order) = (either_node(&stores, n), order.clone());
                    let change = rejecting(&order, drivers[n % 5], "no");
                    async move {
                        node.orders.change(order.id, &When::from(&order), &change).await.unwrap()
                    }
                }),
            )
            .await;
        assert_eq!(outcomes.iter().filter(|one| matches!(one, Changed::Done(_))).count(), 5);
        let rejections = stores.orders.order(order.id).await.unwrap().unwrap().rejections;
        let mut found: Vec<_> = rejections.iter().map(|one| one.driver).collect();
        found.sort_unstable();
        let mut drivers = drivers.clone();
        drivers.sort_unstable();
        assert_eq!(found, drivers);
    }

    async fn drivers_let_an_order_pass_once_until_they_are_taken_out(stores: Stores) {
        let order = insert(&stores, &new_order(somebody())).await;
        let (one, other) = (somebody(), somebody());
        for (passed, left) in [
            (Passed::Remove(one), &[][..]),
            (Passed::Add(one), &[one]),
            (Passed::Add(one), &[one]),
            (Passed::Add(other), &[one, other]),
            (Passed::Keep, &[one, other]),
            (Passed::Remove(one), &[other]),
            (Passed::Remove(one), &[other]),
            (Passed::Add(one), &[other, one]),
        ] {
            let change = Change { passed, ..Change::of(&order, at(1)) };
            let after = stores.orders.change(order.id, &When::from(&order), &change).await.unwrap();
            assert_eq!(done(after).passed, left, "{passed:?}");
        }
    }
}
