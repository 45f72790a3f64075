//! A batch on its way into the store: what is still to be written, and what became of the rest.

use std::collections::HashMap;

use crate::chat::model::NewMessage;
use crate::chat::store::Appended;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::text::IdempotencyKey;

/// A message still to be written, and its place in the answer.
pub(super) struct Pending {
    place: usize,
    pub(super) message: NewMessage,
}

/// The messages of one `append`, in order, and their results.
pub(super) struct Batch {
    pending: Vec<Pending>,
    results: Vec<Option<Result<Appended>>>,
    /// Messages that repeat an earlier one of this batch: their place, and the earlier one's.
    repeats: Vec<(usize, usize)>,
}

impl Batch {
    pub(super) fn new(messages: Vec<NewMessage>) -> Self {
        let mut seen: HashMap<(UserId, IdempotencyKey), usize> = HashMap::new();
        let mut batch = Self {
            pending: Vec::with_capacity(messages.len()),
            results: vec![None; messages.len()],
            repeats: Vec::new(),
        };
        for (place, message) in messages.into_iter().enumerate() {
            let key = message.client_msg_id.clone().map(|id| (message.sender, id));
            match key.as_ref().and_then(|key| seen.get(key)) {
                Some(&first) => batch.repeats.push((place, first)),
                None => {
                    seen.extend(key.map(|key| (key, place)));
                    batch.pending.push(Pending { place, message });
                }
            }
        }
        batch
    }

    /// What is still to be written, in order.
    pub(super) fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Settles the first messages still to be written.
    pub(super) fn settle_first(&mut self, outcomes: impl ExactSizeIterator<Item = Appended>) {
        for (done, outcome) in self.pending.drain(..outcomes.len()).zip(outcomes) {
            self.results[done.place] = Some(Ok(outcome));
        }
    }

    /// Settles those of the messages still to be written of which `outcome` knows what became.
    pub(super) fn settle_known(&mut self, outcome: impl Fn(&NewMessage) -> Option<Appended>) {
        let results = &mut self.results;
        self.pending.retain(|Pending { place, message }| match outcome(message) {
            Some(known) => {
                results[*place] = Some(Ok(known));
                false
            }
            None => true,
        });
    }

    /// Gives up the next message to be written.
    pub(super) fn fail_next(&mut self, error: Error) {
        let next = self.pending.remove(0);
        self.results[next.place] = Some(Err(error));
    }

    /// Gives up everything that is still to be written.
    pub(super) fn fail_rest(&mut self, error: &Error) {
        for pending in self.pending.drain(..) {
            self.results[pending.place] = Some(Err(error.clone()));
        }
    }

    /// One result for each message, in the order given.
    pub(super) fn into_results(mut self) -> Vec<Result<Appended>> {
        for (place, first) in self.repeats {
            self.results[place] = self.results[first].clone().map(|result| result.map(repeated));
        }
        let unsettled = || Err(Error::internal("a message of a batch was left unsettled"));
        self.results.into_iter().map(|result| result.unwrap_or_else(unsettled)).collect()
    }
}

fn repeated(first: Appended) -> Appended {
    match first {
        Appended::Stored(message) | Appended::Repeated(message) => Appended::Repeated(message),
    }
}
