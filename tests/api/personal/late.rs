//! What comes late: requests that were let in before an erasure, a ban or a logout, and whose body
//! comes behind it.

use serde_json::{Value, json};

use super::erase;
use super::exporting::exported;
use crate::at_rest::everything_in_store;
use crate::support::Person;
use crate::support::orders::{once, tea};
use crate::support::slow::Slow;

/// What the bodies say, and nothing else.
const LATE: [&str; 3] = ["Late Name", "a late key", "Late Room"];

/// Begins, of each, what stores something of a person, and sends half of it.
async fn begin_all(alice: &Person, dan: &Person) -> Vec<Slow> {
    let place = json!({ "latitude": 12.345_678, "longitude": 16.5 });
    let batch = json!({ "locations": [
        { "latitude": 12.345_678, "longitude": 16.5, "timestamp": waggle::clock::Clock::system().now() },
    ] });
    let posts: [(&Person, &str, &str, Value); 7] = [
        (dan, "POST", "/api/drivers/me/location", place),
        (dan, "POST", "/api/v1/driver/locations", batch),
        (dan, "PATCH", "/api/auth/me", json!({ "name": "Late Name" })),
        (alice, "PATCH", "/api/auth/me", json!({ "name": "Late Name" })),
        (alice, "POST", "/api/orders", once("a late key")),
        (alice, "POST", "/rooms", json!({ "name": "Late Room" })),
        (alice, "POST", "/api/auth/logout", json!({ "all": false })),
    ];
    let mut begun = Vec::new();
    for (who, method, path, body) in &posts {
        let mut slow = who.begin(method, path, body).await;
        slow.send(5).await;
        begun.push(slow);
    }
    begun
}

/// Sends the rest; the statuses.
async fn finish_all(begun: Vec<Slow>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for slow in begun {
        statuses.push(slow.finish().await);
    }
    statuses
}

async fn assert_nothing_is_stored(dan: &Person) {
    let stored = everything_in_store(&dan.server).await;
    for late in LATE {
        assert!(!stored.contains(late), "{late} is stored");
    }
    let document = exported(dan).await;
    let positions = (&document["positions"], &document["lastPosition"]);
    assert_eq!(positions, (&json!([]), &Value::Null));
}

on_every_store! {
    #[set(PRESENCE_GRACE = "100ms")]
    async fn a_body_that_comes_behind_an_erasure_brings_nothing_back(server) {
        let [alice, dan] = [server.register("alice").await, server.driver("dan").await];
        let begun = begin_all(&alice, &dan).await;
        erase(server, &alice.id).await;
        erase(server, &dan.id).await;
        assert_eq!(finish_all(begun).await, [401; 7]);
        assert_nothing_is_stored(&dan).await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_body_that_comes_behind_a_ban_or_a_logout_does_nothing(server) {
        let [alice, dan] = [server.register("alice").await, server.driver("dan").await];
        let (admin, again) = (server.admin().await, server.log_in("alice").await);
        let begun = begin_all(&alice, &dan).await;
        let order = again.begin("POST", "/api/orders", &tea()).await;
        admin.ban(&dan, "late").await.data(200);
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        assert_eq!(finish_all(begun).await, [401; 7]);
        assert_nothing_is_stored(&dan).await;
        // Of another session of hers that has not ended.
        assert_eq!(order.finish().await, 201);
    }
}
