//! A connected receiver: takes in the messages of its one sender and checks that each comes once and in order.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::payload::Stamp;
use super::tally::Tally;
use crate::client::{Body, Client, Incoming};
use crate::scenario::sequence::{Place, Sequence};

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

/// Reads until told to leave, or until the connection fails.
pub async fn receive(
    mut client: Client,
    tally: Arc<Tally>,
    leave: CancellationToken,
) -> Result<()> {
    let mut sequence = Sequence::new();
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
            tally.deliver(stamp.intended, Instant::now());
        }
        Place::InOrder => tally.deliver(stamp.intended, Instant::now()),
    }
    Ok(())
}
