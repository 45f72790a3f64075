//! What must be true: a room as sets and counts.

use std::collections::{BTreeMap, HashSet};

use super::USERS;

/// What must be true.
#[derive(Default)]
pub(super) struct Model {
    pub(super) owner: usize,
    /// Members, with the `seq` and the order in which they joined.
    pub(super) members: BTreeMap<usize, (usize, usize)>,
    joins: usize,
    pub(super) live: HashSet<usize>,
    /// Who wrote each message.
    pub(super) senders: Vec<usize>,
    pub(super) read: HashSet<(usize, usize)>,
}

impl Model {
    pub(super) fn join(&mut self, user: usize) {
        let since = self.senders.len();
        self.joins += 1;
        let order = self.joins;
        self.members.entry(user).or_insert((since, order));
    }

    pub(super) fn end(&mut self, user: usize) {
        self.members.remove(&user);
        self.live.remove(&user);
        if user == self.owner {
            let oldest = self.members.iter().min_by_key(|(_, (_, order))| *order);
            self.owner = *oldest.expect("somebody is left").0;
        }
    }

    pub(super) fn is_recipient(&self, user: usize, seq: usize) -> bool {
        let since = self.members.get(&user).map(|(since, _)| *since);
        since.is_some_and(|since| since < seq) && self.senders[seq - 1] != user
    }

    pub(super) fn unread(&self, user: usize) -> usize {
        (1..=self.senders.len())
            .filter(|seq| self.is_recipient(user, *seq) && !self.read.contains(&(user, *seq)))
            .count()
    }

    /// Reads what is for the user, and counts what was unread.
    pub(super) fn mark(&mut self, user: usize, seqs: impl IntoIterator<Item = usize>) -> usize {
        let for_user: Vec<_> =
            seqs.into_iter().filter(|seq| self.is_recipient(user, *seq)).collect();
        for_user.into_iter().filter(|seq| self.read.insert((user, *seq))).count()
    }

    pub(super) fn receipts(&self, seq: usize) -> (usize, usize) {
        let recipients = (0..USERS).filter(|user| self.is_recipient(*user, seq));
        let read = recipients.clone().filter(|user| self.read.contains(&(*user, seq)));
        (recipients.count(), read.count())
    }

    /// An earlier membership's reads do not come back with a new one.
    pub(super) fn forget_reads(&mut self, user: usize) {
        self.read.retain(|(reader, _)| *reader != user);
    }
}
