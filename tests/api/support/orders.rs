//! Orders as customers, drivers and admins use them.

use reqwest::Method;
use serde_json::{Value, json};

use super::rest::{PASSWORD, registration};
use super::transport::{Transport, websocket};
use super::{Answer, Person, Server, Socket};

/// A small order without places.
pub(crate) fn tea() -> Value {
    json!({ "items": [{ "name": "Tea", "quantity": 2, "price": 1.5 }] })
}

/// The same, idempotent.
pub(crate) fn once(key: &str) -> Value {
    let mut body = tea();
    body["clientOrderId"] = json!(key);
    body
}

/// The same, fetched at a place on the equator.
pub(crate) fn tea_at(lng: f64) -> Value {
    let mut body = tea();
    body["pickup"] = json!({ "name": "Pizzeria", "address": "Main St 1", "lat": 0, "lng": lng });
    body["dropoff"] = json!({ "address": "Side St 2", "lat": 0, "lng": lng + 0.1 });
    body
}

/// A payload that names an order.
pub(crate) fn which(order: &Value) -> Value {
    json!({ "orderId": id(order) })
}

/// A payload that moves an order.
pub(crate) fn moved(order: &Value, status: &str) -> Value {
    json!({ "orderId": id(order), "status": status })
}

/// The id of an order.
#[track_caller]
pub(crate) fn id(order: &Value) -> &str {
    order["_id"].as_str().unwrap_or_else(|| panic!("no order: {order}"))
}

/// The path of an order, or of something that can be done to it.
pub(crate) fn at(order: &Value, rest: &str) -> String {
    format!("/api/orders/{}{rest}", id(order))
}

/// The statuses in the history of an order.
pub(crate) fn steps(order: &Value) -> Vec<&str> {
    order["history"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect()
}

impl Server {
    /// Registers a driver.
    pub(crate) async fn driver(&self, username: &str) -> Person {
        let mut body = registration(username);
        body["role"] = json!("driver");
        Person::of(self, &self.post("/api/auth/register", &body).await.data(201))
    }

    /// Registers several drivers.
    pub(crate) async fn drivers<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        let mut drivers = Vec::new();
        for name in names {
            drivers.push(self.driver(name).await);
        }
        drivers.try_into().unwrap_or_else(|_| unreachable!("one for each name"))
    }

    /// The admin of a server with `ADMIN_EMAIL = "root@example.com"` and everybody's password.
    pub(crate) async fn admin(&self) -> Person {
        let body = json!({ "email": "root@example.com", "password": PASSWORD });
        Person::of(self, &self.post("/api/auth/login", &body).await.data(200))
    }
}

impl Person {
    /// Places an order by REST, and gives it.
    pub(crate) async fn place(&self, body: &Value) -> Value {
        self.post("/api/orders", body).await.data(201)["order"].clone()
    }

    /// An order as it is now.
    pub(crate) async fn order(&self, order: &Value) -> Value {
        self.get(&at(order, "")).await.data(200)["order"].clone()
    }

    /// Does something to an order by REST.
    pub(crate) async fn on(&self, order: &Value, action: &str, body: &Value) -> Answer {
        self.post(&at(order, &format!("/{action}")), body).await
    }

    /// Takes an order by REST, and gives it.
    pub(crate) async fn accept(&self, order: &Value) -> Value {
        self.on(order, "accept", &json!({})).await.data(200)["order"].clone()
    }

    /// Moves an order by REST.
    pub(crate) async fn advance(&self, order: &Value, status: &str) -> Answer {
        self.put_json(&at(order, "/status"), &json!({ "status": status })).await
    }

    /// Gives an order to a driver by REST.
    pub(crate) async fn assign(&self, order: &Value, driver: &Value) -> Answer {
        self.on(order, "assign", &json!({ "driverId": driver })).await
    }

    /// The own orders, the newest first.
    pub(crate) async fn orders(&self, query: &str) -> Vec<Value> {
        let data = self.get(&format!("/api/orders{query}")).await.data(200);
        data["orders"].as_array().unwrap().clone()
    }

    /// `PUT` with a body.
    pub(crate) async fn put_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    /// Connects as seed 001's clients do: with the token in the query.
    pub(crate) async fn connect_by_query(&self, namespace: &str) -> Socket {
        let query = format!("&token={}", self.token);
        let websocket = websocket(&self.server, &query, &[]).await.unwrap();
        Socket::over(Transport::over_websocket(websocket), namespace, &json!({})).await.unwrap()
    }

    /// Says where the driver is, by REST.
    pub(crate) async fn stand_at(&self, lng: f64) {
        let body = json!({ "latitude": 0, "longitude": lng });
        self.post("/api/drivers/me/location", &body).await.data(200);
    }

    /// Connects a driver to `/orders` who stands on the equator.
    pub(crate) async fn connect_at(&self, lng: f64) -> Socket {
        self.stand_at(lng).await;
        self.connect("/orders").await
    }
}

impl Socket {
    /// Places an order, and gives it.
    pub(crate) async fn place(&mut self, body: &Value) -> Value {
        self.done("placeOrder", body).await["order"].clone()
    }

    /// Emits an event that must fail with this code, in the ack and in `orderError` alike.
    pub(crate) async fn failed(&mut self, event: &str, payload: &Value, code: &str) -> Value {
        self.refused_as("orderError", event, payload, code).await
    }

    /// The next event of this name about an order.
    pub(crate) async fn hear_of(&mut self, event: &str, order: &Value) -> Value {
        let order = id(order);
        self.expect_where(event, |told| told["orderId"] == order || told["_id"] == order).await
    }

    /// Shows that no event about orders or drivers was sent before now.
    pub(crate) async fn expect_silence(&mut self) {
        for event in EVENTS {
            self.expect_none(event).await;
        }
    }
}

/// Every event about orders.
pub(crate) const EVENTS: [&str; 9] = [
    "orderPlaced",
    "newOrder",
    "orderAccepted",
    "removeOrder",
    "orderStatusUpdated",
    "orderCancelled",
    "orderUnassigned",
    "driverLocation",
    "orderError",
];

impl Person {
    /// Waits until so many available drivers are seen on the equator.
    pub(crate) async fn until_near(&self, count: usize) {
        let deadline = std::time::Instant::now() + super::rest::PATIENCE;
        loop {
            let seen = self.get("/api/drivers/nearby?lat=0&lng=0&radius=50000").await.data(200);
            if seen["drivers"].as_array().unwrap().len() == count {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "not {count} drivers: {seen}");
        }
    }
}
