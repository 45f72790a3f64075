//! Where drivers are and were: live, uploaded later, and read by the back office.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use serde_json::{Value, json};
use waggle::clock::{Clock, Timestamp};

use crate::support::rest::fields;
use crate::support::{Answer, Person, time};

/// The time so many milliseconds ago.
fn ago(millis: i64) -> String {
    Timestamp::from_millis(Clock::system().now().millis() - millis).to_string()
}

fn point(lng: f64, at: &str) -> Value {
    json!({ "latitude": 0, "longitude": lng, "timestamp": at })
}

/// So many points, a second apart, the last one `millis` ago.
fn points(count: usize, millis: i64) -> Vec<Value> {
    (0..count)
        .map(|no| point(no as f64 / 1000.0, &ago(millis + 1000 * (count - 1 - no) as i64)))
        .collect()
}

async fn upload(dan: &Person, points: &[Value]) -> Answer {
    dan.post("/api/v1/driver/locations", &json!({ "locations": points })).await
}

async fn trail(admin: &Person, dan: &Person, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/drivers/{}/trail{query}", dan.username);
    admin.get(&path).await.bare(200).as_array().unwrap().clone()
}

/// Waits until the trail has so many points, and says how long it had not: until the last read without
/// them began.
async fn until_stored(admin: &Person, dan: &Person, count: usize) -> Duration {
    let started = Instant::now();
    let mut missing = Duration::ZERO;
    loop {
        let asked = started.elapsed();
        if trail(admin, dan, "").await.len() == count {
            return missing;
        }
        missing = asked;
        assert!(asked < crate::support::rest::PATIENCE, "not {count} points");
    }
}

/// As [`until_stored`], and how long the slowest of other writes took meanwhile.
async fn until_stored_beside(
    admin: &Person,
    dan: &Person,
    count: usize,
    writer: &Person,
) -> (Duration, Duration) {
    let mut stored = pin!(until_stored(admin, dan, count));
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let body = json!({ "name": ago(0) });
        let write = pin!(writer.patch("/api/auth/me", &body));
        let first = select(stored.as_mut(), write).await;
        slowest = slowest.max(asked.elapsed());
        match first {
            Either::Left((took, _)) => return (took, slowest),
            Either::Right((answer, _)) => answer.data(200),
        };
    }
}

