//! The rooms of a scenario: founded and full before it, and checked against the server after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::member::{Gathering, Member, Plan};
use super::room::Room;
use crate::accounts::Account;
use crate::cli::Room as Options;
use crate::client::Dialer;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::messages::{DRAIN_TIMEOUT, next_mark};
use crate::scenario::{Bench, PREPARING};
use crate::server::{Sample, Span};

/// Rooms founded at the same time; each has several members joining.
const FOUNDING: usize = 2;
/// For so long nobody may come or go before messages are sent, and how long that may take to come about.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the members may take to enter, and to close.
const ENTER_TIMEOUT: Duration = Duration::from_secs(180);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

/// Rooms with all their members connected, ready.
pub struct Field {
    pub gathering: Arc<Gathering>,
    pub senders: u32,
    rooms: Vec<Arc<Room>>,
    members: JoinSet<Outcome>,
    before: Sample,
}

/// What became of a member: the room's number, what was heard, and what ended it early.
struct Outcome {
    room: usize,
    /// The highest seq, and how many messages.
    heard: (u64, u64),
    failure: Option<anyhow::Error>,
}

/// What a member needs to enter.
struct Invitation {
    dialer: Arc<Dialer>,
    account: Arc<Account>,
    room: Arc<Room>,
    room_number: usize,
    /// Its number among all senders, if it is one.
    sender: Option<u32>,
}

impl Field {
    /// Founds the rooms, connects all members and waits until nobody comes any more.
    pub async fn prepare(bench: &Bench, options: &Options) -> Result<Self> {
        let &Options { rooms, members, .. } = options;
        let accounts = bench.accounts.take(rooms * members).await?;
        let mark = next_mark(bench);
        let rooms = found(bench, &mark, accounts.chunks(members)).await?;
        let mut field = Self {
            gathering: Arc::new(Gathering::new(mark)),
            senders: 0,
            rooms,
            members: JoinSet::new(),
            before: bench.server.sample().await?,
        };
        field.invite(bench, options.senders_per_room());
        field.await_members().await?;
        field.await_quiet().await?;
        Ok(field)
    }

    fn invite(&mut self, bench: &Bench, senders_per_room: usize) {
        let gate = Arc::new(Semaphore::new(PREPARING));
        let senders = AtomicU32::new(0);
        for (room_number, room) in self.rooms.iter().enumerate() {
            for (number, account) in room.accounts.iter().enumerate() {
                let invitation = Invitation {
                    dialer: Arc::clone(&bench.dialer),
                    account: Arc::clone(account),
                    room: Arc::clone(room),
                    room_number,
                    sender: (number < senders_per_room)
                        .then(|| senders.fetch_add(1, Ordering::Relaxed)),
                };
                let (gathering, gate) = (Arc::clone(&self.gathering), Arc::clone(&gate));
                self.members.spawn(attend(invitation, gathering, gate));
            }
        }
        self.senders = senders.into_inner();
    }

