//! What became of every message: what was acknowledged, what REST shows, what stands in the
//! database, and what every listener heard, held against each other.

use std::collections::HashSet;
use std::fmt;

use crate::orders::OrderTally;
use crate::receiver::Heard;
use crate::stored::Stored;

/// Counts over all conversations; all but the first four and `skipped` must be 0.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acked: usize,
    /// By REST.
    pub(crate) found: usize,
    /// In the database.
    pub(crate) direct: usize,
    /// By listeners, all of them together.
    pub(crate) heard: usize,
    /// Stored twice, or told live twice.
    pub(crate) doubled: usize,
    /// Acked, but stored with other content, id or number; or told otherwise than stored.
    pub(crate) changed: usize,
    /// Acked and not stored.
    pub(crate) lost: usize,
    /// Stored, and not heard by a listener.
    pub(crate) unheard: usize,
    /// Told after a later message of the same sender.
    pub(crate) misordered: usize,
    /// Numbers left out, used twice, or out of order.
    pub(crate) misnumbered: usize,
    /// Times that listeners had to ask because a number was missing.
    pub(crate) skipped: usize,
    pub(crate) orders: OrderTally,
}

impl Tally {
    /// Holds one conversation, as REST shows it, against the database.
    pub(crate) fn count_stored(&mut self, history: &[Stored], direct: &[Stored]) {
        self.found += history.len();
        self.direct += direct.len();
        let numbers = history.iter().map(|message| message.seq);
        self.misnumbered += numbers.zip(1..).filter(|(found, wanted)| found != wanted).count();
        let keys: HashSet<_> = direct.iter().map(|message| &message.client_msg_id).collect();
        self.doubled += direct.len() - keys.len();
        self.changed += history.iter().zip(direct).filter(|(shown, one)| shown != one).count();
    }

    /// Holds what one listener heard against the database.
    pub(crate) fn count_heard(&mut self, heard: &Heard, direct: &[Stored]) {
        self.heard += heard.messages.len();
        self.doubled += heard.doubled;
        self.misordered += heard.misordered;
        self.skipped += heard.skipped;
        for Stored { seq, content, client_msg_id, .. } in direct {
            match heard.messages.get(seq) {
                None => self.unheard += 1,
                Some(said) => {
                    self.changed += usize::from((&said.0, &said.1) != (content, client_msg_id));
                }
            }
        }
        // Nobody hears of what is not stored.
        self.changed += heard.messages.len().saturating_sub(direct.len());
    }

    /// Every acked message is there once, as acked, and nothing but messages that were sent;
    /// everybody heard all of it in order. Senders go on until they have an ack, so in the end
    /// everything stored is acked.
    pub(crate) fn assert_whole(&self) {
        let Self { doubled, changed, lost, unheard, misordered, misnumbered, .. } = self;
        let faults = [doubled, changed, lost, unheard, misordered, misnumbered];
        assert!(faults.iter().all(|count| **count == 0), "{self}");
        assert!(self.acked == self.found && self.found == self.direct, "{self}");
        assert!(self.acked > 0, "nothing was sent");
        self.orders.assert_whole();
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acked, found, direct, heard, doubled, changed, lost, .. } = self;
        let Self { unheard, misordered, misnumbered, skipped, orders, .. } = self;
        write!(
            f,
            "acked={acked} found={found} direct={direct} heard={heard} doubled={doubled} \
             changed={changed} lost={lost} unheard={unheard} misordered={misordered} \
             misnumbered={misnumbered} skipped={skipped} {orders}"
        )
    }
}
