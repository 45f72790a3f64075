//! How far each order has come for one who hears of it.

use crate::scenario::sequence::Place;

/// What was last heard of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Unknown,
    /// To its customer.
    Placed,
    /// To a driver.
    Offered,
    Accepted,
    /// Another driver has it.
    Removed,
    OutForDelivery,
    Delivered,
}

/// The stages of all orders of a scenario, for one who hears of them.
#[derive(Debug, Default)]
pub struct Stages(Vec<Stage>);

impl Stage {
    /// The stage in `orderStatusUpdated`.
    pub fn named(status: &str) -> Option<Self> {
        match status {
            "outForDelivery" => Some(Self::OutForDelivery),
            "delivered" => Some(Self::Delivered),
            _ => None,
        }
    }

    /// Which step of its way this is.
    const fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Placed | Self::Offered => 1,
            Self::Accepted | Self::Removed => 2,
            Self::OutForDelivery => 3,
            Self::Delivered => 4,
        }
    }
}

impl Stages {
    /// Takes in that a lifecycle, counted from 1 and plausible, has come so far.
    pub fn take(&mut self, lifecycle: u64, to: Stage) -> Place {
        let at = lifecycle as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, Stage::Unknown);
        }
        let stage = &mut self.0[at];
        if to.rank() <= stage.rank() {
            return Place::Repeated;
        }
        let follows = to.rank() == stage.rank() + 1 && *stage != Stage::Removed;
        *stage = to;
        if follows { Place::InOrder } else { Place::Late }
    }

    /// How far a lifecycle has come.
    pub fn of(&self, lifecycle: u64) -> Stage {
        self.0.get(lifecycle as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_comes_once_and_after_the_one_before() {
        let mut stages = Stages::default();
        let way = [Stage::Placed, Stage::Accepted, Stage::OutForDelivery, Stage::Delivered];
        assert!(way.iter().all(|&stage| stages.take(2, stage) == Place::InOrder));
        assert_eq!(
            (stages.of(2), stages.of(1), stages.of(9)),
            (Stage::Delivered, Stage::Unknown, Stage::Unknown)
        );
        assert!(way.iter().all(|&stage| stages.take(2, stage) == Place::Repeated));
    }

    #[test]
    fn a_step_left_out_is_seen() {
        let mut stages = Stages::default();
        assert_eq!(stages.take(1, Stage::Removed), Place::Late);
        assert_eq!(stages.take(1, Stage::Offered), Place::Repeated, "it came after all");
        assert_eq!(stages.take(1, Stage::OutForDelivery), Place::Late, "another has it");
    }
}
