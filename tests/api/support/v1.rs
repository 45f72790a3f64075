//! `/api/v1` as the driver app and its back office use it.

use serde_json::{Value, json};

use super::{Answer, Person};

/// An order of the back office, with places.
pub(crate) fn burger() -> Value {
    json!({
        "restaurant_name": "Burger King", "pickup_address": "Koramangala 5th Block",
        "delivery_address": "Indiranagar 100ft Road", "earnings": 12.5,
    })
}

impl Answer {
    /// A successful answer of `/api/v1`: the thing itself.
    #[track_caller]
    pub(crate) fn bare(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body.clone()
    }

    /// A failure of `/api/v1`, with its code.
    #[track_caller]
    pub(crate) fn refused_v1(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        assert!(self.body["detail"].is_string(), "{self:?}");
        assert!(self.body.get("success").is_none(), "{self:?}");
        self.body.clone()
    }
}

impl Person {
    /// Places an order of the back office, and gives it.
    pub(crate) async fn create(&self) -> Value {
        self.post("/api/v1/orders", &burger()).await.bare(201)
    }

    /// Does something to an order of `/api/v1`.
    pub(crate) async fn v1_on(&self, order: &Value, action: &str, body: &Value) -> Answer {
        self.post(&format!("/api/v1/orders/{}/{action}", order["order_id"]), body).await
    }

    /// Gives an order to a driver, and gives it.
    pub(crate) async fn give(&self, order: &Value, driver: &Self) -> Value {
        let body = json!({ "driver_id": driver.username });
        self.v1_on(order, "assign", &body).await.bare(200)
    }

    /// Cancels an order for a reason.
    pub(crate) async fn call_off(&self, order: &Value, reason: &str) -> Value {
        self.v1_on(order, "cancel", &json!({ "reason": reason })).await.bare(200)
    }

    /// Moves an order of `/api/v1`.
    pub(crate) async fn v1_advance(&self, order: &Value, status: &str) -> Answer {
        let path = format!("/api/v1/orders/{}/status", order["order_id"]);
        self.put_json(&path, &json!({ "status": status })).await
    }

    /// The driver's small number.
    pub(crate) async fn number(&self) -> i64 {
        let profile = self.get("/api/v1/driver/profile").await.bare(200);
        profile["driver_id"].as_i64().unwrap()
    }
}
