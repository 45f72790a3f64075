//! A connected member of a room: hears every message in it and checks each; some send as well.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::delivery::Delivery;
use super::room::Room;
use crate::client::{Kind, LeanClient, Packet, answer, event_name};
use crate::scenario::messages::{ACK_TIMEOUT, AFTER_REFUSAL, Counter, Stamp, Tally};
use crate::scenario::sequence::{Place, Sequence};

/// What all members of a scenario share.
pub struct Gathering {
    pub tally: Arc<Tally>,
    /// Numbers the messages, over all rooms.
    numbers: AtomicU64,
    /// Members who are in their room.
    pub entered: Counter,
    /// `joined_room` events.
    pub joined: Counter,
    /// Events that are no messages: who came, who went.
    pub noise: Counter,
    /// Senders who have sent all and got every answer, or have failed.
    pub spoken: Counter,
    pub plan: watch::Sender<Option<Plan>>,
    pub leave: CancellationToken,
}

/// When the senders send.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub begin: Instant,
    pub end: Instant,
    /// Between two messages of one sender and of all; without it each waits for its last acknowledgement.
    pub intervals: Option<(Duration, Duration)>,
}

/// A member of a room, connected.
pub struct Member {
    client: LeanClient,
    ear: Ear,
}

/// What a member does with what it hears.
struct Ear {
    room: Arc<Room>,
    gathering: Arc<Gathering>,
    sequence: Sequence,
    /// Messages sent and not answered yet.
    waiting: VecDeque<Waiting>,
    refused: bool,
    /// What must end the member.
    fault: Option<String>,
}

struct Waiting {
    ack: u64,
    number: u64,
    intended: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinRoom<'a> {
    room_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Joined {
    unread_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SendMessage<'a> {
    room_id: &'a str,
    content: String,
    client_msg_id: String,
}

#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    message: SentMessage<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMessage<'a> {
    #[serde(borrow)]
    room_id: Cow<'a, str>,
    seq: u64,
}

impl Gathering {
    /// Of nobody yet.
    pub fn new(mark: String) -> Self {
        Self {
            tally: Arc::new(Tally::new(mark)),
            numbers: AtomicU64::new(0),
            entered: Counter::default(),
            joined: Counter::default(),
            noise: Counter::default(),
            spoken: Counter::default(),
            plan: watch::Sender::new(None),
            leave: CancellationToken::new(),
        }
    }
}

impl Member {
    /// Has a connected client enter the room, and waits for the answer.
    pub async fn enter(
        client: LeanClient,
        room: Arc<Room>,
        gathering: Arc<Gathering>,
    ) -> Result<Self> {
        let ear = Ear::new(room, gathering);
        let mut member = Self { client, ear };
        timeout(ACK_TIMEOUT, member.join())
            .await
            .map_err(|_| anyhow!("join_room got no answer within {ACK_TIMEOUT:?}"))??;
        member.ear.gathering.entered.add();
        Ok(member)
    }

    async fn join(&mut self) -> Result<()> {
        let room_id = &self.ear.room.id;
        let id = self.client.emit_with_ack("join_room", &JoinRoom { room_id }).await?;
        let mut joined = None;
        while joined.is_none() {
            let ear = &mut self.ear;
            self.client
                .read(|packet, body| match packet.id {
                    Some(of) if packet.kind == Kind::Ack && of == id => {
                        joined = Some(answer::<Joined>(body));
                    }
                    _ => ear.hear(packet, body, Instant::now()),
                })
                .await?;
        }
        match joined {
            Some(Ok(Joined { unread_count: 0 })) => Ok(()),
            Some(Ok(Joined { unread_count })) => bail!("a new room had {unread_count} unread"),
            Some(Err(reason)) => bail!("join_room was refused: {reason}"),
            None => bail!("join_room got no answer"),
        }
    }

    /// Listens until told to leave.
    pub async fn attend(&mut self) -> Result<()> {
        let leave = self.ear.gathering.leave.clone();
        self.listen_until(leave.cancelled()).await
    }

