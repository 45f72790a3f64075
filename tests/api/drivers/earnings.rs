//! What a driver has earned, by days of a time zone, as REST shows it.

use mongodb::bson::{DateTime, Document, doc};
use serde_json::{Value, json};
use waggle::clock::Timestamp;

use crate::support::v1::burger;
use crate::support::{Person, Server};

/// Places, gives and delivers an order for these earnings; gives its number.
async fn deliver(admin: &Person, dan: &Person, earnings: f64) -> i64 {
    let mut body = burger();
    body["earnings"] = json!(earnings);
    body["driver_id"] = json!(dan.username);
    let order = admin.post("/api/v1/orders", &body).await.bare(201);
    dan.v1_advance(&order, "out_for_delivery").await.bare(200);
    dan.v1_advance(&order, "delivered").await.bare(200);
    order["order_id"].as_i64().unwrap()
}

/// Makes orders delivered at other times, in the store of a stopped server.
async fn backdate(server: &Server, orders: &[(i64, Timestamp)]) {
    match server.mongodb_uri() {
        None => {
            let path = server.dir().join("data/waggle.db");
            let db = rusqlite::Connection::open(path).unwrap();
            for (number, at) in orders {
                let set = "UPDATE orders SET updated_at = ?2 WHERE number = ?1";
                assert_eq!(db.execute(set, (number, at.millis())).unwrap(), 1);
            }
        }
        Some(uri) => {
            let client = mongodb::Client::with_uri_str(uri).await.unwrap();
            let all = client.default_database().unwrap().collection::<Document>("orders");
            for (number, at) in orders {
                let at = DateTime::from_millis(at.millis());
                let set = doc! { "$set": { "updatedAt": at } };
                let updated = all.update_one(doc! { "number": number }, set).await.unwrap();
                assert_eq!(updated.matched_count, 1, "{number}");
            }
        }
    }
}

async fn history(dan: &Person, query: &str) -> Value {
    dan.get(&format!("/api/v1/earnings/history?{query}")).await.bare(200)
}