async fn live(admin: &Person, dan: &Person) -> Value {
    let fleet = admin.get("/api/v1/drivers").await.bare(200);
    let mut all = fleet.as_array().unwrap().iter();
    all.find(|one| one["username"] == dan.username).unwrap()["location"].clone()
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_the_socket_says_is_stored_within_a_second(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let alice = server.register("alice").await;
        let mut dans = dan.drive().await;
        // The first of a while is written at once, what follows is gathered.
        dans.send("location_update", &points(1, 3000)[0]);
        until_stored(&admin, &dan, 1).await;
        let sent = json!({ "latitude": 48.2082, "longitude": 16.3738, "accuracy": 10.5,
            "heading": 180, "speed": 12.5, "battery_level": 75, "timestamp": ago(1500) });
        dans.send("location_update", &sent);
        // A second, and what the disk needs just then.
        let (took, write) = until_stored_beside(&admin, &dan, 2, &alice).await;
        assert!(took < Duration::from_secs(1) + write, "after {took:?}, a write {write:?}");
        let stored = &trail(&admin, &dan, "").await[1];
        assert_eq!(stored["lat"].as_f64(), sent["latitude"].as_f64());
        assert_eq!(stored["lng"].as_f64(), sent["longitude"].as_f64());
        for field in ["accuracy", "heading", "speed"] {
            assert_eq!(stored[field].as_f64(), sent[field].as_f64(), "{field}");
        }
        assert_eq!(time(&stored["timestamp"]), time(&sent["timestamp"]));
        let location = live(&admin, &dan).await;
        assert_eq!(location["lat"].as_f64(), sent["latitude"].as_f64());
        assert_eq!(location["updated_at"], sent["timestamp"]);
        dans.expect_none("error").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn every_one_of_many_is_stored_in_order(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let mut dans = dan.drive().await;
        let sent = points(300, 1000);
        for one in &sent {
            dans.send("location_update", one);
        }
        dans.round_trip().await;
        until_stored(&admin, &dan, 300).await;
        let stored = trail(&admin, &dan, "").await;
        for (stored, sent) in stored.iter().zip(&sent) {
            assert_eq!(stored["lng"].as_f64(), sent["longitude"].as_f64());
        }
        // Page by page, the earliest first.
        let mut paged = trail(&admin, &dan, "?limit=120").await;
        while paged.len() < 300 {
            let after = paged.last().unwrap()["timestamp"].as_str().unwrap().to_owned();
            let page = trail(&admin, &dan, &format!("?limit=120&after={after}")).await;
            assert!(!page.is_empty(), "after {after} there is nothing");
            paged.extend(page);
        }
        assert_eq!(paged, stored);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_was_sent_right_before_a_stop_is_kept(server) {
        let dan = server.driver("dan").await;
        let mut dans = dan.drive().await;
        let sent = points(100, 100);
        for one in &sent {
            dans.send("location_update", one);
        }
        dans.round_trip().await;
        server.restart().await;
        let admin = server.admin().await;
        assert_eq!(trail(&admin, &dan, "").await.len(), 100);
        assert_eq!(live(&admin, &dan).await["lng"].as_f64(), sent[99]["longitude"].as_f64());
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_late_point_fills_the_trail_and_moves_nobody(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let mut fleet = admin.watch_fleet().await;
        let mut dans = dan.drive().await;
        dans.send("location_update", &point(7.0, &ago(10_000)));
        let told = fleet.expect("driver_location").await;
        assert_eq!((&told["username"], told["lng"].as_f64()), (&json!("dan"), Some(7.0)));
        dans.send("location_update", &point(1.0, &ago(20_000)));
        upload(&dan, &[point(3.0, &ago(15_000)), point(2.0, &ago(40_000))]).await.bare(200);
        dans.round_trip().await;
        until_stored(&admin, &dan, 4).await;
        let ways: Vec<_> =
            trail(&admin, &dan, "").await.iter().map(|one| one["lng"].as_f64()).collect();
        assert_eq!(ways, [Some(2.0), Some(1.0), Some(3.0), Some(7.0)]);
        assert_eq!(live(&admin, &dan).await["lng"].as_f64(), Some(7.0));
        // Their status may be told again, never another place.
        let told = fleet.all("driver_location").await;
        assert!(told.iter().all(|one| one["lng"].as_f64() == Some(7.0)), "{told:?}");
        // A later one of an upload does move the driver.
        upload(&dan, &[point(9.0, &ago(1000)), point(8.0, &ago(2000))]).await.bare(200);
        let told = fleet.expect_where("driver_location", |one| one["lng"].as_f64() != Some(7.0));
        assert_eq!(told.await["lng"].as_f64(), Some(9.0));
        assert_eq!(live(&admin, &dan).await["lng"].as_f64(), Some(9.0));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_upload_has_up_to_500_points_each_once(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let all = points(501, 1000);
        let refused = upload(&dan, &all).await.refused_v1(400, "validation_failed");
        assert_eq!(fields(&refused), ["locations"]);
        assert!(trail(&admin, &dan, "").await.is_empty());
        assert_eq!(upload(&dan, &all[..500]).await.bare(200), json!({ "accepted": 500 }));
        assert_eq!(trail(&admin, &dan, "").await.len(), 500, "durable when it is answered");
        // The same again, and some of the same with a new one: each is there once.
        upload(&dan, &all[..500]).await.bare(200);
        upload(&dan, &all[499..]).await.bare(200);
        let twice =
            [all[0].clone(), all[0].clone(), point(5.0, all[0]["timestamp"].as_str().unwrap())];
        assert_eq!(upload(&dan, &twice).await.bare(200)["accepted"], 1);
        let stored = trail(&admin, &dan, "?limit=5000").await;
        assert_eq!(stored.len(), 501);
        assert_eq!(stored[0]["lng"].as_f64(), Some(0.0), "the first counts");
        // Another driver's of the same time are others.
        let eve = server.driver("eve").await;
        assert_eq!(upload(&eve, &all[..10]).await.bare(200)["accepted"], 10);
        assert_eq!(trail(&admin, &eve, "").await.len(), 10);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_upload_with_one_bad_point_stores_none(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let mut some = points(3, 1000);
        some[1]["latitude"] = json!(91);
        some[2]["timestamp"] = json!(ago(-75_000));
        let refused = upload(&dan, &some).await.refused_v1(400, "validation_failed");
        assert_eq!(fields(&refused), ["locations[1].latitude", "locations[2].timestamp"]);
        let undated = [json!({ "latitude": 0, "longitude": 0 })];
        let refused = upload(&dan, &undated).await.refused_v1(400, "validation_failed");
        assert_eq!(fields(&refused), ["locations[0].timestamp"]);
        for body in [
            json!({}),
            json!({ "locations": [] }),
            json!({ "locations": null }),
            json!({ "locations": {} }),
            json!({ "locations": [1] }),
            json!({ "locations": [[0, 0, 1, 0, 0, 1, ago(1000)]] }),
            json!([]),
        ] {
            let answer = dan.post("/api/v1/driver/locations", &body).await;
            answer.refused_v1(400, "validation_failed");
        }
        assert!(trail(&admin, &dan, "").await.is_empty());
    }
}
