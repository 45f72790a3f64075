//! Entering a large room with much unread in it: the time until one is in, which marks all of that as read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::room::Room;
use crate::accounts::{Account, Accounts};
use crate::cli::Join as Options;
use crate::client::{Kind, LeanClient, answer, event_name};
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::Bench;
use crate::scenario::messages::{ACK_TIMEOUT, Counter, Stamp, next_mark};

/// Between connecting and joining: what a connect costs the server is not to be in it.
const GAP: Duration = Duration::from_millis(20);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinRoom<'a> {
    room_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SendMessage<'a> {
    room_id: &'a str,
    content: String,
}

/// The acknowledgement of `join_room`, and the event `joined_room`.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Joined {
    room_id: String,
    unread_count: u64,
}

#[derive(Deserialize)]
struct Sent {
    message: SentMessage,
}

#[derive(Deserialize)]
struct SentMessage {
    seq: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unread {
    by_conversation: BTreeMap<String, u64>,
}

/// What was measured, over all who joined.
struct Measured {
    ack: Latencies,
    event: Latencies,
    /// Bytes of the last acknowledgement.
    size: usize,
    faults: Vec<String>,
}

/// What one got after `join_room`, and when.
struct Entry {
    ack: (Duration, Result<Joined, String>),
    event: (Duration, Result<Joined, String>),
    size: usize,
}

/// Fills a room with members and messages, and has some members join, one after the other.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { members, unread, count } = options;
    ensure!(unread > 0 && count > 0, "unread and count must be at least 1");
    ensure!(count < members, "one member sends, so that at most members - 1 can join");
    let accounts = bench.accounts.take(members).await?;
    let mark = next_mark(bench);
    let room = Room::found(&bench.accounts, &mark, &accounts).await?;
    let mut owner = bench.dialer.connect_lean(&accounts[0].token).await?;
    fill(&mut owner, &room, &mark, unread).await?;
    // The owner stays, as somebody who hears who comes and what was read.
    let mut listening = JoinSet::new();
    listening.spawn(async move { while owner.read(|_, _| {}).await.is_ok() {} });

    let measured = measure(bench, &room, options).await?;
    let mut report = Report::new(
        "join",
        format!("{count} of {members} members, one after the other, {unread} unread"),
    );
    report.latencies("acknowledgement", &measured.ack);
    report.latencies("joined_room", &measured.event);
    report.figure("size of the acknowledgement", measured.size as f64 / 1024.0, "KiB");
    if let Some(first) = measured.faults.first() {
        let faults = measured.faults.len();
        report.mismatch(format!("{faults} things were wrong in {count} joins; the first: {first}"));
    }
    if listening.try_join_next().is_some() {
        report.mismatch("the owner's connection was lost");
    }
    Ok(report)
}

/// The owner joins and sends the messages that the others will not have read.
async fn fill(owner: &mut LeanClient, room: &Room, mark: &str, unread: u64) -> Result<()> {
    let sent = Arc::new(Counter::default());
    let shown = Arc::clone(&sent);
    let _progress =
        Progress::start("filling", move || format!("{} of {unread} messages", shown.get()));
    enter(owner, &room.id).await?;
    for number in 1..=unread {
        let content = Stamp { mark, number, intended: Duration::ZERO }.content();
        let message = SendMessage { room_id: &room.id, content };
        let id = owner.emit_with_ack("send_message", &message).await?;
        let mut answered = None;
        let read = async {
            while answered.is_none() {
                owner
                    .read(|packet, body| {
                        if packet.kind == Kind::Ack && packet.id == Some(id) {
                            answered = Some(answer::<Sent>(body));
                        }
                    })
                    .await?;
            }
            Ok::<_, anyhow::Error>(())
        };
        timeout(ACK_TIMEOUT, read).await.context("a message got no answer")??;
        match answered {
            Some(Ok(Sent { message })) if message.seq == number => sent.add(),
            Some(Ok(Sent { message })) => bail!("message {number} got the seq {}", message.seq),
            Some(Err(reason)) => bail!("message {number} was refused: {reason}"),
            None => bail!("message {number} got no answer"),
        }
    }
    Ok(())
}