    /// Sends as planned, as the sender with this number among all.
    pub async fn speak(&mut self, number: u32) -> Result<()> {
        let mut plan = self.ear.gathering.plan.subscribe();
        let planned = async { plan.wait_for(Option::is_some).await.map(|plan| *plan) };
        let plan = self.listen_until(planned).await?.ok().flatten().context("no plan")?;
        match plan.intervals {
            None => {
                self.listen_until(sleep_until(plan.begin)).await?;
                self.closed_loop(plan.end).await
            }
            Some((own, all)) => self.open_loop(plan.begin + all * number, own, plan.end).await,
        }
    }

    /// What it heard; the connection is closed.
    pub async fn finish(self) -> Sequence {
        self.client.close().await;
        self.ear.sequence
    }

    async fn closed_loop(&mut self, end: Instant) -> Result<()> {
        while Instant::now() < end {
            self.send(Instant::now()).await?;
            let answered = async {
                while !self.ear.waiting.is_empty() {
                    self.listen().await?;
                }
                Ok(())
            };
            timeout(ACK_TIMEOUT, answered)
                .await
                .map_err(|_| anyhow!("a message got no answer within {ACK_TIMEOUT:?}"))
                .flatten()?;
            if std::mem::take(&mut self.ear.refused) {
                sleep(AFTER_REFUSAL).await;
            }
        }
        Ok(())
    }

    async fn open_loop(&mut self, first: Instant, interval: Duration, end: Instant) -> Result<()> {
        let mut due = first;
        while due < end || !self.ear.waiting.is_empty() {
            let sending = due < end;
            let deadline = if sending { due } else { end + ACK_TIMEOUT };
            tokio::select! {
                biased;
                () = sleep_until(deadline) => {
                    let unanswered = self.ear.waiting.len();
                    ensure!(sending, "{unanswered} messages got no answer within {ACK_TIMEOUT:?}");
                    self.send(due).await?;
                    due += interval;
                }
                heard = self.listen() => heard?,
            }
        }
        Ok(())
    }

    async fn send(&mut self, intended: Instant) -> Result<()> {
        let (room, gathering) = (&self.ear.room, &self.ear.gathering);
        let Gathering { tally, numbers, .. } = &**gathering;
        let number = numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let stamp = Stamp { mark: &tally.mark, number, intended: tally.since_origin(intended) };
        let message = SendMessage {
            room_id: &room.id,
            content: stamp.content(),
            client_msg_id: format!("{}-{number}", tally.mark),
        };
        // Counted first: another member may hear it before this one goes on.
        tally.sent.add();
        let ack = self.client.emit_with_ack("send_message", &message).await?;
        self.ear.waiting.push_back(Waiting { ack, number, intended });
        Ok(())
    }

    async fn listen_until<T>(&mut self, done: impl Future<Output = T>) -> Result<T> {
        let mut done = pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return Ok(done),
                heard = self.listen() => heard?,
            }
        }
    }

    /// Takes in what has come. May be cancelled without loss.
    async fn listen(&mut self) -> Result<()> {
        let Self { client, ear } = self;
        // One look at the clock for all that came together.
        let mut now = None;
        client
            .read(|packet, body| ear.hear(packet, body, *now.get_or_insert_with(Instant::now)))
            .await?;
        ear.fault.take().map_or(Ok(()), |fault| Err(anyhow!(fault)))
    }
}

impl Ear {
    fn new(room: Arc<Room>, gathering: Arc<Gathering>) -> Self {
        Self {
            room,
            gathering,
            sequence: Sequence::new(),
            waiting: VecDeque::new(),
            refused: false,
            fault: None,
        }
    }

    fn hear(&mut self, packet: Packet, body: &str, now: Instant) {
        match (packet.kind, packet.id) {
            (Kind::Event, _) => match event_name(body) {
                "receive_message" => self.receive(body, now),
                "joined_room" => self.gathering.joined.add(),
                _ => self.gathering.noise.add(),
            },
            (Kind::Ack, Some(id)) => self.settle(id, body, now),
            _ => {}
        }
    }

