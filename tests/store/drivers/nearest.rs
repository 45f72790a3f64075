//! Who is near.

use std::time::Instant;

use waggle::clock::Timestamp;
use waggle::drivers::model::{Near, Nearby};
use waggle::geo::Point;
use waggle::ids::UserId;

use super::{fix, place, save};
use crate::fixture::{Stores, at, somebody};

/// Everybody around a place, however far and long ago.
fn around(to: Point) -> Nearby {
    Nearby {
        to,
        radius: None,
        since: Timestamp::from_millis(0),
        available: false,
        except: Vec::new(),
        limit: 100,
    }
}

async fn drivers_at(stores: &Stores, places: &[(f64, f64)]) -> Vec<UserId> {
    let drivers: Vec<_> = places.iter().map(|_| somebody()).collect();
    for (driver, (lat, lng)) in drivers.iter().zip(places) {
        save(stores, *driver, &[fix(place(*lat, *lng), 0)]).await;
    }
    drivers
}

async fn who(stores: &Stores, nearby: &Nearby) -> Vec<UserId> {
    let found = stores.drivers.nearest(nearby).await.unwrap();
    found.into_iter().map(|near| near.driver).collect()
}

/// Places all over the globe, the poles and the date line among them, no two of them the same.
fn scattered(count: u64) -> Vec<(f64, f64)> {
    let mut state = 7_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    (0..count)
        .map(|n| match n % 4 {
            0 => (89.0 + next(), next() * 360.0 - 180.0),
            1 => (next() * 2.0 - 1.0, if next() < 0.5 { 179.0 + next() } else { next() - 180.0 }),
            2 => (48.0 + next() * 0.2, 11.0 + next() * 0.2),
            _ => (next() * 180.0 - 90.0, next() * 360.0 - 180.0),
        })
        .collect()
}

every_store! {
    async fn the_nearest_come_first_with_all_that_is_known_of_them(stores: Stores) {
        let to = place(48.137, 11.575);
        let places = [(48.2, 11.575), (48.137, 11.576), (40.0, -74.0), (48.137, 11.575)];
        let drivers = drivers_at(&stores, &places).await;
        stores.drivers.save_availability(&[(drivers[1], true)]).await.unwrap();
        let found = stores.another_node().drivers.nearest(&around(to)).await.unwrap();
        let expected: Vec<Near> = [3, 1, 0, 2]
            .map(|n: usize| {
                let point = place(places[n].0, places[n].1);
                Near {
                    driver: drivers[n],
                    fix: fix(point, 0),
                    is_available: n == 1,
                    distance: to.distance(point),
                }
            })
            .into();
        assert_eq!(found, expected);
        assert_eq!(
            who(&stores, &Nearby { limit: 2, ..around(to) }).await,
            [drivers[3], drivers[1]]
        );
        assert!(who(&stores, &Nearby { limit: 0, ..around(to) }).await.is_empty());
    }

    async fn a_radius_is_in_metres_and_holds_its_edge(stores: Stores) {
        let to = place(52.52, 13.405);
        let places = [(52.521, 13.405), (52.53, 13.405), (52.62, 13.405), (52.52, 14.5)];
        let drivers = drivers_at(&stores, &places).await;
        for (n, (lat, lng)) in places.into_iter().enumerate() {
            let edge = to.distance(place(lat, lng));
            for (radius, count) in [(edge - 0.001, n), (edge, n + 1), (edge + 0.001, n + 1)] {
                let nearby = Nearby { radius: Some(radius), ..around(to) };
                assert_eq!(who(&stores, &nearby).await, drivers[..count], "{radius}");
            }
        }
        let everywhere = Nearby { radius: Some(1e9), ..around(to) };
        assert_eq!(who(&stores, &everywhere).await, drivers);
        assert!(who(&stores, &Nearby { radius: Some(0.0), ..around(to) }).await.is_empty());
    }

    async fn only_those_are_found_who_are_asked_for(stores: Stores) {
        let to = place(0.0, 0.0);
        let drivers =
            drivers_at(&stores, &[(0.001, 0.0), (0.002, 0.0), (0.003, 0.0), (0.004, 0.0)]).await;
        let [old, busy, free, freed] = drivers[..] else { unreachable!() };
        save(&stores, old, &[fix(place(0.001, 0.0), 1)]).await;
        for driver in [busy, free, freed] {
            save(
                &stores,
                driver,
                &[fix(
                    place(
                        stores.drivers.last_fix(driver).await.unwrap().unwrap().point.latitude(),
                        0.0,
                    ),
                    1000,
                )],
            )
            .await;
        }
        let said = [
            (old, true),
            (busy, true),
            (free, true),
            (busy, false),
            (freed, false),
            (somebody(), true),
        ];
        stores.drivers.save_availability(&said).await.unwrap();
        stores.drivers.save_availability(&[(freed, true)]).await.unwrap();

        let available = Nearby { available: true, ..around(to) };
        assert_eq!(who(&stores, &around(to)).await, drivers);
        assert_eq!(who(&stores, &available).await, [old, free, freed]);
        for (since, found) in
            [(1, &[old, free, freed][..]), (2, &[free, freed]), (1000, &[free, freed]), (1001, &[])]
        {
            let recent = Nearby { since: at(since), ..available.clone() };
            assert_eq!(who(&stores, &recent).await, found, "{since}");
        }
        let without = Nearby { except: vec![free, somebody()], limit: 2, ..available };
        assert_eq!(who(&stores, &without).await, [old, freed]);
        let nobody = Nearby { except: drivers.clone(), ..around(to) };
        assert!(who(&stores, &nobody).await.is_empty());
    }

    async fn who_moved_or_became_available_is_found_there_and_nowhere_else(stores: Stores) {
        let driver = somebody();
        stores.drivers.save_availability(&[(driver, true)]).await.unwrap();
        let near =
            |lat, lng| Nearby { radius: Some(1000.0), available: true, ..around(place(lat, lng)) };
        assert!(
            who(&stores, &Nearby { available: true, ..around(place(1.0, 1.0)) }).await.is_empty()
        );
        save(&stores, driver, &[fix(place(1.0, 1.0), 10)]).await;
        assert_eq!(who(&stores, &near(1.0, 1.0)).await, [driver]);
        save(&stores, driver, &[fix(place(2.0, 2.0), 20), fix(place(3.0, 3.0), 5)]).await;
        assert!(who(&stores, &near(1.0, 1.0)).await.is_empty());
        assert!(who(&stores, &near(3.0, 3.0)).await.is_empty());
        assert_eq!(who(&stores, &near(2.0, 2.0)).await, [driver]);
        stores.drivers.save_availability(&[(driver, false)]).await.unwrap();
        assert!(who(&stores, &near(2.0, 2.0)).await.is_empty());
        assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(fix(place(2.0, 2.0), 20)));
    }

    async fn the_date_line_and_the_poles_are_like_any_place(stores: Stores) {
        let places = [
            (0.0, 179.9),
            (0.0, -179.8),
            (0.0, 180.0),
            (0.0, 170.0),
            (90.0, 0.0),
            (89.9, 170.0),
            (89.9, -10.0),
            (-89.99, 5.0),
        ];
        let drivers = drivers_at(&stores, &places).await;
        let within = |lat, lng, radius| Nearby { radius: Some(radius), ..around(place(lat, lng)) };
        for (nearby, found) in [
            (within(0.0, 179.96, 50_000.0), &[2, 0, 1][..]),
            (within(0.0, -179.96, 50_000.0), &[2, 0, 1]),
            (within(0.0, -180.0, 1.0), &[2]),
            (within(89.95, 170.0, 12_000.0), &[5, 4]),
            (within(89.95, 170.0, 20_000.0), &[5, 4, 6]),
            (within(-90.0, 123.0, 2000.0), &[7]),
        ] {
            let expected: Vec<_> = found.iter().map(|n| drivers[*n]).collect();
            assert_eq!(who(&stores, &nearby).await, expected, "{nearby:?}");
        }
    }

    async fn nobody_is_overlooked_wherever_one_looks(stores: Stores) {
        let places = scattered(400);
        let fixes: Vec<_> =
            places.iter().map(|(lat, lng)| (somebody(), fix(place(*lat, *lng), 0))).collect();
        stores.drivers.save_fixes(&fixes).await.unwrap();
        for (lat, lng) in
            scattered(40).into_iter().map(|(lat, lng)| (-lat * 0.99, lng)).chain(scattered(12))
        {
            let to = place(lat, lng);
            let mut distances: Vec<_> =
                fixes.iter().map(|(_, fix)| to.distance(fix.point)).collect();
            distances.sort_by(f64::total_cmp);
            let found = stores.drivers.nearest(&Nearby { limit: 12, ..around(to) }).await.unwrap();
            let found: Vec<_> = found.iter().map(|near| near.distance).collect();
            for (found, expected) in found.iter().zip(&distances[..12]) {
                assert!((found - expected).abs() < 0.1, "{to:?} {found} {expected}");
            }
            assert_eq!(found.len(), 12);
        }
    }
}

