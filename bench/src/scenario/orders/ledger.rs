//! The orders of a scenario: who placed them, when, and what the server calls them. Everybody who hears of one must say
//! the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// All orders of a scenario. They are counted from 1; each is a lifecycle.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    entries: Vec<Entry>,
    /// Lifecycles by the numbers that the server gave their orders.
    lifecycles: HashMap<u64, u64>,
}

/// One order.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place among the customers.
    pub customer: usize,
    /// When it was to be placed.
    pub intended: Instant,
    /// What the server calls it, once somebody has heard so.
    pub named: Option<(String, u64)>,
}

impl Ledger {
    fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters an order that is about to be placed, and tells which lifecycle it is.
    pub fn open(&self, customer: usize, intended: Instant) -> u64 {
        self.book(|book| {
            book.entries.push(Entry { customer, intended, named: None });
            book.entries.len() as u64
        })
    }

    /// How many were entered.
    pub fn count(&self) -> u64 {
        self.book(|book| book.entries.len() as u64)
    }

    /// What is known of a lifecycle.
    pub fn entry(&self, lifecycle: u64) -> Option<Entry> {
        self.book(|book| book.entry(lifecycle).cloned())
    }

    /// Customer and time of a lifecycle.
    pub fn placed(&self, lifecycle: u64) -> Option<(usize, Instant)> {
        self.book(|book| book.entry(lifecycle).map(|entry| (entry.customer, entry.intended)))
    }

    /// The lifecycle whose order has this number.
    pub fn lifecycle(&self, number: u64) -> Option<u64> {
        self.book(|book| book.lifecycles.get(&number).copied())
    }

    /// Takes in what the server calls an order, and tells whether it calls only this one so, and always.
    pub fn agree(&self, lifecycle: u64, id: &str, number: u64) -> bool {
        self.book(|book| {
            let known = *book.lifecycles.entry(number).or_insert(lifecycle);
            match book.entry(lifecycle) {
                None => false,
                Some(Entry { named: Some(named), .. }) => {
                    known == lifecycle && named.0 == id && named.1 == number
                }
                Some(entry) => {
                    entry.named = Some((id.to_owned(), number));
                    known == lifecycle
                }
            }
        })
    }
}

impl Book {
    fn entry(&mut self, lifecycle: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(lifecycle).ok()?.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_one_name_and_a_name_one_order() {
        let ledger = Ledger::default();
        let now = Instant::now();
        assert_eq!((ledger.open(0, now), ledger.open(3, now), ledger.count()), (1, 2, 2));
        assert!(ledger.agree(1, "a", 7) && ledger.agree(1, "a", 7) && ledger.agree(2, "b", 8));
        assert!(!ledger.agree(2, "b", 7), "the number of another");
        assert!(!ledger.agree(1, "b", 7), "another id");
        assert!(!ledger.agree(3, "c", 9) && !ledger.agree(0, "d", 10), "never placed");
        assert_eq!((ledger.lifecycle(8), ledger.lifecycle(11)), (Some(2), None));
        assert_eq!(ledger.placed(2), Some((3, now)));
    }
}
