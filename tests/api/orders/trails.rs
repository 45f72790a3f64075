//! The trail of a trip: where the driver of an order was since they had it.

use std::time::Duration;

use serde_json::{Value, json};
use waggle::clock::{Clock, Timestamp};

use crate::support::orders::{at, tea};
use crate::support::{Person, Socket, time};

/// So many seconds before now.
pub(super) fn ago(seconds: u64) -> Value {
    json!(Clock::system().now() - Duration::from_secs(seconds))
}

async fn note(driving: &mut Socket, lng: f64, when: Timestamp) {
    let payload = json!({ "latitude": 0, "longitude": lng, "timestamp": when });
    driving.done("location_update", &payload).await;
}

async fn trail(person: &Person, order: &Value, query: &str) -> (Vec<Value>, bool) {
    let data = person.get(&at(order, &format!("/track{query}"))).await.data(200);
    (data["points"].as_array().unwrap().clone(), data["more"].as_bool().unwrap())
}

fn longitudes(points: &[Value]) -> Vec<f64> {
    points.iter().map(|point| point["longitude"].as_f64().unwrap()).collect()
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_trail_is_in_the_order_of_the_phones_clock(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        dans.done(
            "location_update",
            &json!({ "latitude": 0, "longitude": 9, "timestamp": ago(60) }),
        )
        .await;
        let order = alice.place(&tea()).await;
        assert_eq!(trail(&alice, &order, "").await.0, Vec::<Value>::new());
        let taken = dan.accept(&order).await;
        let since = time(&taken["history"][1]["at"]);
        for step in [3_u32, 1, 7, 2, 6, 4, 5] {
            note(&mut dans, f64::from(step), since + Duration::from_millis(100) * step).await;
        }
        for person in [&alice, &dan, &server.admin().await] {
            let (points, more) = trail(person, &order, "").await;
            assert_eq!(longitudes(&points), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
            assert!(!more);
            time(&points[0]["timestamp"]);
        }
        let position = dan.get("/api/drivers/me").await.data(200)["position"].clone();
        assert_eq!(position["longitude"], 7.0, "late ones do not move it back");
        let data = alice.get(&at(&order, "/track")).await.data(200);
        assert_eq!((&data["orderId"], &data["driverId"]), (&order["_id"], &json!(dan.id)));
    }

    async fn a_trail_comes_in_pages(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        let order = alice.place(&tea()).await;
        let since = time(&dan.accept(&order).await["history"][1]["at"]);
        let all: Vec<f64> = (1..=10).map(f64::from).collect();
        for step in 1..=10_u32 {
            note(&mut dans, f64::from(step), since + Duration::from_millis(10) * step).await;
        }
        for limit in [1, 3, 5, 10] {
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let (points, more) = trail(&alice, &order, &format!("?limit={limit}{after}")).await;
                assert!(points.len() <= limit);
                found.extend(longitudes(&points));
                if !more {
                    break;
                }
                after = format!("&after={}", points.last().unwrap()["timestamp"].as_str().unwrap());
            }
            assert_eq!(found, all, "{limit}");
        }
        for wrong in ["limit=0", "limit=x", "after=yesterday"] {
            let answer = alice.get(&at(&order, &format!("/track?{wrong}"))).await;
            assert_eq!(answer.status, 400, "{wrong}");
        }
    }

    async fn a_trail_ends_with_the_order(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        dans.done("location_update", &json!({ "latitude": 0, "longitude": 1 })).await;
        dan.advance(&order, "outForDelivery").await.data(200);
        dan.advance(&order, "delivered").await.data(200);
        let ahead = Clock::system().now() + Duration::from_millis(500);
        note(&mut dans, 2.0, ahead).await;
        let (points, _) = trail(&alice, &order, "").await;
        assert_eq!(longitudes(&points), [1.0], "where the driver goes then is nobody's business");
        assert_eq!(trail(&dan, &order, "").await.0, points);
        server.restart().await;
        assert_eq!(trail(&alice, &order, "").await.0, points);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_trail_is_that_of_the_driver_who_has_the_order_now(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        dan.stand_at(1.0).await;
        admin.on(&order, "unassign", &json!({})).await.data(200);
        assert!(trail(&alice, &order, "").await.0.is_empty());
        admin.assign(&order, &json!(eve.id)).await.data(200);
        eve.stand_at(2.0).await;
        dan.stand_at(3.0).await;
        assert_eq!(longitudes(&trail(&alice, &order, "").await.0), [2.0]);
    }
}
