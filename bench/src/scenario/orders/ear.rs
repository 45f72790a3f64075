//! What a customer or a driver makes of what it hears: every event is checked, and some ask for an answer.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;
use tokio::time::Instant;

use super::heard::{Event, Heard, acknowledged};
use super::party::Gathering;
use super::stages::{Stage, Stages};
use crate::client::{Kind, Packet, answer};
use crate::scenario::sequence::Place;

/// Whose ear it is, by its place among its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Customer(usize),
    Driver(usize),
}

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Place,
    Accept,
    /// Out for delivery.
    Leave,
    Deliver,
}

/// Something to ask of the server for an order with this id.
#[derive(Debug, PartialEq, Eq)]
pub struct Task {
    pub request: Request,
    pub lifecycle: u64,
    pub order: String,
}

/// Something asked, not answered yet.
pub struct Waiting {
    pub ack: u64,
    pub task: Task,
    pub begun: Instant,
}

/// What one does with what it hears.
pub struct Ear {
    pub part: Part,
    pub gathering: Arc<Gathering>,
    pub stages: Stages,
    pub waiting: VecDeque<Waiting>,
    /// What is to be asked next.
    pub tasks: VecDeque<Task>,
    /// Own orders, of a customer, that are under way.
    pub open: usize,
    pub refused: bool,
    /// What must end it.
    pub fault: Option<String>,
}

/// An answer whose content does not matter.
#[derive(Deserialize)]
struct Done {}

impl Ear {
    pub fn new(part: Part, gathering: Arc<Gathering>) -> Self {
        Self {
            part,
            gathering,
            stages: Stages::default(),
            waiting: VecDeque::new(),
            tasks: VecDeque::new(),
            open: 0,
            refused: false,
            fault: None,
        }
    }

    /// Takes in a packet.
    pub fn hear(&mut self, packet: Packet, body: &str, now: Instant) {
        match (packet.kind, packet.id) {
            (Kind::Event, _) => match Event::read(body, &self.gathering.mark) {
                Event::Order(heard) => self.follow(heard, now),
                Event::Broken => self.gathering.tally.foreign.add(),
                Event::Other => self.gathering.tally.noise.add(),
            },
            (Kind::Ack, Some(id)) => self.settle(id, body, now),
            _ => {}
        }
    }

    fn follow(&mut self, heard: Heard<'_>, now: Instant) {
        let Gathering { ledger, tally, .. } = &*self.gathering;
        let lifecycle = match heard.order {
            Some((_, stamp)) => Some(stamp.number),
            None => ledger.lifecycle(heard.number),
        };
        let known = lifecycle.and_then(|lifecycle| Some((lifecycle, ledger.placed(lifecycle)?)));
        let due = known.filter(|&(of, (customer, _))| self.is_due(of, customer, heard.stage));
        let Some((lifecycle, (_, intended))) = due else { return tally.foreign.add() };
        if heard.order.is_some_and(|(id, _)| !ledger.agree(lifecycle, id, heard.number)) {
            tally.disagreed.add();
        }
        match self.stages.take(lifecycle, heard.stage) {
            Place::Repeated => return tally.repeated.add(),
            Place::Late => tally.reordered.add(),
            Place::InOrder => {}
        }
        tally.received.add();
        self.react(lifecycle, &heard, intended, now);
    }

