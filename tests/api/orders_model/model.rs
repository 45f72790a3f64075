//! What must be true: an order as a status, a driver and the steps that led there.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Act, Step};

/// Two customers, three drivers, an admin.
pub(super) const PEOPLE: usize = 6;
pub(super) const CUSTOMERS: Range<usize> = 0..2;
pub(super) const DRIVERS: Range<usize> = 2..5;
pub(super) const ADMIN: usize = 5;

pub(super) const STATUSES: [&str; 5] =
    ["pending", "preparing", "outForDelivery", "delivered", "cancelled"];
const PENDING: usize = 0;
const PREPARING: usize = 1;
const OUT: usize = 2;
const DELIVERED: usize = 3;
const CANCELLED: usize = 4;

/// What must be true of one order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) customer: usize,
    pub(super) driver: Option<usize>,
    pub(super) rejected: BTreeSet<usize>,
    /// Each step: the status after it, and who made it.
    pub(super) steps: Vec<(usize, usize)>,
}

/// The code of a refusal.
pub(super) type Refused = &'static str;

impl Order {
    pub(super) fn new(customer: usize) -> Self {
        let steps = vec![(PENDING, customer)];
        Self { customer, driver: None, rejected: BTreeSet::new(), steps }
    }

    pub(super) fn status(&self) -> usize {
        self.steps.last().expect("it was placed").0
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status(), PREPARING | OUT)
    }

    pub(super) fn concerns(&self, who: usize) -> bool {
        who == ADMIN || who == self.customer || self.driver == Some(who)
    }

    /// Whether the order may be seen: also by drivers who could take it.
    pub(super) fn is_seen_by(&self, who: usize) -> bool {
        self.concerns(who) || (self.is_open_to(who) && DRIVERS.contains(&who))
    }

    fn is_open_to(&self, driver: usize) -> bool {
        self.status() == PENDING && !self.rejected.contains(&driver)
    }

    /// Does it, or says why not.
    pub(super) fn act(&mut self, step: Step) -> Result<(), Refused> {
        let who = step.who;
        let is_driver = DRIVERS.contains(&who);
        let allowed = match step.act {
            Act::Accept | Act::Reject => is_driver,
            Act::Advance(_) => is_driver || who == ADMIN,
            Act::Cancel => !is_driver,
            Act::Assign(_) | Act::Unassign => who == ADMIN,
            Act::Place => CUSTOMERS.contains(&who),
        };
        if !allowed {
            return Err("forbidden");
        }
        match step.act {
            Act::Place => Ok(()),
            Act::Accept => self.take(who, who, self.is_open_to(who)),
            Act::Assign(driver) => self.take(driver, who, self.status() == PENDING),
            Act::Reject if self.status() != PENDING => Err("conflict"),
            Act::Reject => {
                self.rejected.insert(who);
                Ok(())
            }
            Act::Advance(_) if !self.concerns(who) => {
                Err(if self.is_open_to(who) { "forbidden" } else { "not_found" })
            }
            Act::Advance(to) => {
                let follows = matches!((self.status(), to), (PREPARING, OUT) | (OUT, DELIVERED));
                self.go(to, who, follows)
            }
            Act::Cancel if !self.concerns(who) => Err("not_found"),
            Act::Cancel => self.go(CANCELLED, who, !matches!(self.status(), DELIVERED | CANCELLED)),
            Act::Unassign => {
                self.go(PENDING, who, self.is_under_way())?;
                self.driver = None;
                Ok(())
            }
        }
    }

    fn take(&mut self, driver: usize, by: usize, is_open: bool) -> Result<(), Refused> {
        if self.driver == Some(driver) && self.is_under_way() {
            return Ok(());
        }
        self.go(PREPARING, by, is_open)?;
        self.driver = Some(driver);
        Ok(())
    }

    fn go(&mut self, to: usize, by: usize, may: bool) -> Result<(), Refused> {
        if !may {
            return Err("conflict");
        }
        self.steps.push((to, by));
        Ok(())
    }
}
