//! A connected sender, which sends to its one receiver: one after the other, or at a rate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::payload::Stamp;
use super::tally::Tally;
use crate::client::{Body, Client, Incoming};

/// The longest wait for one acknowledgement.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(30);
/// After a refusal, so that a closed loop does not spin on it.
pub const AFTER_REFUSAL: Duration = Duration::from_millis(10);

/// The sending half of a pair.
pub struct Sender {
    pub client: Client,
    pub receiver_id: String,
    /// Whether the receiver is connected.
    pub connected: bool,
    /// Its place among the senders.
    pub number: usize,
    pub tally: Arc<Tally>,
    pub sent: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SendMessage<'a> {
    receiver_id: &'a str,
    content: String,
    client_msg_id: String,
}

impl Sender {
    /// Sends one message after the other until `end`.
    pub async fn closed_loop(mut self, end: Instant) -> Result<()> {
        while Instant::now() < end {
            self.send_and_wait().await?;
        }
        self.finish().await
    }

    /// Sends `count` messages, each `gap` after the acknowledgement of the last.
    pub async fn spaced(&mut self, count: u64, gap: Duration) -> Result<()> {
        for _ in 0..count {
            sleep(gap).await;
            self.send_and_wait().await?;
        }
        Ok(())
    }

    /// Sends at fixed moments from `first` until `end`, whether or not acknowledgements come.
    pub async fn open_loop(
        mut self,
        first: Instant,
        interval: Duration,
        end: Instant,
    ) -> Result<()> {
        let (mut due, mut waiting) = (first, VecDeque::new());
        while due < end || !waiting.is_empty() {
            let sending = due < end;
            let deadline = if sending { due } else { end + ACK_TIMEOUT };
            tokio::select! {
                () = sleep_until(deadline) => {
                    ensure!(sending, "{} messages got no answer within {ACK_TIMEOUT:?}", waiting.len());
                    waiting.push_back((self.send(due).await?, due));
                    due += interval;
                }
                incoming = self.client.next() => if let Incoming::Ack(id, answer) = incoming? {
                    let position = waiting.iter().position(|&(sent, _)| sent == id).context("an answer to nothing")?;
                    let (_, intended) = waiting.remove(position).context("an answer to nothing")?;
                    self.settle(intended, &answer);
                }
            }
        }
        self.finish().await
    }

    /// Closes the connection.
    pub async fn finish(self) -> Result<()> {
        self.client.close().await;
        Ok(())
    }

    async fn send_and_wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        let id = self.send(begun).await?;
        let answer = timeout(ACK_TIMEOUT, self.client.ack(id))
            .await
            .map_err(|_| anyhow!("message {} got no answer within {ACK_TIMEOUT:?}", self.sent))??;
        if !self.settle(begun, &answer) {
            sleep(AFTER_REFUSAL).await;
        }
        Ok(())
    }

    async fn send(&mut self, intended: Instant) -> Result<u64> {
        self.sent += 1;
        let (tally, number) = (&self.tally, self.sent);
        let stamp = Stamp { mark: &tally.mark, number, intended: tally.since_origin(intended) };
        let message = SendMessage {
            receiver_id: &self.receiver_id,
            content: stamp.content(),
            client_msg_id: format!("{}-{}-{number}", tally.mark, self.number),
        };
        let id = self.client.emit_with_ack("send_message", &message).await?;
        self.tally.sent.add();
        Ok(id)
    }

    /// Counts an answer, and tells whether the message was accepted.
    fn settle(&self, intended: Instant, answer: &Body) -> bool {
        match answer.outcome() {
            Ok(()) => {
                let receivers = u64::from(self.connected);
                self.tally.acknowledge(intended, receivers, Instant::now());
            }
            Err(reason) => {
                self.tally.refuse(reason);
                return false;
            }
        }
        true
    }
}
