//! Orders in hand: several given together, taken over the raw socket, and offered to the nearest.

use serde_json::json;

use super::notices::pair;
use crate::support::time;
use crate::support::v1::burger;

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_pool_is_one_assignment_for_each_order(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let mut dans = dan.drive().await;
        let mut eves = eve.drive().await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            orders.push(admin.create().await);
        }
        let named: Vec<_> = vec![
            orders[0]["order_id"].clone(),
            orders[1]["id"].clone(),
            orders[2]["order_id"].clone(),
            // The same again.
            orders[0]["id"].clone(),
            orders[2]["order_id"].clone(),
        ];
        let body = json!({ "order_ids": named, "driver_id": dan.username });
        let pool = admin.post("/api/v1/pools", &body).await.bare(201);
        assert_eq!(pool["driver_id"], dan.number().await);
        assert_eq!((pool["orders"].as_array().unwrap().len(), &pool["failed"]), (3, &json!([])));
        let mut told: Vec<_> =
            dans.all("order_assigned").await.iter().map(|one| one["order_id"].as_i64()).collect();
        told.sort_unstable();
        let expected: Vec<_> = orders[..3].iter().map(|one| one["order_id"].as_i64()).collect();
        assert_eq!(told, expected);
        eves.expect_none("order_assigned").await;
        // Again: they are dan's already, and nothing new is told.
        admin.post("/api/v1/pools", &body).await.bare(201);
        dans.expect_none("order_assigned").await;
        // One of another driver, one that does not exist: then none is given.
        admin.give(&orders[3], &eve).await;
        for (bad, status, code) in
            [(orders[3]["order_id"].clone(), 409, "conflict"), (json!(999_999), 404, "not_found")]
        {
            let body =
                json!({ "order_ids": [orders[4]["order_id"], bad], "driver_id": dan.username });
            admin.post("/api/v1/pools", &body).await.refused_v1(status, code);
        }
        let body = json!({ "order_ids": [orders[4]["order_id"]], "driver_id": "nobody" });
        admin.post("/api/v1/pools", &body).await.refused_v1(404, "not_found");
        for bad in [
            json!({}),
            json!({ "order_ids": [] , "driver_id": "dan" }),
            json!({ "order_ids": [1] }),
            json!({ "order_ids": vec![1; 101], "driver_id": "dan" }),
            json!({ "order_ids": "1", "driver_id": "dan" }),
            json!({ "order_ids": [{}], "driver_id": "dan" }),
        ] {
            admin.post("/api/v1/pools", &bad).await.refused_v1(400, "validation_failed");
        }
        dans.expect_none("order_assigned").await;
        let last = admin.get(&format!("/api/v1/orders/{}", orders[4]["order_id"])).await.bare(200);
        assert_eq!(last["status"], "pending");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_order_placed_for_a_driver_is_offered_to_and_taken_from_nobody_else(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let mut dans = dan.drive().await;
        let mut eves = eve.drive().await;
        let mut body = burger();
        body["driver_id"] = json!(dan.username);
        let order = admin.post("/api/v1/orders", &body).await.bare(201);
        assert_eq!(dans.expect("order_assigned").await["order_id"], order["order_id"]);
        for kind in ["new_order", "order_removed"] {
            eves.expect_none(kind).await;
            dans.expect_none(kind).await;
        }
        // Taken back it is anybody's, and then it is withdrawn.
        admin.v1_on(&order, "unassign", &json!({})).await.bare(200);
        assert_eq!(eves.expect("new_order").await["order_id"], order["order_id"]);
        let cleo = server.driver("cleo").await;
        admin.give(&order, &cleo).await;
        assert_eq!(eves.expect("order_removed").await["order_id"], order["order_id"]);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_order_is_taken_over_the_raw_socket_by_one(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let (mut dans, mut eves) = (dan.drive().await, eve.drive().await);
        let order = admin.create().await;
        for socket in [&mut dans, &mut eves] {
            let offer = socket.expect("new_order").await;
            assert_eq!(
                (&offer["order_id"], &offer["status"]),
                (&order["order_id"], &json!("pending"))
            );
            assert!(offer.get("expires_at").is_none(), "{offer}");
        }
        let wanted = json!({ "order_id": order["order_id"] });
        dans.send("accept_order", &wanted);
        assert_eq!(dans.expect("order_assigned").await["order_id"], order["order_id"]);
        let removed = eves.expect("order_removed").await;
        assert_eq!(removed, json!({ "order_id": order["order_id"], "id": order["id"] }));
        let refused = eves.refused("accept_order", &wanted, "conflict").await;
        assert_eq!(refused["order_id"], order["order_id"], "so that an app knows which");
        eves.refused("reject_order", &wanted, "conflict").await;
        dans.expect_none("order_removed").await;
        // Again is fine, and tells nothing twice.
        dans.send("accept_order", &json!({ "order_id": order["id"] }));
        dans.expect_none("order_assigned").await;
        dans.expect_none("error").await;
        // What is rejected is not told again.
        let other = admin.create().await;
        dans.expect("new_order").await;
        dans.send("reject_order", &json!({ "order_id": other["order_id"], "reason": "Too far" }));
        assert_eq!(dans.expect("order_removed").await["order_id"], other["order_id"]);
        dans.refused("accept_order", &json!({ "order_id": other["order_id"] }), "conflict").await;
        let mut dans = dan.drive().await;
        dans.expect_none("new_order").await;
        assert_eq!(eve.drive().await.expect("new_order").await["order_id"], other["order_id"]);
    }

    #[set(
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123",
        DISPATCH_MODE = "nearest",
        OFFER_TIMEOUT = "3s"
    )]
    async fn the_nearest_driver_is_asked_and_then_the_next(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let (mut dans, mut eves) = (dan.drive().await, eve.drive().await);
        dans.send("location_update", &json!({ "latitude": 0, "longitude": 0.001 }));
        eves.send("location_update", &json!({ "latitude": 0, "longitude": 0.01 }));
        admin.until_near(2).await;
        let mut body = burger();
        body["pickup_lat"] = json!(0);
        body["pickup_lng"] = json!(0);
        let order = admin.post("/api/v1/orders", &body).await.bare(201);
        let offer = dans.expect("new_order").await;
        assert_eq!(offer["order_id"], order["order_id"]);
        let left =
            time(&offer["expires_at"]).millis() - waggle::clock::Clock::system().now().millis();
        assert!(left <= 3000, "{left} ms left of three seconds");
        eves.expect_none("new_order").await;
        assert_eq!(dans.expect("order_removed").await["order_id"], order["order_id"]);
        assert_eq!(eves.expect("new_order").await["order_id"], order["order_id"]);
        eves.send("accept_order", &json!({ "order_id": order["order_id"] }));
        assert_eq!(eves.expect("order_assigned").await["order_id"], order["order_id"]);
        eves.expect_none("order_removed").await;
    }
}