    /// Does what follows from an event that was due.
    fn react(&mut self, lifecycle: u64, heard: &Heard<'_>, intended: Instant, now: Instant) {
        let tally = &self.gathering.tally;
        match (self.part, heard.stage) {
            (Part::Driver(own), Stage::Offered) => {
                tally.record(&tally.new_order, intended, now);
                if let Some((id, _)) = heard.order
                    && self.gathering.driver_of(lifecycle) == own
                {
                    let (request, order) = (Request::Accept, id.to_owned());
                    self.tasks.push_back(Task { request, lifecycle, order });
                }
            }
            (Part::Customer(_), Stage::Delivered) => {
                tally.record(&tally.lifecycle, intended, now);
                tally.done.add();
                self.open = self.open.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// Whether one like this may hear so of an order of that customer.
    fn is_due(&self, lifecycle: u64, customer: usize, stage: Stage) -> bool {
        match self.part {
            Part::Customer(own) => {
                own == customer && !matches!(stage, Stage::Offered | Stage::Removed)
            }
            Part::Driver(own) if own == self.gathering.driver_of(lifecycle) => {
                !matches!(stage, Stage::Placed | Stage::Removed)
            }
            Part::Driver(_) => matches!(stage, Stage::Offered | Stage::Removed),
        }
    }

    fn settle(&mut self, id: u64, body: &str, now: Instant) {
        let position = self.waiting.iter().position(|asked| asked.ack == id);
        let Some(Waiting { task, begun, .. }) = position.and_then(|at| self.waiting.remove(at))
        else {
            self.fault = Some(format!("an answer to nothing: {body}"));
            return;
        };
        let Gathering { ledger, tally, .. } = &*self.gathering;
        if let Err(reason) = answer::<Done>(body) {
            tally.refuse(reason);
            self.refused = true;
            self.open -= usize::from(task.request == Request::Place);
            return;
        }
        let named = acknowledged(body);
        if !named.is_some_and(|(order, number)| ledger.agree(task.lifecycle, order, number)) {
            tally.disagreed.add();
        }
        tally.acked.add();
        let latencies = match task.request {
            Request::Place => &tally.place,
            Request::Accept => &tally.accept,
            Request::Leave | Request::Deliver => &tally.advance,
        };
        tally.record(latencies, begun, now);
        let next = match task.request {
            Request::Accept => Request::Leave,
            Request::Leave => Request::Deliver,
            Request::Place | Request::Deliver => return,
        };
        self.tasks.push_back(Task { request: next, ..task });
    }

    /// How many of the first so many orders have not come as far, for this one, as they had to.
    pub fn short(&self, placed: u64) -> u64 {
        let ledger = &self.gathering.ledger;
        let is_short = |lifecycle: &u64| {
            let end = match self.part {
                Part::Customer(own) => match ledger.placed(*lifecycle) {
                    Some((customer, _)) if customer == own => Stage::Delivered,
                    _ => Stage::Unknown,
                },
                Part::Driver(own) if own == self.gathering.driver_of(*lifecycle) => {
                    Stage::Delivered
                }
                Part::Driver(_) => Stage::Removed,
            };
            self.stages.of(*lifecycle) != end
        };
        (1..=placed).filter(is_short).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::messages::Counter;

    fn hear(ear: &mut Ear, frame: &str) {
        let packet = Packet::parse(frame, "");
        ear.hear(packet, &frame[packet.body..], Instant::now());
    }

    fn order(event: &str, lifecycle: u64) -> String {
        format!(
            r#"42["{event}",{{"id":"o{lifecycle}","orderNumber":{},"note":"m {lifecycle} 5"}}]"#,
            lifecycle + 100
        )
    }

    fn status(lifecycle: u64, status: &str) -> String {
        format!(
            r#"42["orderStatusUpdated",{{"orderNumber":{},"status":"{status}"}}]"#,
            lifecycle + 100
        )
    }

    /// Received, repeated, out of order, foreign.
    fn heard(ear: &Ear) -> [u64; 4] {
        let tally = &ear.gathering.tally;
        [&tally.received, &tally.repeated, &tally.reordered, &tally.foreign].map(Counter::get)
    }

    /// One of four drivers and of two customers; three orders were placed.
    fn gathering() -> Arc<Gathering> {
        let gathering = Gathering::new("m".to_owned(), 4);
        for customer in [0, 1, 0] {
            gathering.ledger.open(customer, Instant::now());
        }
        Arc::new(gathering)
    }

    #[test]
    fn a_driver_takes_its_own_orders_to_their_end() {
        let mut ear = Ear::new(Part::Driver(1), gathering());
        hear(&mut ear, &order("newOrder", 1));
        for (request, ack) in [(Request::Accept, 1), (Request::Leave, 2), (Request::Deliver, 3)] {
            let task = ear.tasks.pop_front().expect("something to do");
            assert_eq!((task.request, task.order.as_str()), (request, "o1"));
            ear.waiting.push_back(Waiting { ack, task, begun: Instant::now() });
            hear(
                &mut ear,
                &format!(r#"43{ack}[{{"ok":true,"order":{{"id":"o1","orderNumber":101}}}}]"#),
            );
        }
        assert!(ear.tasks.is_empty() && ear.waiting.is_empty() && ear.fault.is_none());
        hear(&mut ear, &order("orderAccepted", 1));
        hear(&mut ear, &status(1, "outForDelivery"));
        hear(&mut ear, &status(1, "delivered"));
        assert_eq!((heard(&ear), ear.short(1), ear.short(3)), ([4, 0, 0, 0], 0, 2));
    }

    #[test]
    fn another_drivers_order_is_withdrawn() {
        let mut ear = Ear::new(Part::Driver(1), gathering());
        hear(&mut ear, &order("newOrder", 2));
        hear(&mut ear, &order("newOrder", 2));
        hear(&mut ear, r#"42["removeOrder",{"orderId":"o2","orderNumber":102}]"#);
        hear(&mut ear, &order("orderAccepted", 2));
        hear(&mut ear, r#"42["removeOrder",{"orderId":"o9","orderNumber":109}]"#);
        assert_eq!((heard(&ear), ear.tasks.len()), ([2, 1, 0, 2], 0));
    }

    #[test]
    fn a_customer_hears_of_its_own_orders_alone() {
        let mut ear = Ear::new(Part::Customer(0), gathering());
        ear.open = 2;
        for event in ["orderPlaced", "orderAccepted"] {
            hear(&mut ear, &order(event, 3));
            hear(&mut ear, &order(event, 2));
        }
        hear(&mut ear, &status(3, "delivered"));
        assert_eq!(heard(&ear), [3, 0, 1, 2], "it was never out for delivery");
        assert_eq!((ear.open, ear.gathering.tally.done.get()), (1, 1));
    }

    #[test]
    fn a_refusal_ends_an_order() {
        let mut ear = Ear::new(Part::Customer(0), gathering());
        ear.open = 1;
        let task = Task { request: Request::Place, lifecycle: 1, order: String::new() };
        ear.waiting.push_back(Waiting { ack: 5, task, begun: Instant::now() });
        hear(&mut ear, r#"435[{"ok":false,"error":{"code":"unavailable","message":"later"}}]"#);
        assert!(ear.refused && ear.open == 0 && ear.gathering.tally.refused.get() == 1);
    }
}
