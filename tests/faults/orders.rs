//! A customer who places orders, and two drivers who both want each of them: everybody repeats what
//! was not answered.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::persistent::Persistent;
use crate::setting::rest::{Rest, User};

/// Between two orders.
const BETWEEN: Duration = Duration::from_millis(20);

/// What was acknowledged of an order: its id, and the driver who has it.
type Taken = (String, String);

pub(crate) struct Ordering {
    pub(crate) customer: Persistent,
    pub(crate) drivers: [(String, Persistent); 2],
}

impl Ordering {
    /// Places and takes orders until told to stop; gives them.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Vec<Taken> {
        let mut taken = Vec::new();
        while !stop.is_cancelled() {
            let key = format!("order-{}", taken.len());
            let wanted = json!({ "items": ["soup"], "clientOrderId": key });
            let placed = self.customer.ask("placeOrder", &wanted).await;
            assert_eq!(placed["ok"], true, "{placed}");
            let id = placed["order"]["id"].as_str().unwrap().to_owned();
            let payload = json!({ "orderId": id });
            let [one, other] = &mut self.drivers;
            let answers = tokio::join!(
                one.1.ask("orderAccept", &payload),
                other.1.ask("orderAccept", &payload)
            );
            let won = match (answers.0["ok"] == true, answers.1["ok"] == true) {
                (true, false) => (&one.0, answers.1),
                (false, true) => (&other.0, answers.0),
                _ => panic!("one driver gets the order: {answers:?}"),
            };
            assert_eq!(won.1["error"]["code"], "conflict", "{}", won.1);
            taken.push((id, won.0.clone()));
            tokio::time::sleep(BETWEEN).await;
        }
        taken
    }
}

/// What became of the orders.
#[derive(Debug, Default)]
pub(crate) struct OrderTally {
    taken: usize,
    found: usize,
    /// Placed twice, accepted twice, or by another driver than was told.
    wrong: usize,
}

impl OrderTally {
    /// Holds what was acknowledged against the orders as they are.
    pub(crate) async fn of(rest: &Rest, customer: &User, taken: &[Taken]) -> Self {
        let stored = rest.orders(customer).await;
        let mut tally = Self { taken: taken.len(), found: stored.len(), wrong: 0 };
        let ids: HashSet<_> = taken.iter().map(|(id, _)| id).collect();
        tally.wrong += taken.len() - ids.len();
        for order in &stored {
            let won = taken.iter().find(|(id, _)| order["id"] == id.as_str());
            let is_right = won.is_some_and(|(_, driver)| order["driverId"] == driver.as_str());
            tally.wrong += usize::from(!is_right || times_taken(order) != 1);
        }
        tally
    }

    pub(crate) fn assert_whole(&self) {
        assert!(self.taken == self.found && self.wrong == 0, "{self}");
    }
}

fn times_taken(order: &Value) -> usize {
    let history = order["history"].as_array().unwrap();
    history.iter().filter(|entry| entry["status"] == "preparing").count()
}

impl fmt::Display for OrderTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, found, wrong } = self;
        write!(f, "orders={taken} orders_found={found} orders_wrong={wrong}")
    }
}
