//! Drivers: positions, their history, availability.

mod nearest;
mod throughput;
mod trails;

use std::time::Duration;

use waggle::clock::Timestamp;
use waggle::drivers::model::Fix;
use waggle::geo::Point;
use waggle::ids::UserId;

use crate::fixture::{Stores, at, at_once, somebody};

fn place(lat: f64, lng: f64) -> Point {
    Point::new(lat, lng).unwrap()
}

/// A position at this time. It arrives so late that no database thinks it is too old already.
fn fix(point: Point, millis: i64) -> Fix {
    let received_at: Timestamp = at(millis) + Duration::from_hours(24 * 365 * 100);
    Fix {
        point,
        accuracy: None,
        heading: None,
        speed: None,
        battery: None,
        at: at(millis),
        received_at,
    }
}

/// A position that says how many it is, and all else too.
fn full(n: i64, millis: i64) -> Fix {
    Fix {
        accuracy: Some(n as f64 + 0.1),
        heading: Some(359.9),
        speed: Some(0.0),
        battery: Some(99.5),
        ..fix(place(-33.8688 + n as f64 * 0.01, 151.2093), millis)
    }
}

async fn save(stores: &Stores, driver: UserId, fixes: &[Fix]) {
    let fixes: Vec<_> = fixes.iter().map(|fix| (driver, *fix)).collect();
    stores.drivers.save_fixes(&fixes).await.unwrap();
}

every_store! {
    async fn a_position_is_found_as_it_was_saved(stores: Stores) {
        for (n, fix) in [
            fix(place(90.0, -180.0), 1),
            full(1, 2),
            full(2, 3),
            fix(place(0.1 + 0.2, 1.0 / 3.0), 4),
        ]
        .into_iter()
        .enumerate()
        {
            let driver = somebody();
            save(&stores, driver, &[fix]).await;
            let node = stores.another_node();
            assert_eq!(node.drivers.last_fix(driver).await.unwrap(), Some(fix), "{n}");
            assert_eq!(trails::whole(&node, driver).await, [fix], "{n}");
        }
    }

    async fn who_was_nowhere_has_no_position(stores: Stores) {
        let (driver, other) = (somebody(), somebody());
        save(&stores, other, &[full(0, 0)]).await;
        stores.drivers.save_fixes(&[]).await.unwrap();
        stores.drivers.save_availability(&[]).await.unwrap();
        stores.drivers.save_availability(&[(driver, true)]).await.unwrap();
        assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), None);
        assert!(trails::whole(&stores, driver).await.is_empty());
    }

    async fn the_last_positions_of_many_are_found_at_once(stores: Stores) {
        let drivers: Vec<UserId> = (0..1000).map(|_| somebody()).collect();
        let (available, unknown) = (somebody(), somebody());
        let of = |(n, driver): (usize, &UserId)| (*driver, full(n as i64 % 9, n as i64));
        let fixes: Vec<_> = drivers.iter().enumerate().map(of).collect();
        stores.drivers.save_fixes(&fixes).await.unwrap();
        stores.drivers.save_availability(&[(available, true)]).await.unwrap();
        save(&stores, drivers[7], &[full(1, 9000), full(2, 0)]).await;
        let found = async |asked: &[UserId]| {
            let mut found = stores.drivers.last_fixes(asked).await.unwrap();
            found.sort_by_key(|(driver, _)| *driver);
            found
        };
        assert!(found(&[]).await.is_empty());
        assert!(found(&[available, unknown]).await.is_empty());
        let asked = [drivers[3], unknown, drivers[7], drivers[3], available];
        let mut expected = vec![fixes[3], (drivers[7], full(1, 9000))];
        expected.sort_by_key(|(driver, _)| *driver);
        assert_eq!(found(&asked).await, expected);
        assert_eq!(found(&drivers).await.len(), 1000);
    }

    async fn the_latest_position_is_the_last_in_whatever_order_they_come(stores: Stores) {
        let driver = somebody();
        for (batch, last) in [
            (vec![full(1, 10), full(3, 30), full(2, 20)], full(3, 30)),
            (vec![full(4, 5)], full(3, 30)),
            (vec![full(5, 29), full(6, 7)], full(3, 30)),
            (vec![full(7, 40), full(8, 31)], full(7, 40)),
            (vec![fix(place(1.0, 1.0), 41)], fix(place(1.0, 1.0), 41)),
        ] {
            save(&stores, driver, &batch).await;
            assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(last));
        }
        let times: Vec<_> = trails::whole(&stores, driver).await.iter().map(|fix| fix.at).collect();
        assert_eq!(times, [5, 7, 10, 20, 29, 30, 31, 40, 41].map(at));
    }

    async fn a_position_of_a_time_that_is_there_is_left_out_whatever_it_says(stores: Stores) {
        let driver = somebody();
        save(&stores, driver, &[full(1, 10), full(2, 10)]).await;
        assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(full(1, 10)));
        save(&stores, driver, &[full(3, 10), full(4, 20), full(5, 20), full(1, 10)]).await;
        save(&stores, driver, &[full(6, 20)]).await;
        assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(full(4, 20)));
        assert_eq!(trails::whole(&stores, driver).await, [full(1, 10), full(4, 20)]);
        let other = somebody();
        save(&stores, other, &[full(7, 10)]).await;
        assert_eq!(trails::whole(&stores, other).await, [full(7, 10)]);
    }

    async fn many_batches_at_once_lose_nothing_and_end_at_the_latest(stores: Stores) {
        let drivers: Vec<UserId> = (0..5).map(|_| somebody()).collect();
        at_once((0..20).map(|batch| {
            let node = if batch % 2 == 0 { stores.clone() } else { stores.another_node() };
            let drivers = drivers.clone();
            async move {
                let fixes: Vec<_> = (0..50)
                    .map(|n| (drivers[n % 5], full(batch, (batch * 7 % 20) * 1000 + n as i64)))
                    .collect();
                node.drivers.save_fixes(&fixes).await.unwrap();
            }
        }))
        .await;
        for driver in drivers {
            let trail = trails::whole(&stores, driver).await;
            assert_eq!(trail.len(), 200);
            let last = stores.drivers.last_fix(driver).await.unwrap();
            assert_eq!(last, trail.last().copied());
        }
    }

    async fn a_batch_may_be_of_two_thousand(stores: Stores) {
        let fixes: Vec<_> = (0..2000).map(|n| (somebody(), full(n % 9, n))).collect();
        stores.drivers.save_fixes(&fixes).await.unwrap();
        for n in [0, 999, 1999] {
            let (driver, fix) = fixes[n];
            assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(fix));
        }
    }
}