    async fn await_members(&mut self) -> Result<()> {
        let total = self.members.len() as u64;
        let shown = Arc::clone(&self.gathering);
        let _progress =
            Progress::start("entering", move || format!("{} of {total}", shown.entered.get()));
        let deadline = Instant::now() + ENTER_TIMEOUT;
        while self.gathering.entered.get() < total {
            if let Some(ended) = self.members.try_join_next() {
                let failure = ended.context("a member")?.failure;
                return Err(failure.unwrap_or_else(|| anyhow!("a member left")))
                    .context("entering a room");
            }
            if Instant::now() > deadline {
                bail!("the members did not enter within {ENTER_TIMEOUT:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn await_quiet(&self) -> Result<()> {
        let shown = Arc::clone(&self.gathering);
        let _progress = Progress::start("settling", move || {
            format!("{} times somebody heard who came or went", shown.noise.get())
        });
        let deadline = Instant::now() + QUIET_TIMEOUT;
        loop {
            let before = self.gathering.noise.get();
            sleep(QUIET).await;
            if self.gathering.noise.get() == before {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("somebody still came or went after {QUIET_TIMEOUT:?}");
            }
        }
    }

    /// Has the senders send.
    pub fn begin(&self, plan: Plan) {
        self.gathering.plan.send_replace(Some(plan));
    }

    /// Waits until all senders have ended.
    pub async fn await_senders(&self, deadline: Instant) -> Result<()> {
        while self.gathering.spoken.get() < u64::from(self.senders) {
            if Instant::now() > deadline {
                bail!("senders did not end in time");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Checks the counts of all sides, once the last deliveries have come, and adds what is wrong to the report.
    pub async fn verify(mut self, bench: &Bench, report: &mut Report) -> Result<()> {
        let written = Span { from: self.before, to: bench.server.sample().await? }.written();
        self.dismiss(report).await?;
        let tally = &self.gathering.tally;
        let acked = tally.acked.get();
        if let Some((_, items)) = written.filter(|&(_, items)| items != acked as f64) {
            report.mismatch(format!(
                "{acked} messages were acknowledged and the server counts {items} written"
            ));
        }
        tally.complain(report);
        let mut stored = 0;
        for room in &self.rooms {
            room.complain(report);
            stored += room.compare_store(&bench.accounts, report).await?;
        }
        report.figure("acknowledged, whole run", acked as f64, "messages");
        report.figure("stored, whole run", stored as f64, "messages");
        report.figure("deliveries, whole run", tally.received.get() as f64, "");
        Ok(())
    }

    /// Waits for the last deliveries.
    pub async fn await_deliveries(&self) {
        let (tally, deadline) = (&self.gathering.tally, Instant::now() + DRAIN_TIMEOUT);
        while tally.received.get() < tally.due.get() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        // A message too many would come after the last.
        sleep(Duration::from_millis(100)).await;
    }

    /// Ends all members, and complains of those that ended before or did not hear every message of their room.
    async fn dismiss(&mut self, report: &mut Report) -> Result<()> {
        let total = self.members.len() as u64;
        self.gathering.leave.cancel();
        let (mut failures, mut short) = (Vec::new(), Vec::new());
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Some(ended) = timeout(deadline - Instant::now(), self.members.join_next())
            .await
            .context("closing the members")?
        {
            let Outcome { room, heard, failure } = ended.context("a member")?;
            let acked = self.rooms[room].acked();
            if heard != (acked, acked) {
                let (last, count) = heard;
                short.push(format!("{count} of {acked}, the last with the seq {last}"));
            }
            failures.extend(failure);
        }
        if let Some(first) = failures.first() {
            let count = failures.len();
            report.mismatch(format!("{count} members ended early; the first: {first:#}"));
        }
        if let Some(first) = short.first() {
            let count = short.len();
            report.mismatch(format!(
                "{count} of {total} members did not hear each message of their room; the first heard {first}"
            ));
        }
        let joined = self.gathering.joined.get();
        if joined != total {
            report.mismatch(format!("{total} members entered and {joined} `joined_room` came"));
        }
        Ok(())
    }
}

async fn found(
    bench: &Bench,
    mark: &str,
    members: std::slice::Chunks<'_, Arc<Account>>,
) -> Result<Vec<Arc<Room>>> {
    let total = members.len();
    let _progress = Progress::start("founding", move || format!("{total} rooms"));
    let rooms = stream::iter(members.enumerate()).map(|(number, members)| async move {
        Room::found(&bench.accounts, &format!("{mark} {number}"), members).await.map(Arc::new)
    });
    rooms.buffered(FOUNDING).try_collect().await
}

/// The life of a member.
async fn attend(
    invitation: Invitation,
    gathering: Arc<Gathering>,
    gate: Arc<Semaphore>,
) -> Outcome {
    let room = invitation.room_number;
    let sender = invitation.sender;
    let permit = gate.acquire_owned().await.ok();
    let mut member = match enter(invitation, Arc::clone(&gathering), permit).await {
        Ok(member) => member,
        Err(failure) => return Outcome { room, heard: (0, 0), failure: Some(failure) },
    };
    let attended = async {
        if let Some(number) = sender {
            let spoke = member.speak(number).await;
            gathering.spoken.add();
            spoke.context("a sender")?;
        }
        member.attend().await
    };
    let failure = attended.await.err();
    let sequence = member.finish().await;
    Outcome { room, heard: (sequence.last(), sequence.count()), failure }
}

async fn enter(
    invitation: Invitation,
    gathering: Arc<Gathering>,
    _permit: Option<OwnedSemaphorePermit>,
) -> Result<Member> {
    let Invitation { dialer, account, room, .. } = invitation;
    let client = dialer.connect_lean(&account.token).await?;
    Member::enter(client, room, gathering).await
}
