//! Ordinary users who chat at a modest rate among many who are idle: by turns quietly, and while one address floods the
//! server. What the flood does to the others is what counts.

mod attack;
mod attackers;
mod count;
mod spout;

use std::collections::BTreeMap;
use std::iter::successors;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::hold::{Crowd, complain, connect_all};
use super::messages::{Field, Phase};
use super::send::await_senders;
use super::{Bench, Window, is_rate};
use crate::cli::Flood;
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::{Page, Sample, Span};
use attack::Attack;

/// Where who comes from: the idle, the ordinary users, and the one address.
const IDLE: (Ipv4Addr, u32) = (Ipv4Addr::new(127, 0, 1, 1), 32);
const USERS: (Ipv4Addr, u32) = (Ipv4Addr::new(127, 0, 2, 1), 16);
const FLOODER: (Ipv4Addr, u32) = (Ipv4Addr::new(127, 0, 3, 1), 1);
/// Idle sockets of one user: fewer than `MAX_SOCKETS_PER_USER`.
const SOCKETS_PER_USER: usize = 50;
/// Idle connects under way at the same time.
const IN_FLIGHT: usize = 64;
/// Before it is quiet: who has come is told to all, and after a flood what is refused has had its turn, and the flooder's
/// users count as gone, which is told to all.
const SETTLE: Duration = Duration::from_secs(10);
/// So late at most the flood may end: what waits for the end of [`SETTLE`] has time then.
const LATE: Duration = Duration::from_secs(2);
/// From the first blow of the flood until it is measured.
const ONSET: Duration = Duration::from_secs(5);

/// When is what.
struct Timetable {
    begin: Instant,
    rounds: Vec<Round>,
}

/// What is measured in a round.
#[derive(Clone, Copy)]
struct Round {
    quiet: Window,
    flooded: Window,
}

/// The server in both phases, and what its limits refused in the second.
#[derive(Default)]
struct Measured {
    quiet: Vec<Span>,
    flooded: Vec<Span>,
    refused: BTreeMap<String, f64>,
    /// What must not be, of whole rounds.
    faults: Vec<String>,
}

/// Connects everybody, measures both phases, verifies.
pub async fn run(bench: &mut Bench, flood: &Flood) -> Result<Report> {
    let &Flood { connections, pairs, rate, rounds, seconds, flood_rate, .. } = flood;
    ensure!(pairs > 0 && rounds > 0 && seconds > 0, "pairs, rounds and seconds must be at least 1");
    ensure!(is_rate(rate) && is_rate(flood_rate), "rates must be from 0.1 to 1,000,000 a second");
    let dialer_of = |(first, count)| Arc::new(bench.dialer.variant("/", first, count));
    let (idle, users, flooder) = (dialer_of(IDLE), dialer_of(USERS), dialer_of(FLOODER));
    bench.dialer = users;
    let owners = connections.div_ceil(SOCKETS_PER_USER);
    let accounts = bench.accounts.take(2 * pairs + owners + 2).await?;
    let driver = bench.accounts.take_drivers(1).await?.remove(0);

    let mut field = Field::prepare(bench, pairs, 1).await?;
    field.share();
    let crowd = Crowd::new(idle, accounts[2 * pairs..2 * pairs + owners].to_vec(), connections);
    let holders = connect_all(&crowd, IN_FLIGHT).await.context("connecting the idle")?;
    let evil = &accounts[2 * pairs + owners..];
    let attack = Attack::prepare(flood, flooder, evil, driver)?;
    let timetable = Timetable::from_now(rounds, seconds);
    let windows = timetable.rounds.iter().flat_map(|round| [round.quiet, round.flooded]);
    field.tally.measure(&windows.collect::<Vec<_>>());
    let mut senders = start(&mut field, rate, &timetable);
    let measured = watch(bench, &field, &timetable, &attack).await?;
    await_senders(&mut senders, &mut field, timetable.end()).await?;

    let mut report = describe(flood);
    measured.fill(&mut report);
    attack.fill(&mut report, seconds_of(&measured.flooded));
    compare(&mut report, field.tally.phases(), flood.bound);
    complain(&mut report, &crowd);
    field.verify(bench, &mut report).await?;
    crowd.dismiss(holders).await?;
    Ok(report)
}

impl Timetable {
    fn from_now(count: usize, seconds: u64) -> Self {
        let begin = Instant::now() + Duration::from_secs(1);
        let length = Duration::from_secs(seconds);
        let window = |from| Window { from, to: from + length };
        let round = |before: &Window| {
            let quiet = window(before.to + SETTLE);
            Round { quiet, flooded: window(quiet.to + ONSET) }
        };
        let first = round(&Window { from: begin, to: begin });
        let rounds = successors(Some(first), |before| Some(round(&before.flooded)));
        Self { begin, rounds: rounds.take(count).collect() }
    }

    /// When the last is measured.
    fn end(&self) -> Instant {
        self.rounds.last().map_or(self.begin, |round| round.flooded.to)
    }
}

/// Every sender sends at its moments, evenly spread, from the beginning to the end of the last round.
fn start(field: &mut Field, rate: f64, timetable: &Timetable) -> JoinSet<Result<()>> {
    let (mut running, total) = (JoinSet::new(), field.senders.len());
    let interval = Duration::from_secs_f64(total as f64 / rate);
    for sender in field.senders.drain(..) {
        let first = timetable.begin + interval.mul_f64(sender.number as f64 / total as f64);
        running.spawn(sender.open_loop(first, interval, timetable.end()));
    }
    running
}