/// How long it takes to find the nearest eight of ten thousand; a measurement, run by name.
async fn measure(stores: Stores) {
    for (name, size) in [("a city", 0.3), ("a country", 6.0)] {
        let stores = &stores;
        let mut drivers = Vec::new();
        for (lat, lng) in scattered(40_000).into_iter().skip(2).step_by(4) {
            let point = place(48.0 + (lat - 48.1) * 5.0 * size, 11.0 + (lng - 11.1) * 5.0 * size);
            drivers.push((somebody(), fix(point, 0)));
        }
        for batch in drivers.chunks(2000) {
            let start = Instant::now();
            stores.drivers.save_fixes(batch).await.unwrap();
            println!("{name}: {} positions saved in {:?}", batch.len(), start.elapsed());
        }
        for share in [1, 50] {
            let said: Vec<_> = drivers
                .iter()
                .enumerate()
                .map(|(n, (driver, _))| (*driver, n % share == 0))
                .collect();
            stores.drivers.save_availability(&said).await.unwrap();
            let mut times = Vec::new();
            for n in 0..200 {
                let there = drivers[n * 37].1.point;
                let to = place(there.latitude() + 0.002, there.longitude() + 0.003);
                let nearby = Nearby { available: true, limit: 8, ..around(to) };
                let start = Instant::now();
                assert_eq!(stores.drivers.nearest(&nearby).await.unwrap().len(), 8);
                times.push(start.elapsed());
            }
            times.sort_unstable();
            println!(
                "{name}, one in {share} available: median {:?}, p99 {:?}",
                times[100], times[198]
            );
        }
        // Out of the way of the next.
        let gone: Vec<_> =
            drivers.iter().map(|(driver, _)| (*driver, fix(place(-80.0, 0.0), 1))).collect();
        stores.drivers.save_fixes(&gone).await.unwrap();
        stores
            .drivers
            .save_availability(&gone.iter().map(|(driver, _)| (*driver, false)).collect::<Vec<_>>())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_long_embedded_takes() {
    crate::embedded::run(measure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_long_mongo_takes() {
    crate::mongo::run(measure).await;
}