/// `(date, total, orders)` of each day, the earliest first.
fn days(history: &Value) -> Vec<(&str, f64, u64)> {
    let day = |day: &'_ Value| -> (f64, u64) {
        (day["total"].as_f64().unwrap(), day["orders"].as_u64().unwrap())
    };
    let mut days: Vec<_> = history["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let (total, orders) = day(one);
            (one["date"].as_str().unwrap(), total, orders)
        })
        .collect();
    days.reverse();
    days
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123", CURRENCY = "EUR")]
    async fn what_is_delivered_now_was_earned_today(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let eve = server.driver("eve").await;
        let nothing = dan.get("/api/v1/earnings/today").await.bare(200);
        assert_eq!((nothing["total"].as_f64(), &nothing["orders"]), (Some(0.0), &json!(0)));
        for earnings in [7.25, 0.1, 0.2] {
            deliver(&admin, &dan, earnings).await;
        }
        // Not delivered, or not by dan.
        let mut body = burger();
        body["driver_id"] = json!("dan");
        admin.post("/api/v1/orders", &body).await.bare(201);
        deliver(&admin, &eve, 99.0).await;
        let today = dan.get("/api/v1/earnings/today?tz=Asia/Kolkata").await.bare(200);
        assert_eq!((today["total"].as_f64(), &today["orders"]), (Some(7.55), &json!(3)));
        assert_eq!(today["currency"], "EUR");
        let all = history(&dan, "tz=Asia/Kolkata").await;
        assert_eq!((all["total"].as_f64(), &all["orders"]), (Some(7.55), &json!(3)));
        assert_eq!(all["days"].as_array().unwrap().len(), 30);
        assert_eq!(all["days"][0]["date"], today["date"]);
        for wrong in [
            "tz=Vienna",
            "from=yesterday",
            "to=2025-02-30",
            "limit=0",
            "limit=x",
            "from=2025-02-02&to=2025-02-01",
            "from=2024-01-01&to=2025-01-01",
        ] {
            let answer = dan.get(&format!("/api/v1/earnings/history?{wrong}")).await;
            answer.refused_v1(400, "validation_failed");
        }
        dan.get("/api/v1/earnings/today?tz=Mars/Base").await.refused_v1(400, "validation_failed");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn days_are_those_of_the_drivers_zone_also_where_the_clock_changes(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        // Vienna's clock goes from +1 to +2 on 2025-03-30 at 01:00Z, New York's from -5 to -4 on
        // 2025-03-09 at 07:00Z; Kolkata's is +5:30 always.
        let deliveries = [
            ("2025-03-09T04:59:59.999Z", 1.0),
            ("2025-03-09T05:00:00.000Z", 2.0),
            ("2025-03-10T03:59:59.999Z", 4.0),
            ("2025-03-10T04:00:00.000Z", 8.0),
            ("2025-03-29T22:59:59.999Z", 16.0),
            ("2025-03-29T23:00:00.000Z", 32.0),
            ("2025-03-30T18:29:59.999Z", 64.0),
            ("2025-03-30T18:30:00.000Z", 128.0),
            ("2025-03-30T21:59:59.999Z", 256.0),
            ("2025-03-30T22:00:00.000Z", 512.0),
        ];
        let mut orders = Vec::new();
        for (at, earnings) in deliveries {
            orders.push((deliver(&admin, &dan, earnings).await, at.parse().unwrap()));
        }
        server.stop().await;
        backdate(server, &orders).await;
        server.start_with(&[]).await;

        let vienna = history(&dan, "tz=Europe/Vienna&from=2025-03-29&to=2025-03-31").await;
        assert_eq!(
            days(&vienna),
            [
                ("2025-03-29", 16.0, 1),
                // 23 hours: from 23:00Z to 22:00Z.
                ("2025-03-30", 32.0 + 64.0 + 128.0 + 256.0, 4),
                ("2025-03-31", 512.0, 1),
            ]
        );
        assert_eq!((vienna["total"].as_f64(), &vienna["orders"]), (Some(1008.0), &json!(6)));

        let york = history(&dan, "tz=America/New_York&from=2025-03-08&to=2025-03-10").await;
        assert_eq!(
            days(&york),
            [
                ("2025-03-08", 1.0, 1),
                // From 05:00Z to 04:00Z.
                ("2025-03-09", 6.0, 2),
                ("2025-03-10", 8.0, 1),
            ]
        );
        let york = history(&dan, "tz=America/New_York&from=2025-03-29&to=2025-03-30").await;
        // The 30th from 04:00Z on.
        assert_eq!(days(&york), [("2025-03-29", 48.0, 2), ("2025-03-30", 960.0, 4)]);

        let kolkata = history(&dan, "tz=Asia/Kolkata&from=2025-03-30&to=2025-03-31").await;
        // From 18:30Z to 18:30Z.
        assert_eq!(days(&kolkata), [("2025-03-30", 112.0, 3), ("2025-03-31", 896.0, 3)]);

        let utc = history(&dan, "from=2025-03-09&to=2025-03-10").await;
        assert_eq!(days(&utc), [("2025-03-09", 3.0, 2), ("2025-03-10", 12.0, 2)]);
        // The latest days that were asked for.
        let last = history(&dan, "from=2025-03-01&to=2025-03-31&limit=2").await;
        assert_eq!(days(&last), [("2025-03-30", 960.0, 4), ("2025-03-31", 0.0, 0)]);
        let all = history(&dan, "tz=Europe/Vienna&from=2025-03-01&to=2025-03-31").await;
        assert_eq!(
            (all["total"].as_f64(), all["days"].as_array().unwrap().len()),
            (Some(1023.0), 31)
        );
        let today = dan.get("/api/v1/earnings/today").await.bare(200);
        assert_eq!(today["orders"], 0);
    }
}
