//! The people on a real server: each act is done there and in the model, and the two are compared.

use reqwest::Method;
use serde_json::{Value, json};

use super::model::{ADMIN, CUSTOMERS, Order, PEOPLE, STATUSES};
use super::{Act, Step};
use crate::support::orders::{at, id, tea, which};
use crate::support::{Answer, Person, Socket};

/// The people and their orders, as they are on the server.
pub(super) struct World<'a> {
    people: &'a [Person; PEOPLE],
    sockets: Vec<Socket>,
    orders: Vec<Order>,
    /// Each order as the server showed it last.
    shown: Vec<Value>,
}

pub(super) type Checked = Result<(), String>;

#[expect(clippy::needless_pass_by_value, reason = "most of them are made for the call")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Checked {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, the model says {wanted:?}"))
    }
}

/// What of an order only people change: looking for a driver moves `updatedAt` too.
fn still(order: &Value) -> Value {
    let mut order = order.clone();
    order["updatedAt"] = Value::Null;
    order
}

/// What came of an act: the order, or the code of the refusal.
fn outcome(ok: &Value, error: &Value) -> Result<Value, String> {
    match error["code"].as_str() {
        Some(code) => Err(code.to_owned()),
        None => Ok(ok["order"].clone()),
    }
}

impl<'a> World<'a> {
    pub(super) async fn new(people: &'a [Person; PEOPLE]) -> Self {
        let mut sockets = Vec::new();
        for (number, person) in people.iter().enumerate() {
            sockets.push(person.connect(if number % 2 == 0 { "/" } else { "/orders" }).await);
        }
        let mut world = Self { people, sockets, orders: Vec::new(), shown: Vec::new() };
        for (customer, person) in people[CUSTOMERS].iter().enumerate() {
            world.shown.push(person.place(&tea()).await);
            world.orders.push(Order::new(customer));
        }
        world
    }

    /// Does it, and checks the answer.
    pub(super) async fn act(&mut self, step: Step) -> Checked {
        let number = step.which % self.orders.len();
        let outcome = match step.act {
            Act::Assign(_) | Act::Unassign => self.by_rest(step, number).await,
            _ if step.by_rest => self.by_rest(step, number).await,
            _ => self.by_socket(step, number).await,
        };
        let mut before = self.orders[number].clone();
        let wanted = before.act(step).map_err(str::to_owned);
        same("the answer", outcome.clone().map(drop), wanted)?;
        match (outcome, step.act) {
            (Ok(placed), Act::Place) => {
                self.orders.push(Order::new(step.who));
                self.shown.push(placed);
                Ok(())
            }
            (Ok(answered), _) => {
                self.orders[number] = before;
                self.look_at(number).await?;
                same("what was answered", still(&answered), still(&self.shown[number]))
            }
            (Err(_), _) => self.look_at(number).await,
        }
    }

    async fn by_socket(&mut self, step: Step, number: usize) -> Result<Value, String> {
        let mut payload = which(&self.shown[number]);
        let event = match step.act {
            Act::Place => "placeOrder",
            Act::Accept => "orderAccept",
            Act::Reject => "orderReject",
            Act::Cancel => "cancelOrder",
            Act::Advance(_) => "updateOrderStatus",
            Act::Assign(_) | Act::Unassign => unreachable!("only by REST"),
        };
        match step.act {
            Act::Place => payload = tea(),
            Act::Advance(to) => payload["status"] = json!(STATUSES[to]),
            _ => {}
        }
        let ack = self.sockets[step.who].emit_ack(event, &payload).await;
        outcome(&ack, &ack["error"])
    }

    async fn by_rest(&self, step: Step, number: usize) -> Result<Value, String> {
        let order = &self.shown[number];
        let (method, path, body) = match step.act {
            Act::Place => (Method::POST, "/api/orders".to_owned(), tea()),
            Act::Accept => (Method::POST, at(order, "/accept"), json!({})),
            Act::Reject => (Method::POST, at(order, "/reject"), json!({})),
            Act::Cancel => (Method::POST, at(order, "/cancel"), json!({})),
            Act::Unassign => (Method::POST, at(order, "/unassign"), json!({})),
            Act::Advance(to) => {
                (Method::PUT, at(order, "/status"), json!({ "status": STATUSES[to] }))
            }
            Act::Assign(driver) => {
                let named = json!({ "driverId": self.people[driver].id });
                (Method::POST, at(order, "/assign"), named)
            }
        };
        let answer = Answer::of(self.people[step.who].request(method, &path).json(&body)).await;
        outcome(&answer.body["data"], &answer.body["error"])
    }

    /// Compares an order with the model, and with what it was before.
    async fn look_at(&mut self, number: usize) -> Checked {
        let found = self.people[ADMIN].order(&self.shown[number]).await;
        let model = &self.orders[number];
        let user = |who: usize| json!(self.people[who].id);
        same("the status", &found["status"], &json!(STATUSES[model.status()]))?;
        same("the driver", &found["driverId"], &model.driver.map_or(Value::Null, user))?;
        same("the customer", &found["userId"], &user(model.customer))?;
        let history = found["history"].as_array().unwrap();
        let steps: Vec<_> =
            history.iter().map(|one| (one["status"].clone(), one["by"].clone())).collect();
        let wanted: Vec<_> =
            model.steps.iter().map(|(to, by)| (json!(STATUSES[*to]), user(*by))).collect();
        same("the history", steps, wanted)?;
        let before = self.shown[number]["history"].as_array().unwrap();
        same("what was in the history", &history[..before.len()], before)?;
        let mut rejected: Vec<_> = found["rejections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["driverId"].clone())
            .collect();
        rejected.sort_unstable_by_key(ToString::to_string);
        let mut wanted: Vec<_> = model.rejected.iter().map(|who| user(*who)).collect();
        wanted.sort_unstable_by_key(ToString::to_string);
        same("the rejections", rejected, wanted)?;
        self.shown[number] = found;
        Ok(())
    }

    /// Compares everything that anybody can ask for.
    pub(super) async fn look(&mut self) -> Checked {
        for number in 0..self.orders.len() {
            self.look_at(number).await?;
        }
        for (who, person) in self.people.iter().enumerate() {
            let listed = person.orders("?limit=200").await;
            for (model, shown) in self.orders.iter().zip(&self.shown) {
                let in_list = listed.iter().find(|one| one["_id"] == shown["_id"]);
                same(&format!("the list of {who}"), in_list.is_some(), model.concerns(who))?;
                same("an order in a list", still(in_list.unwrap_or(shown)), still(shown))?;
                let status = person.get(&at(shown, "")).await.status;
                let wanted = if model.is_seen_by(who) { 200 } else { 404 };
                same(&format!("{} for {who}", id(shown)), status, wanted)?;
            }
        }
        Ok(())
    }
}
