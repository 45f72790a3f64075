//! Lists of orders: one's own, to admins all, in pages.

use serde_json::{Value, json};

use crate::support::Person;
use crate::support::orders::tea;

fn numbers(orders: &[Value]) -> Vec<i64> {
    orders.iter().map(|order| order["orderNumber"].as_i64().unwrap()).collect()
}

/// Every order of a person, page by page.
async fn pages(person: &Person, limit: usize, query: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/orders?limit={limit}{query}{cursor}");
        let data = person.get(&path).await.data(200);
        let page = data["orders"].as_array().unwrap();
        assert!(page.len() <= limit);
        found.extend(numbers(page));
        match data.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn each_sees_their_own_orders_and_admins_all(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        for customer in [&alice, &bob, &alice] {
            customer.place(&tea()).await;
        }
        let orders = alice.orders("").await;
        assert_eq!(numbers(&orders), [3, 1], "the newest first");
        dan.accept(&orders[0]).await;
        assert_eq!(numbers(&bob.orders("").await), [2]);
        assert_eq!(numbers(&dan.orders("").await), [3]);
        assert!(eve.orders("").await.is_empty(), "what one could take is nobody's yet");
        assert_eq!(numbers(&admin.orders("").await), [3, 2, 1]);
        assert_eq!(alice.orders("").await[0], dan.order(&orders[0]).await);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn lists_are_of_one_status_where_asked(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            orders.push(alice.place(&tea()).await);
        }
        for (count, order) in orders.iter().enumerate().skip(1) {
            if count < 4 {
                dan.accept(order).await;
            }
        }
        dan.advance(&orders[2], "outForDelivery").await.data(200);
        dan.advance(&orders[3], "outForDelivery").await.data(200);
        dan.advance(&orders[3], "delivered").await.data(200);
        alice.on(&orders[4], "cancel", &json!({})).await.data(200);
        let all = ["pending", "preparing", "outForDelivery", "delivered", "cancelled"];
        for (number, status) in (1..).zip(all) {
            let query = format!("?status={status}");
            assert_eq!(numbers(&alice.orders(&query).await), [number], "{status}");
            assert_eq!(numbers(&admin.orders(&query).await), [number], "{status}");
            let dans: &[i64] = if (2..=4).contains(&number) { &[number] } else { &[] };
            assert_eq!(numbers(&dan.orders(&query).await), dans, "{status}");
        }
        for wrong in ["Pending", "out_for_delivery", "OUTFORDELIVERY", "", "x"] {
            let answer = alice.get(&format!("/api/orders?status={wrong}")).await;
            assert_eq!(answer.wrong_fields(), ["status"], "{wrong}");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn pages_hold_everything_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let admin = server.admin().await;
        for _ in 0..7 {
            alice.place(&tea()).await;
            bob.place(&tea()).await;
        }
        let odd: Vec<i64> = (1..=14).rev().filter(|number| number % 2 == 1).collect();
        for limit in [1, 3, 7, 200] {
            assert_eq!(pages(&alice, limit, "").await, odd, "{limit}");
            assert_eq!(pages(&alice, limit, "&status=pending").await, odd, "{limit}");
        }
        assert_eq!(pages(&admin, 4, "").await, (1..=14).rev().collect::<Vec<_>>());
        for wrong in ["limit=0", "limit=x", "limit=-1", "cursor=x"] {
            let answer = alice.get(&format!("/api/orders?{wrong}")).await;
            assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
        }
    }

    async fn without_a_token_nothing_is_shown(server) {
        let alice = server.register("alice").await;
        let order = alice.place(&tea()).await;
        let path = format!("/api/orders/{}", order["_id"].as_str().unwrap());
        for path in ["/api/orders", path.as_str(), "/api/drivers/nearby?lat=0&lng=0"] {
            server.get(path).await.refused(401, "unauthenticated");
        }
        server.post("/api/orders", &tea()).await.refused(401, "unauthenticated");
    }
}
