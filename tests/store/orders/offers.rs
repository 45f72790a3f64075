//! Orders that are offered to one driver.

use waggle::ids::UserId;
use waggle::orders::model::{Change, Order, Status, When};
use waggle::orders::store::Changed;

use super::changing::{done, taking};
use super::{either_node, insert, new_order};
use crate::fixture::{Stores, at, at_once, somebody};

fn offering(order: &Order, driver: UserId) -> Change {
    Change { offered_to: Some(driver), dispatch_at: Some(at(60)), ..Change::of(order, at(1)) }
}

async fn offer(stores: &Stores, order: &Order, driver: UserId) -> Changed {
    let change = offering(order, driver);
    stores.orders.change(order.id, &When::from(order), &change).await.unwrap()
}

every_store! {
    async fn a_driver_is_offered_one_order_until_the_offer_ends(stores: Stores) {
        let driver = somebody();
        let (one, other) = (
            insert(&stores, &new_order(somebody())).await,
            insert(&stores, &new_order(somebody())).await,
        );
        let offered = done(offer(&stores, &one, driver).await);
        assert_eq!(
            stores.another_node().orders.offered_to(driver).await.unwrap().as_ref(),
            Some(&offered)
        );
        assert_eq!(stores.orders.offered_to(somebody()).await.unwrap(), None);
        assert_eq!(offer(&stores, &other, driver).await, Changed::Busy);
        assert_eq!(stores.orders.order(other.id).await.unwrap().as_ref(), Some(&other));
        assert_eq!(
            done(offer(&stores, &offered, driver).await).offered_to,
            Some(driver),
            "the same again"
        );

        let ended = Change { offered_to: None, ..taking(&offered, driver) };
        done(stores.orders.change(one.id, &When::from(&offered), &ended).await.unwrap());
        assert_eq!(stores.orders.offered_to(driver).await.unwrap(), None);
        let offered = done(offer(&stores, &other, driver).await);
        assert_eq!(stores.orders.offered_to(driver).await.unwrap(), Some(offered));
    }

    async fn an_order_that_is_not_pending_is_offered_to_nobody(stores: Stores) {
        let driver = somebody();
        let status = Status::Preparing;
        insert(&stores, &Order { status, offered_to: Some(driver), ..new_order(somebody()) }).await;
        assert_eq!(stores.orders.offered_to(driver).await.unwrap(), None);
    }

    async fn of_many_orders_offered_to_a_driver_at_once_one_is(stores: Stores) {
        let driver = somebody();
        let mut orders = Vec::new();
        for _ in 0..10 {
            orders.push(insert(&stores, &new_order(somebody())).await);
        }
        let outcomes = at_once(orders.into_iter().enumerate().map(|(n, order)| {
            let node = either_node(&stores, n);
            async move { offer(&node, &order, driver).await }
        }))
        .await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|one| matches!(one, Changed::Done(_)));
        assert_eq!(winners.len(), 1);
        assert!(losers.iter().all(|one| *one == Changed::Busy), "{losers:?}");
        let winner = done(winners.into_iter().next().unwrap());
        assert_eq!(stores.orders.offered_to(driver).await.unwrap(), Some(winner));
    }

    async fn a_busy_driver_does_not_keep_other_changes_from_happening(stores: Stores) {
        let driver = somebody();
        let held = insert(&stores, &new_order(somebody())).await;
        done(offer(&stores, &held, driver).await);
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(insert(&stores, &new_order(somebody())).await);
        }
        // Written at once, so that some share a transaction.
        let outcomes = at_once(orders.into_iter().enumerate().map(|(n, order)| {
            let (node, to) =
                (either_node(&stores, n), if n % 4 == 0 { driver } else { somebody() });
            async move { (n, offer(&node, &order, to).await) }
        }))
        .await;
        for (n, outcome) in outcomes {
            assert_eq!(outcome == Changed::Busy, n % 4 == 0, "{n} {outcome:?}");
        }
    }
}
