//! What drivers earned.

use waggle::clock::Timestamp;
use waggle::ids::UserId;
use waggle::money::Money;
use waggle::orders::model::{Change, Earned, Notice, NoticeKind, Notify, Order, Status, When};
use waggle::orders::store::Changed;

use super::{either_node, insert, new_order};
use crate::fixture::{Stores, at, at_once, somebody};

/// An order of a driver that was delivered at some time, for so many hundredths.
fn delivered(driver: UserId, millis: i64, earnings: i64) -> Order {
    Order {
        status: Status::Delivered,
        driver: Some(driver),
        earnings: Money::from_minor(earnings),
        updated_at: at(millis),
        ..new_order(somebody())
    }
}

/// What a driver earned between these times: hundredths, and orders.
async fn earned(stores: &Stores, driver: UserId, bounds: &[i64]) -> Vec<(i64, u64)> {
    let bounds: Vec<Timestamp> = bounds.iter().map(|millis| at(*millis)).collect();
    let earned = stores.orders.earned(driver, &bounds).await.unwrap();
    earned.into_iter().map(|Earned { total, orders }| (total.minor(), orders)).collect()
}

every_store! {
    async fn what_a_driver_earned_is_of_orders_delivered_in_each_time(stores: Stores) {
        let (driver, other) = (somebody(), somebody());
        for (millis, earnings) in
            [(-1, 1), (0, 10), (9, 100), (10, 1000), (19, 0), (29, 10_000), (30, 100_000)]
        {
            insert(&stores, &delivered(driver, millis, earnings)).await;
        }
        insert(&stores, &delivered(other, 5, 7)).await;
        for status in [Status::Preparing, Status::OutForDelivery, Status::Cancelled] {
            insert(&stores, &Order { status, ..delivered(driver, 5, 3) }).await;
        }
        for (bounds, expected) in [
            (&[][..], &[][..]),
            (&[5], &[]),
            (&[5, 5], &[(0, 0)]),
            (&[0, 10], &[(110, 2)]),
            (&[0, 10, 20, 30], &[(110, 2), (1000, 2), (10_000, 1)]),
            (&[0, 10, 10, 20, 20, 20], &[(110, 2), (0, 0), (1000, 2), (0, 0), (0, 0)]),
            (&[-500, -100, -1, 40, 50], &[(0, 0), (0, 0), (111_111, 7), (0, 0)]),
        ] {
            let node = stores.another_node();
            assert_eq!(earned(&node, driver, bounds).await, expected, "{bounds:?}");
        }
        assert_eq!(earned(&stores, other, &[0, 10, 20]).await, [(7, 1), (0, 0)]);
        assert_eq!(earned(&stores, somebody(), &[0, 10]).await, [(0, 0)]);
    }

    async fn the_days_of_a_year_are_summed_exactly(stores: Stores) {
        const DAY: i64 = 86_400_000;
        let driver = somebody();
        for day in 0..30 {
            insert(&stores, &delivered(driver, day * DAY, 100_000_000)).await;
        }
        let days: Vec<_> = (0..=366).map(|day| day * DAY).collect();
        let by_day = earned(&stores, driver, &days).await;
        let expected: Vec<_> =
            (0..366).map(|day| if day < 30 { (100_000_000, 1) } else { (0, 0) }).collect();
        assert_eq!(by_day, expected);
        assert_eq!(earned(&stores, driver, &[0, days[366]]).await, [(3_000_000_000, 30)]);
    }

    async fn an_order_counts_once_and_when_it_was_delivered(stores: Stores) {
        let driver = somebody();
        let mut orders = Vec::new();
        for _ in 0..20 {
            let order = Order { status: Status::OutForDelivery, ..delivered(driver, 1, 250) };
            orders.push(insert(&stores, &order).await);
        }
        assert_eq!(earned(&stores, driver, &[0, 10, 20]).await, [(0, 0), (0, 0)]);
        let outcomes = at_once((0..40).map(|n| {
            let (node, order) = (either_node(&stores, n), orders[n % 20].clone());
            let notice = Notice { driver, no: 1, kind: NoticeKind::Assigned };
            let change = Change {
                status: Status::Delivered,
                notify: Notify::Set(notice),
                ..Change::of(&order, at(15))
            };
            async move { node.orders.change(order.id, &When::from(&order), &change).await.unwrap() }
        }))
        .await;
        let refused = outcomes.iter().filter(|one| **one == Changed::Otherwise).count();
        assert_eq!(refused, 20);
        assert_eq!(earned(&stores, driver, &[0, 10, 20]).await, [(0, 0), (5000, 20)]);
        let told: Vec<_> = orders.iter().map(|order| (driver, order.id, 1)).collect();
        stores.orders.told(&told).await.unwrap();
        assert_eq!(earned(&stores, driver, &[0, 10, 20]).await, [(0, 0), (5000, 20)]);
    }
}
