//! Which numbers of 1, 2, 3 … came so far, and whether in order.

use std::collections::BTreeSet;

/// What one receiver got of a sequence.
#[derive(Debug)]
pub struct Sequence {
    next: u64,
    missing: BTreeSet<u64>,
}

/// Where a number stands among those before it.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    InOrder,
    Late,
    Repeated,
}

impl Sequence {
    /// Nothing came yet.
    pub fn new() -> Self {
        Self { next: 1, missing: BTreeSet::new() }
    }

    /// Takes a number in.
    pub fn place(&mut self, number: u64) -> Place {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            Place::InOrder
        } else if self.missing.remove(&number) {
            Place::Late
        } else {
            Place::Repeated
        }
    }

    /// The highest number that came; 0 before the first.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// How many came: all up to the last, but for those that are missing.
    pub fn count(&self) -> u64 {
        self.last() - self.missing.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_late_comers_and_repeats_are_told_apart() {
        let mut sequence = Sequence::new();
        let places = [1, 3, 2, 2, 4].map(|number| sequence.place(number));
        assert_eq!(
            places,
            [Place::InOrder, Place::InOrder, Place::Late, Place::Repeated, Place::InOrder]
        );
    }

    #[test]
    fn what_is_missing_is_not_counted() {
        let mut sequence = Sequence::new();
        assert_eq!((sequence.last(), sequence.count()), (0, 0));
        for number in [2, 5, 5, 3] {
            sequence.place(number);
        }
        assert_eq!((sequence.last(), sequence.count()), (5, 3), "2, 3 and 5 of five");
    }
}