    fn receive(&mut self, body: &str, now: Instant) {
        let tally = &self.gathering.tally;
        let ours = Delivery::read(body)
            .filter(|of| of.room == self.room.id && (1..=tally.sent.get()).contains(&of.seq))
            .and_then(|of| Some((of.seq, Stamp::read(of.content)?)))
            .filter(|(_, stamp)| stamp.mark == tally.mark);
        let Some((seq, stamp)) = ours else {
            tally.foreign.add();
            return;
        };
        self.room.deliver(seq, stamp.number);
        match self.sequence.place(seq) {
            Place::Repeated => tally.repeated.add(),
            Place::Late => {
                tally.reordered.add();
                tally.deliver(stamp.intended, now);
            }
            Place::InOrder => tally.deliver(stamp.intended, now),
        }
    }

    fn settle(&mut self, id: u64, body: &str, now: Instant) {
        let tally = &self.gathering.tally;
        let position = self.waiting.iter().position(|sent| sent.ack == id);
        let Some(sent) = position.and_then(|at| self.waiting.remove(at)) else {
            self.fault = Some(format!("an answer to nothing: {body}"));
            return;
        };
        let placed = answer::<Sent<'_>>(body).and_then(|Sent { message }| {
            let plausible =
                message.room_id == self.room.id && (1..=tally.sent.get()).contains(&message.seq);
            plausible.then_some(message.seq).ok_or_else(|| format!("another's answer: {body}"))
        });
        match placed {
            Ok(seq) => {
                tally.acknowledge(sent.intended, self.room.members(), now);
                self.room.acknowledge(seq, sent.number);
            }
            Err(reason) => {
                tally.refuse(reason);
                self.refused = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ear in the room `r`, where so many messages were sent.
    fn ear(sent: u64) -> Ear {
        let gathering = Gathering::new("m".to_owned());
        gathering.tally.sent.add_many(sent);
        Ear::new(Arc::new(Room::new("r".to_owned(), Vec::new())), Arc::new(gathering))
    }

    fn hear(ear: &mut Ear, frame: &str) {
        let packet = Packet::parse(frame, "");
        ear.hear(packet, &frame[packet.body..], Instant::now());
    }

    fn message(room: &str, seq: u64, number: u64) -> String {
        format!(
            r#"42["receive_message",{{"id":"6","roomId":"{room}","seq":{seq},"content":"m {number} 5 the bees"}}]"#
        )
    }

    /// Received, repeated, out of order, foreign.
    fn heard(ear: &Ear) -> [u64; 4] {
        let tally = &ear.gathering.tally;
        [&tally.received, &tally.repeated, &tally.reordered, &tally.foreign].map(Counter::get)
    }

    #[test]
    fn messages_that_are_late_or_repeated_or_of_another_room_are_told_apart() {
        let mut ear = ear(3);
        for seq in [1, 3, 2, 2] {
            hear(&mut ear, &message("r", seq, seq));
        }
        hear(&mut ear, &message("s", 3, 3));
        hear(&mut ear, &message("r", 4, 4));
        assert_eq!(heard(&ear), [3, 1, 1, 2], "the fourth of three is nobody's");
        assert_eq!((ear.sequence.last(), ear.sequence.count()), (3, 3));
    }

    #[test]
    fn an_answer_settles_its_own_message() {
        let mut ear = ear(2);
        let intended = Instant::now();
        ear.waiting.extend([1, 2].map(|number| Waiting { ack: 10 + number, number, intended }));
        hear(&mut ear, r#"4312[{"ok":true,"message":{"id":"6","roomId":"r","seq":1}}]"#);
        hear(&mut ear, r#"4311[{"ok":false,"error":{"code":"rate_limited","message":"slower"}}]"#);
        let tally = &ear.gathering.tally;
        assert_eq!((tally.acked.get(), tally.refused.get(), ear.room.acked()), (1, 1, 1));
        assert!(ear.waiting.is_empty() && ear.refused && ear.fault.is_none());
        hear(&mut ear, "4312[{}]");
        assert!(ear.fault.is_some(), "a second answer to the same message");
    }

    #[test]
    fn what_is_no_message_is_noise() {
        let mut ear = ear(0);
        hear(&mut ear, r#"42["user_joined",{"roomId":"r","userId":"u"}]"#);
        hear(&mut ear, r#"42["joined_room",{"roomId":"r","unreadCount":0}]"#);
        let gathering = &ear.gathering;
        assert_eq!((gathering.noise.get(), gathering.joined.get()), (1, 1));
        assert_eq!(heard(&ear), [0; 4]);
    }
}
