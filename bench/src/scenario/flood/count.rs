//! What an attacker did and what it was answered.

use crate::scenario::Window;
use crate::scenario::messages::Counter;
use tokio::time::Instant;

/// Of one attacker.
#[derive(Default)]
pub struct Count {
    /// Tried while the flood was measured.
    pub tried: Counter,
    /// Answered with a refusal, then or later: an error, a 4xx, the end of the connection.
    pub refused: Counter,
    /// Let through.
    pub taken: Counter,
    /// Connections that the server ended though it had let them in.
    pub cut: Counter,
    /// What did not get so far as to be refused.
    pub failed: Counter,
}

/// A moment's part of the counts: only what falls into the measured stretch counts.
#[derive(Debug, Clone, Copy)]
pub struct Clock(pub Window);

impl Clock {
    /// Whether it is measured now.
    pub fn runs(self) -> bool {
        self.0.contains(Instant::now())
    }
}

impl Count {
    /// So many tried just now.
    pub fn tried(&self, clock: Clock, count: u64) {
        if clock.runs() {
            self.tried.add_many(count);
        }
    }

    /// One that was not answered, just now.
    pub fn failed(&self, clock: Clock) {
        if clock.runs() {
            self.failed.add();
        }
    }

    /// The server has ended a connection just now.
    pub fn cut(&self, clock: Clock) {
        if clock.runs() {
            self.cut.add();
        }
    }

    /// One answered just now.
    pub fn answered(&self, clock: Clock, refused: bool) {
        if clock.runs() {
            if refused { self.refused.add() } else { self.taken.add() }
        }
    }
}
