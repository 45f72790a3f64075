//! Drivers around a place: where they are for everybody, who they are for admins.

use serde_json::{Value, json};

use crate::support::Person;

async fn around(person: &Person, query: &str) -> Vec<Value> {
    let data = person.get(&format!("/api/drivers/nearby?{query}")).await.data(200);
    data["drivers"].as_array().unwrap().clone()
}

fn longitudes(drivers: &[Value]) -> Vec<f64> {
    drivers.iter().map(|one| one["longitude"].as_f64().unwrap()).collect()
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn users_see_positions_without_identity_and_admins_see_who(server) {
        let alice = server.register("alice").await;
        let [dan, eve, fay] = server.drivers(["dan", "eve", "fay"]).await;
        let admin = server.admin().await;
        let _dans = dan.connect_at(0.001).await;
        let mut eves = eve.connect_at(0.002).await;
        // Fay's phone reports, but is not connected.
        fay.stand_at(0.003).await;
        eves.done("setAvailability", &json!({ "available": false })).await;
        alice.until_near(1).await;
        let seen = around(&alice, "lat=0&lng=0").await;
        assert_eq!(longitudes(&seen), [0.001], "the available ones");
        let text = serde_json::to_string(&seen).unwrap();
        for secret in [&dan.id, &dan.username, &"driver".to_owned()] {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
        let seen = around(&admin, "lat=0&lng=0").await;
        assert_eq!(longitudes(&seen), [0.001, 0.002, 0.003]);
        let names: Vec<_> = seen.iter().map(|one| &one["driver"]["username"]).collect();
        assert_eq!(names, ["dan", "eve", "fay"]);
    }

    async fn the_radius_is_in_metres(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        // 111 and 1113 m.
        let _there = (dan.connect_at(0.001).await, eve.connect_at(0.01).await);
        alice.until_near(2).await;
        for (radius, seen) in
            [(100, &[][..]), (120, &[0.001]), (1100, &[0.001]), (1120, &[0.001, 0.01])]
        {
            let query = format!("lat=0&lng=0&radius={radius}");
            assert_eq!(longitudes(&around(&alice, &query).await), seen, "{radius}");
        }
    }

    async fn what_is_near_is_so_across_the_date_line_and_at_the_pole(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        dans.done("location_update", &json!({ "latitude": 0, "longitude": 0 })).await;
        alice.until_near(1).await;
        dans.done("location_update", &json!({ "latitude": 0, "longitude": 179.9995 })).await;
        assert_eq!(around(&alice, "lat=0&lng=-179.9995&radius=200").await.len(), 1);
        dans.done("location_update", &json!({ "latitude": 89.9999, "longitude": 0 })).await;
        assert_eq!(around(&alice, "lat=89.9999&lng=180&radius=200").await.len(), 1);
    }

    async fn a_place_that_cannot_be_is_told(server) {
        let alice = server.register("alice").await;
        for (query, wrong) in [
            ("", &["lat", "lng"][..]),
            ("lat=91&lng=0", &["lat"]),
            ("lat=0&lng=x", &["lng"]),
            ("lat=NaN&lng=inf", &["lat", "lng"]),
            ("lat=0&lng=0&radius=-1", &["radius"]),
            ("lat=0&lng=0&radius=NaN", &["radius"]),
        ] {
            let answer = alice.get(&format!("/api/drivers/nearby?{query}")).await;
            assert_eq!(answer.wrong_fields(), wrong, "{query}");
        }
    }

    #[set(LOCATION_MAX_AGE = "1m")]
    async fn old_positions_do_not_count(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        // That a driver who came is available is noted beside; what the driver says, when it is
        // acknowledged.
        for available in [false, true] {
            dans.done("setAvailability", &json!({ "available": available })).await;
        }
        let old = json!({ "latitude": 0, "longitude": 0, "timestamp": super::trails::ago(120) });
        dans.done("location_update", &old).await;
        assert!(around(&alice, "lat=0&lng=0").await.is_empty());
        dans.done("location_update", &json!({ "latitude": 0, "longitude": 0 })).await;
        assert_eq!(around(&alice, "lat=0&lng=0").await.len(), 1);
    }
}
