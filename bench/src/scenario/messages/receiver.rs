//! A connected receiver: takes in the messages of its one sender and checks that each comes once and in order.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::payload::Stamp;
use super::tally::Tally;
use crate::client::{Body, Client, Incoming};

#[derive(Deserialize)]
struct ReceiveMessage<'a> {
    #[serde(borrow)]
    message: Content<'a>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// Which numbers came so far.
struct Sequence {
    next: u64,
    missing: BTreeSet<u64>,
}

/// Where a number stands among those before it.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    InOrder,
    Late,
    Repeated,
}

/// Reads until told to leave, or until the connection fails.
pub async fn receive(
    mut client: Client,
    tally: Arc<Tally>,
    leave: CancellationToken,
) -> Result<()> {
    let mut sequence = Sequence { next: 1, missing: BTreeSet::new() };
    loop {
        let incoming = tokio::select! {
            incoming = client.next() => incoming?,
            () = leave.cancelled() => break,
        };
        if let Incoming::Event(event) = incoming
            && event.name() == "receive_message"
        {
            count(&event, &tally, &mut sequence)?;
        }
    }
    client.close().await;
    Ok(())
}

fn count(event: &Body, tally: &Tally, sequence: &mut Sequence) -> Result<()> {
    let received: ReceiveMessage<'_> = event.payload()?;
    let Some(stamp) =
        Stamp::read(&received.message.content).filter(|stamp| stamp.mark == tally.mark)
    else {
        tally.foreign.add();
        return Ok(());
    };
    match sequence.place(stamp.number) {
        Place::Repeated => tally.repeated.add(),
        Place::Late => {
            tally.reordered.add();
            tally.deliver(stamp.intended);
        }
        Place::InOrder => tally.deliver(stamp.intended),
    }
    Ok(())
}

impl Sequence {
    fn place(&mut self, number: u64) -> Place {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_late_comers_and_repeats_are_told_apart() {
        let mut sequence = Sequence { next: 1, missing: BTreeSet::new() };
        let places = [1, 3, 2, 2, 4].map(|number| sequence.place(number));
        assert_eq!(
            places,
            [Place::InOrder, Place::InOrder, Place::Late, Place::Repeated, Place::InOrder]
        );
    }
}
