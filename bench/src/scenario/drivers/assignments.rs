//! The orders that an admin assigns: when, to whom, and who heard of them.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::time::Instant;

/// How far the next order's driver is from the last one's: a prime, so that the orders go all over the drivers.
const LEAP: usize = 7_919;

/// All orders of a scenario. They are counted from 1.
pub struct Assignments {
    /// Marks this scenario's orders.
    mark: String,
    drivers: usize,
    entries: Mutex<Vec<Entry>>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The driver's place among all.
    pub driver: usize,
    /// When it was to be assigned.
    pub intended: Instant,
    /// What the server called it when it answered the admin.
    pub answered: Option<u64>,
    /// What it called it each time that the driver heard of it.
    pub heard: Vec<u64>,
}

impl Assignments {
    /// None yet, for so many drivers.
    pub const fn new(mark: String, drivers: usize) -> Self {
        Self { mark, drivers, entries: Mutex::new(Vec::new()) }
    }

    fn book<T>(&self, look: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        look(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters an order that is about to be assigned; tells its number here, and the place of its driver.
    pub fn open(&self, intended: Instant) -> (u64, usize) {
        self.book(|entries| {
            let driver = entries.len().wrapping_mul(LEAP) % self.drivers;
            entries.push(Entry { driver, intended, answered: None, heard: Vec::new() });
            (entries.len() as u64, driver)
        })
    }

    /// The order as an admin makes it, for the driver with this number.
    pub fn wish(&self, number: u64, driver_id: u64) -> Value {
        json!({
            "restaurant_name": format!("{} {number}", self.mark),
            "pickup_address": "Linienstrasse 1, 10178 Berlin",
            "pickup_lat": 52.5281, "pickup_lng": 13.4089,
            "delivery_address": "Oranienstrasse 25, 10999 Berlin",
            "delivery_lat": 52.5003, "delivery_lng": 13.4227,
            "customer_name": "Rosa",
            "customer_phone": "+49 30 1234567",
            "items": ["Margherita", "Mineral water"],
            "order_total": 19.75,
            "earnings": 4.5,
            "driver_id": driver_id,
        })
    }

    /// Takes in what the server answered.
    pub fn answer(&self, number: u64, order_id: u64) {
        self.book(|entries| {
            if let Some(entry) = entry(entries, number) {
                entry.answered = Some(order_id);
            }
        });
    }

    /// Takes in that a driver heard of an order, and tells when it was to be assigned. None if it was not for this
    /// driver.
    pub fn hear(&self, driver: usize, restaurant: &str, order_id: u64) -> Option<Instant> {
        let (mark, number) = restaurant.split_once(' ')?;
        let number = number.parse().ok().filter(|_| mark == self.mark)?;
        self.book(|entries| {
            let entry = entry(entries, number).filter(|entry| entry.driver == driver)?;
            entry.heard.push(order_id);
            Some(entry.intended)
        })
    }

    /// All orders so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.book(|entries| entries.clone())
    }

    /// How many were answered and have been heard of.
    pub fn settled(&self) -> usize {
        self.book(|entries| entries.iter().filter(|entry| entry.is_settled()).count())
    }
}

impl Entry {
    /// Whether the admin was answered, and the driver has heard of it.
    pub fn is_settled(&self) -> bool {
        self.answered.is_some() && !self.heard.is_empty()
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        match (self.answered, &self.heard[..]) {
            (None, _) => Some("was not answered".to_owned()),
            (Some(_), []) => Some("was not told to its driver".to_owned()),
            (Some(answered), &[heard]) if answered == heard => None,
            (Some(answered), &[heard]) => {
                Some(format!("is {answered} to the admin and {heard} to the driver"))
            }
            (Some(_), heard) => Some(format!("was told to its driver {} times", heard.len())),
        }
    }
}

fn entry(entries: &mut [Entry], number: u64) -> Option<&mut Entry> {
    entries.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(count: usize) -> (Assignments, Vec<usize>) {
        let assignments = Assignments::new("b1.2".to_owned(), 10_000);
        let drivers = (0..count).map(|_| assignments.open(Instant::now()).1).collect();
        (assignments, drivers)
    }

    fn faults(assignments: &Assignments) -> Vec<bool> {
        assignments.entries().iter().map(|entry| entry.fault().is_some()).collect()
    }

    #[test]
    fn orders_go_to_drivers_who_had_none_yet() {
        let (_, mut drivers) = opened(10_000);
        drivers.sort_unstable();
        assert!(drivers.iter().copied().eq(0..10_000));
    }

    #[test]
    fn an_order_is_told_by_its_restaurant() {
        let (assignments, drivers) = opened(2);
        let wish = assignments.wish(2, 40);
        let restaurant = wish["restaurant_name"].as_str().expect("a name");
        assert_eq!(wish["driver_id"], 40);
        assert_eq!(assignments.hear(drivers[0], restaurant, 105), None, "another driver's");
        assert!(assignments.hear(drivers[1], restaurant, 105).is_some());
        for foreign in ["b1.3 2", "b1.2 3", "b1.2 0", "b1.2 x", "Burger King"] {
            assert_eq!(assignments.hear(drivers[1], foreign, 105), None, "{foreign}");
        }
    }

    #[test]
    fn an_order_is_well_once_it_was_answered_and_told_once_by_the_same_number() {
        let (assignments, drivers) = opened(5);
        for number in 1..=4 {
            assignments.answer(number, 100 + number);
        }
        let hear = |number: usize, order_id| {
            let restaurant = format!("b1.2 {number}");
            assignments.hear(drivers[number - 1], &restaurant, order_id)
        };
        assert!(hear(1, 101).is_some() && hear(5, 105).is_some());
        assert!(hear(2, 102).is_some() && hear(2, 102).is_some(), "told twice");
        assert!(hear(3, 104).is_some(), "by the number of another");
        assert_eq!(faults(&assignments), [false, true, true, true, true]);
        assert_eq!(assignments.settled(), 3);
    }
}
