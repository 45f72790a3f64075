//! Typing notices, which nobody stores: how many arrive, how fast, and at what cost.
//!
//! A notice carries nothing of its sender's choosing but whether the user types, so `typing_start` and `typing_stop`
//! alternate and arrivals are matched by order. That is exact while none is lost. A server may thin them; then the
//! latest notice sent is taken for the one that arrived, and the latencies are a lower bound.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Bench, Window, is_rate};
use crate::cli::Typing;
use crate::client::{Client, Incoming};
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Span;

/// How long the last notices may take, and the clients to close.
const DRAIN: Duration = Duration::from_secs(1);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Load before what is measured.
const WARMUP: Duration = Duration::from_secs(1);

/// Counts and latencies of all pairs.
struct Notices {
    window: Window,
    sent: AtomicU64,
    delivered: AtomicU64,
    /// By order, and by the latest sent.
    matched: Latencies,
    newest: Latencies,
    leave: CancellationToken,
}

/// Notices of one pair that are under way: what they say, and when they were due.
type UnderWay = Arc<Mutex<VecDeque<(bool, Instant)>>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice<'a> {
    receiver_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserTyping {
    is_typing: bool,
}

/// Connects the pairs, lets them type.
pub async fn run(bench: &Bench, typing: &Typing) -> Result<Report> {
    let &Typing { pairs, rate, seconds } = typing;
    ensure!(pairs > 0 && seconds > 0, "pairs and seconds must be at least 1");
    ensure!(is_rate(rate), "the rate must be from 0.1 to 1,000,000 a second");
    let accounts = bench.accounts.take(2 * pairs).await?;
    let (typists, watchers) = accounts.split_at(pairs);
    let watching = bench.connect(watchers).await.context("connecting the receivers")?;
    let clients = bench.connect(typists).await.context("connecting the senders")?;
    let notices = Arc::new(Notices::new(Window::after(WARMUP, seconds)));

    let mut tasks = JoinSet::new();
    let interval = Duration::from_secs_f64(1.0 / rate);
    for (number, (watcher, client)) in watching.into_iter().zip(clients).enumerate() {
        let under_way = UnderWay::default();
        tasks.spawn(watch(watcher, Arc::clone(&notices), Arc::clone(&under_way)));
        let first = notices.window.from - WARMUP + interval.mul_f64(number as f64 / pairs as f64);
        tasks.spawn(type_on(
            client,
            watchers[number].id.clone(),
            Arc::clone(&notices),
            under_way,
            (first, interval),
        ));
    }
    measure(bench, typing, &notices, &mut tasks).await
}

async fn measure(
    bench: &Bench,
    typing: &Typing,
    notices: &Arc<Notices>,
    tasks: &mut JoinSet<Result<()>>,
) -> Result<Report> {
    let shown = Arc::clone(notices);
    let _progress = Progress::start("typing", move || {
        format!("{} delivered", shown.delivered.load(Ordering::Relaxed))
    });
    sleep_until(notices.window.from).await;
    let (from, before) = (bench.server.sample().await?, notices.delivered.load(Ordering::Relaxed));
    sleep_until(notices.window.to).await;
    let (to, after) = (bench.server.sample().await?, notices.delivered.load(Ordering::Relaxed));
    sleep(DRAIN).await;
    notices.leave.cancel();
    let mut failures = Vec::new();
    let deadline = Instant::now() + CLOSE_TIMEOUT;
    while let Some(ended) =
        timeout(deadline - Instant::now(), tasks.join_next()).await.context("closing")?
    {
        failures.extend(ended.context("a task")?.err());
    }
    let mut report =
        notices.report(typing, &Span { from, to }, (after - before) as f64, bench.threads);
    if let Some(first) = failures.first() {
        report.mismatch(format!("{} clients ended early; the first: {first:#}", failures.len()));
    }
    Ok(report)
}

/// Sends notices at fixed moments until the window ends; the last one says that typing stopped.
async fn type_on(
    mut client: Client,
    receiver_id: String,
    notices: Arc<Notices>,
    under_way: UnderWay,
    (mut due, interval): (Instant, Duration),
) -> Result<()> {
    let (mut typing, notice) = (false, Notice { receiver_id: &receiver_id });
    loop {
        tokio::select! {
            () = sleep_until(due), if due < notices.window.to || typing => {
                typing = !typing;
                under_way.lock().unwrap_or_else(PoisonError::into_inner).push_back((typing, due));
                client.emit(if typing { "typing_start" } else { "typing_stop" }, &notice).await?;
                notices.sent.fetch_add(1, Ordering::Relaxed);
                due += interval;
            }
            incoming = client.next() => { incoming?; }
            () = notices.leave.cancelled() => break,
        }
    }
    client.close().await;
    Ok(())
}

async fn watch(mut client: Client, notices: Arc<Notices>, under_way: UnderWay) -> Result<()> {
    loop {
        let incoming = tokio::select! {
            incoming = client.next() => incoming?,
            () = notices.leave.cancelled() => break,
        };
        if let Incoming::Event(event) = incoming
            && event.name() == "user_typing"
        {
            let UserTyping { is_typing } = event.payload()?;
            notices.arrive(is_typing, &under_way);
        }
    }
    client.close().await;
    Ok(())
}

impl Notices {
    fn new(window: Window) -> Self {
        Self {
            window,
            sent: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            matched: Latencies::new(),
            newest: Latencies::new(),
            leave: CancellationToken::new(),
        }
    }

    fn arrive(&self, typing: bool, under_way: &UnderWay) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = under_way.iter().rev().find(|sent| sent.0 == typing).map(|sent| sent.1);
        let oldest = under_way.iter().position(|sent| sent.0 == typing);
        let oldest = oldest.and_then(|at| under_way.remove(at)).map(|sent| sent.1);
        for (latencies, due) in [(&self.matched, oldest), (&self.newest, newest)] {
            if let Some(due) = due.filter(|&due| self.window.contains(due)) {
                latencies.record(due.elapsed());
            }
        }
    }

    fn report(&self, typing: &Typing, span: &Span, delivered: f64, threads: usize) -> Report {
        let Typing { pairs, rate, seconds } = typing;
        let mut report =
            Report::new("typing", format!("{pairs} pairs, {rate} notices/s each, {seconds} s"));
        let (sent, arrived) =
            (self.sent.load(Ordering::Relaxed), self.delivered.load(Ordering::Relaxed));
        report.figure("deliveries", delivered / span.seconds(), "/s");
        report.figure(
            "deliveries per CPU-second",
            span.server_cpu().map(|cpu| delivered / cpu),
            "/server-CPU-s",
        );
        report.figure("delivered of sent", 100.0 * arrived as f64 / sent as f64, "%");
        report.latencies("delivery", if arrived == sent { &self.matched } else { &self.newest });
        report.processor(span, threads);
        if arrived < sent {
            report.note(format!(
                "{} notices were thinned out: latencies are a lower bound",
                sent - arrived
            ));
        }
        if arrived > sent || arrived == 0 {
            report.mismatch(format!("{sent} notices were sent and {arrived} arrived"));
        }
        report
    }
}