async fn measure(bench: &Bench, room: &Room, options: &Options) -> Result<Measured> {
    let mut measured =
        Measured { ack: Latencies::new(), event: Latencies::new(), size: 0, faults: Vec::new() };
    let done = Arc::new(Counter::default());
    let shown = Arc::clone(&done);
    let _progress = Progress::start("joining", move || format!("{} joined", shown.get()));
    for account in &room.accounts[1..=options.count] {
        let before = unread(&bench.accounts, account, &room.id).await?;
        measured.expect("the store counted as unread before", before, options.unread);
        let mut client = bench.dialer.connect_lean(&account.token).await?;
        sleep(GAP).await;
        let entry = enter(&mut client, &room.id).await?;
        measured.take(entry, room, options.unread);
        client.close().await;
        let after = unread(&bench.accounts, account, &room.id).await?;
        measured.expect("the store counted as unread afterwards", after, 0);
        done.add();
    }
    Ok(measured)
}

/// Joins, and waits until both the acknowledgement and the event have come.
async fn enter(client: &mut LeanClient, room_id: &str) -> Result<Entry> {
    let begun = Instant::now();
    let id = client.emit_with_ack("join_room", &JoinRoom { room_id }).await?;
    let (mut ack, mut event, mut size) = (None, None, 0);
    let read = async {
        while ack.is_none() || event.is_none() {
            client
                .read(|packet, body| match packet.kind {
                    Kind::Ack if packet.id == Some(id) => {
                        ack = Some((begun.elapsed(), answer(body)));
                        size = body.len();
                    }
                    Kind::Event if event_name(body) == "joined_room" => {
                        event = Some((begun.elapsed(), joined(body)));
                    }
                    _ => {}
                })
                .await?;
            // A refusal has its own event.
            if let Some((_, Err(reason))) = &ack {
                bail!("join_room was refused: {reason}");
            }
        }
        Ok(())
    };
    timeout(ACK_TIMEOUT, read)
        .await
        .map_err(|_| anyhow!("no acknowledgement and `joined_room` within {ACK_TIMEOUT:?}"))??;
    let (ack, event) = (ack.context("no answer")?, event.context("no event")?);
    Ok(Entry { ack, event, size })
}

/// What the event says.
fn joined(body: &str) -> Result<Joined, String> {
    let decoded = serde_json::from_str::<(String, Joined)>(body);
    decoded.map(|(_, joined)| joined).map_err(|error| error.to_string())
}

async fn unread(accounts: &Accounts, account: &Account, room: &str) -> Result<u64> {
    let Unread { by_conversation } = accounts.get(account, "/api/messages/unread/count").await?;
    Ok(by_conversation.get(room).copied().unwrap_or(0))
}

impl Measured {
    fn take(&mut self, entry: Entry, room: &Room, unread: u64) {
        self.ack.record(entry.ack.0);
        self.event.record(entry.event.0);
        self.size = entry.size;
        let right = Joined { room_id: room.id.clone(), unread_count: unread };
        for (what, said) in [("acknowledgement", entry.ack.1), ("event", entry.event.1)] {
            if said.as_ref() != Ok(&right) {
                self.faults.push(format!("the {what} said {said:?} instead of {right:?}"));
            }
        }
    }

    fn expect(&mut self, what: &str, found: u64, expected: u64) {
        if found != expected {
            self.faults.push(format!("{what} {found} instead of {expected}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        Measured { ack: Latencies::new(), event: Latencies::new(), size: 0, faults: Vec::new() }
    }

    fn entry(ack: &str, event: &str) -> Entry {
        let at = Duration::from_millis(5);
        Entry { ack: (at, answer(ack)), event: (at, joined(event)), size: ack.len() }
    }

    #[test]
    fn an_entry_is_right_when_both_name_the_room_and_the_unread() {
        let mut measured = measured();
        let room = Room::new("r".to_owned(), Vec::new());
        let said = r#"{"ok":true,"roomId":"r","presence":[{"userId":"u"}],"unreadCount":500,"timestamp":"t"}"#;
        let event = format!("[\"joined_room\",{said}]");
        measured.take(entry(&format!("[{said}]"), &event), &room, 500);
        assert_eq!(measured.faults, Vec::<String>::new());
        let other = event.replace("500", "499");
        measured.take(entry(&format!("[{said}]"), &other), &room, 500);
        assert_eq!(measured.faults.len(), 1);
    }

    #[test]
    fn counts_of_the_store_are_compared() {
        let mut measured = measured();
        measured.expect("unread", 0, 0);
        measured.expect("unread", 1, 0);
        assert_eq!(measured.faults, ["unread 1 instead of 0"]);
    }
}
