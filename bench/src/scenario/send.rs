//! Durable messages under load: each sender waits for its acknowledgement (closed loop), or all send at a rate (open).

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::messages::{Field, Tally};
use super::{Bench, Window, is_rate};
use crate::cli::Send;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Span;

/// How long the senders may take after the end of the window: one acknowledgement at most, and closing.
const GRACE: Duration = Duration::from_secs(60);

/// What was acknowledged in the measured window, and what it cost.
struct Measured {
    span: Span,
    acked: f64,
}

/// Connects the pairs, lets them send, verifies.
pub async fn run(bench: &Bench, send: &Send) -> Result<Report> {
    ensure!(send.senders > 0 && send.seconds > 0, "senders and seconds must be at least 1");
    ensure!(send.rate.is_none_or(is_rate), "the rate must be from 0.1 to 1,000,000 a second");
    let mut field = Field::prepare(bench, send.senders, 2).await?;
    let window =
        Window::after(Duration::from_secs(send.warmup) + Duration::from_millis(100), send.seconds);
    field.tally.measure(&[window]);
    let mut senders = start(&mut field, send, window);
    let measured = watch(bench, &field.tally, window).await?;
    await_senders(&mut senders, &mut field, window.to).await?;

    let mut report = describe(send);
    measured.fill(&mut report, bench.threads);
    measured.compare(&mut report, send.rate);
    field.tally.phases().iter().for_each(|phase| phase.describe(&mut report));
    field.verify(bench, &mut report).await?;
    Ok(report)
}

fn start(field: &mut Field, send: &Send, window: Window) -> JoinSet<Result<()>> {
    let begin = window.from - Duration::from_secs(send.warmup);
    let mut running = JoinSet::new();
    let total = field.senders.len();
    for sender in field.senders.drain(..) {
        match send.rate {
            None => running.spawn(sender.closed_loop(window.to)),
            Some(rate) => {
                let interval = Duration::from_secs_f64(total as f64 / rate);
                let first = begin + interval.mul_f64(sender.number as f64 / total as f64);
                running.spawn(sender.open_loop(first, interval, window.to))
            }
        };
    }
    running
}

/// Reads the server at both ends of the window.
async fn watch(bench: &Bench, tally: &Arc<Tally>, window: Window) -> Result<Measured> {
    let shown = Arc::clone(tally);
    let _progress =
        Progress::start("sending", move || format!("{} acknowledged", shown.acked.get()));
    sleep_until(window.from).await;
    let from = bench.server.sample().await?;
    let acked_before = tally.acked.get();
    sleep_until(window.to).await;
    let to = bench.server.sample().await?;
    let acked = (tally.acked.get() - acked_before) as f64;
    Ok(Measured { span: Span { from, to }, acked })
}

pub(super) async fn await_senders(
    senders: &mut JoinSet<Result<()>>,
    field: &mut Field,
    end: Instant,
) -> Result<()> {
    loop {
        let ended = timeout_at(end + GRACE, senders.join_next())
            .await
            .map_err(|_| anyhow!("senders did not end within {GRACE:?} of the last message"))?;
        match ended {
            None => return Ok(()),
            Some(ended) => {
                if let Err(error) = ended.context("a sending task")? {
                    field.fail(format!("a sender: {error:#}"));
                }
            }
        }
    }
}

fn describe(send: &Send) -> Report {
    let Send { senders, seconds, rate, .. } = send;
    match rate {
        None => Report::new("send, closed loop", format!("{senders} senders, {seconds} s")),
        Some(rate) => Report::new(
            "send, open loop",
            format!("{senders} senders, {rate} messages/s, {seconds} s"),
        ),
    }
}

impl Measured {
    /// Notes where the server fell behind the rate it was offered.
    fn compare(&self, report: &mut Report, rate: Option<f64>) {
        let reached = self.acked / self.span.seconds();
        if let Some(rate) = rate.filter(|rate| reached < 0.95 * rate) {
            report.note(format!("fell behind: {reached:.0} of {rate} messages/s"));
        }
    }

    fn fill(&self, report: &mut Report, threads: usize) {
        let Self { span, acked } = self;
        let micros_each = |cpu: f64| cpu * 1e6 / acked;
        report.figure("durable messages", acked / span.seconds(), "/s");
        report.figure(
            "messages per CPU-second",
            span.server_cpu().map(|cpu| acked / cpu),
            "/server-CPU-s",
        );
        report.figure("server CPU per message", span.server_cpu().map(micros_each), "µs");
        report.figure("mongod CPU per message", span.mongod_cpu().map(micros_each), "µs");
        report.writing(span);
        report.processor(span, threads);
    }
}