/// Reads the server at the ends of what is measured, and lets the flood loose in each round.
async fn watch(
    bench: &Bench,
    field: &Field,
    timetable: &Timetable,
    attack: &Attack,
) -> Result<Measured> {
    let shown = Arc::clone(&field.tally);
    let _progress =
        Progress::start("chatting", move || format!("{} acknowledged", shown.acked.get()));
    let mut measured = Measured::default();
    for (&Round { quiet, flooded }, number) in timetable.rounds.iter().zip(1..) {
        sleep_until(quiet.from).await;
        let before = bench.server.page().await?;
        measured.quiet.push(span(bench, quiet).await?);
        for (limit, count) in struck(before.as_ref(), bench.server.page().await?.as_ref()) {
            measured.faults.push(format!("round {number}: {limit} refused {count} in peace"));
        }
        let running = attack.start(flooded)?;
        sleep_until(flooded.from).await;
        let (before, answered) = (bench.server.page().await?, attack.answered());
        measured.flooded.push(span(bench, flooded).await?);
        let after = bench.server.page().await?;
        running.stop().await?;
        ensure!(Instant::now() < flooded.to + LATE, "the flood of round {number} ended too late");
        for ((name, before), (_, now)) in answered.into_iter().zip(attack.answered()) {
            if now == before {
                measured.faults.push(format!("round {number}: nothing answered `{name}`"));
            }
        }
        for (limit, count) in struck(before.as_ref(), after.as_ref()) {
            *measured.refused.entry(limit).or_default() += count;
        }
    }
    Ok(measured)
}

async fn span(bench: &Bench, window: Window) -> Result<Span> {
    sleep_until(window.from).await;
    let from: Sample = bench.server.sample().await?;
    sleep_until(window.to).await;
    Ok(Span { from, to: bench.server.sample().await? })
}

/// How often each limit refused meanwhile.
fn struck(before: Option<&Page>, after: Option<&Page>) -> Vec<(String, f64)> {
    const LIMITS: &str = "waggle_limits_struck_total";
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let grown = after.series(LIMITS).map(|(labels, now)| {
        let name = labels.trim_start_matches("limit=").trim_matches('"');
        (name.to_owned(), now - before.sum(LIMITS, labels))
    });
    grown.filter(|&(_, count)| count > 0.0).collect()
}

fn describe(flood: &Flood) -> Report {
    let Flood { connections, pairs, rate, rounds, seconds, flood_rate, .. } = flood;
    let attackers = match flood.attackers.as_slice() {
        [] => "all attackers".to_owned(),
        named => named.join(" and "),
    };
    Report::new(
        "flood",
        format!(
            "{connections} idle, {pairs} pairs, {rate} messages/s, {rounds} × {seconds} s quiet and as many of {attackers} at {flood_rate}/s"
        ),
    )
}

/// How long all of them were.
fn seconds_of(spans: &[Span]) -> f64 {
    spans.iter().map(Span::seconds).sum()
}

impl Measured {
    fn fill(&self, report: &mut Report) {
        for (phase, spans) in [("quiet", &self.quiet), ("flooded", &self.flooded)] {
            let percent = |cpu: f64| 100.0 * cpu / seconds_of(spans);
            let mut cpu = |of: &str, spent: Option<f64>| {
                report.figure(format!("{phase}: {of} CPU"), spent.map(percent), "% of a core");
            };
            cpu("server", spans.iter().map(Span::server_cpu).sum());
            cpu("mongod", spans.iter().map(Span::mongod_cpu).sum());
            cpu("generator", Some(spans.iter().map(Span::generator_cpu).sum()));
            cpu("other", Some(spans.iter().map(Span::other_cpu).sum()));
            let rss = spans.last().and_then(|span| Some(span.to.server?.rss_kib as f64 / 1024.0));
            report.figure(format!("{phase}: RSS at its end"), rss, "MiB");
        }
        for (limit, count) in &self.refused {
            let rate = count / seconds_of(&self.flooded);
            report.figure(format!("refused by the limit {limit}"), rate, "/s");
        }
        for fault in &self.faults {
            report.mismatch(fault);
        }
    }
}

/// One of the latencies of a phase.
type Kind = fn(&Phase) -> &Latencies;

/// Adds the latencies of both phases, of all rounds together, and of each round what the flood does to the p99. Of these
/// quotients the median counts: it must be within the bound.
fn compare(report: &mut Report, phases: &[Phase], bound: f64) {
    let ack: Kind = |of| &of.ack;
    for (kind, latencies) in [("acknowledgement", ack), ("delivery", |of| &of.delivery)] {
        for (first, phase) in ["quiet", "flooded"].iter().enumerate() {
            let all = phases.iter().skip(first).step_by(2).map(latencies);
            report.latencies(&format!("{phase}: {kind}"), &Latencies::together(all));
        }
        let p99 = |phase| latencies(phase).summary().map(|of| of.p99);
        let mut quotients = Vec::new();
        for (round, number) in phases.chunks(2).zip(1..) {
            let [before, during] = [round.first(), round.get(1)].map(|phase| phase.and_then(p99));
            let Some((before, during)) = before.zip(during) else {
                report.mismatch(format!("round {number}: no {kind} in one of the phases"));
                continue;
            };
            report.figure(format!("round {number}: {kind} p99, quiet"), before, "ms");
            report.figure(format!("round {number}: {kind} p99, flooded"), during, "ms");
            quotients.push(during / before);
        }
        quotients.sort_unstable_by(f64::total_cmp);
        // Of an even number the worse of the two in the middle.
        let median = quotients.get(quotients.len() / 2).copied();
        report.figure(format!("{kind} p99, flooded by quiet, median of the rounds"), median, "");
        if median.is_none_or(|median| median > bound) {
            report.mismatch(format!(
                "the p99 of the {kind} under the flood by its quiet value is {median:.2?}, and {bound} is the bound"
            ));
        }
    }
}
