//! Chance, without a library: nothing secret hangs on it.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A source of chance (xorshift64).
pub struct Dice(u64);

impl Dice {
    /// One that no other is like.
    pub fn new() -> Self {
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    /// One of 0, 1, … `sides` − 1.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % sides.max(1) as u64) as usize
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn every_side_comes_up() {
        let mut dice = Dice::new();
        let mut seen = [0; 6];
        (0..6_000).for_each(|_| seen[dice.roll(6)] += 1);
        assert!(seen.iter().all(|&count| count > 500), "{seen:?}");
    }
}
