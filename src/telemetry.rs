//! Logs, metrics and traces. Logs are one line per event with fields; nothing that a client keeps
//! secret (tokens, passwords, texts) is ever put into a field, of a line or of a span.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;
use std::io::{self, IsTerminal, Stderr, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::field::Empty;
use tracing::{Span, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::config::{Config, LogConfig, LogFormat};
use crate::error::Code;

#[cfg(feature = "otlp")]
mod otlp;
mod strikes;

pub use strikes::{Struck, struck, tell_strikes};

/// The engine's own debug lines show auth payloads and texts (FACTS §1.8), so it stays silent.
const QUIET: &str = "socketioxide=off,engineioxide=off,hyper=info,mongodb=info,rustls=info,reqwest=info,opentelemetry=warn";

/// The target of spans that are for traces alone: lines of the log do not show them.
const SPANS: &str = "spans";
/// The target of panics, which are told at every level.
const PANICS: &str = "panics";

/// Lines that wait to be written, at most; more are lost, and counted.
const WAITING_LINES: usize = 10_000;

/// Lines that were lost because nobody took what was written before.
static CROWDED_OUT: OnceLock<ErrorCounter> = OnceLock::new();
/// Lines that could not be written.
static UNWRITTEN: AtomicU64 = AtomicU64::new(0);

/// Starts logging to standard error. A second call changes nothing.
pub fn start_logging(config: &LogConfig) -> Telemetry {
    let (lines, writer) = lines(config);
    begin(Registry::default().with(lines).with(filter(config)));
    Telemetry::new(writer)
}

/// Starts logging, and the export of traces where `OTLP_ENDPOINT` is set.
///
/// # Errors
/// When the exporter cannot be made.
pub fn start(config: &Config) -> Result<Telemetry, String> {
    #[cfg(feature = "otlp")]
    if let Some(endpoint) = &config.traces.endpoint {
        let provider = otlp::start(endpoint, config.traces.sample_ratio)
            .map_err(|problem| format!("traces cannot be exported (OTLP_ENDPOINT): {problem}"))?;
        let (lines, writer) = lines(&config.log);
        let lines = lines.with_filter(filter(&config.log));
        begin(Registry::default().with(lines).with(otlp::layer(&provider)));
        return Ok(Telemetry { provider: Some(provider), ..Telemetry::new(writer) });
    }
    Ok(start_logging(&config.log))
}

/// Standard error, with a count of what it did not take: whoever writes there does not say.
struct Lines(Stderr);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let counted = |_: &io::Error| {
            UNWRITTEN.fetch_add(1, Ordering::Relaxed);
        };
        self.0.write_all(line).inspect_err(counted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Has panics told by a line of the log. Rust would write them to standard error by itself, and
/// wait until somebody reads that.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let text = panic.payload_as_str().unwrap_or_default();
        let backtrace = Backtrace::capture();
        let is_captured = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = is_captured.then(|| tracing::field::debug(backtrace.to_string()));
        tracing::error!(target: PANICS, at, ?text, backtrace, "a panic");
    }));
}

fn begin(subscriber: impl SubscriberInitExt) {
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    log_panics();
}

fn filter(config: &LogConfig) -> EnvFilter {
    let directives = format!("{},{QUIET},{SPANS}=off,{PANICS}=error", config.level.as_str());
    EnvFilter::try_new(&directives).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Lines are written by a thread of their own: standard error may be a pipe whose reader stands
/// still, which would stop everybody who logs.
fn lines<S>(config: &LogConfig) -> (Box<dyn Layer<S> + Send + Sync>, WorkerGuard)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (writer, worker) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(Lines(std::io::stderr()));
    let _ = CROWDED_OUT.set(writer.error_counter());
    // Complaining about a line that cannot be written, on the same standard error, would panic in
    // whoever logs.
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(writer)
        .log_internal_errors(false);
    let layer = match config.format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    (layer, worker)
}

/// What writes the log, and exports traces, until this is dropped.
#[must_use = "what waits to be written is lost without it"]
pub struct Telemetry {
    lines: Option<WorkerGuard>,
    #[cfg(feature = "otlp")]
    provider: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

impl Telemetry {
    const fn new(lines: WorkerGuard) -> Self {
        Self {
            lines: Some(lines),
            #[cfg(feature = "otlp")]
            provider: None,
        }
    }

    /// How long [`Telemetry::finish`] may take for traces at most, of the time that there is for
    /// stopping.
    pub fn patience(&self, shutdown_timeout: Duration) -> Duration {
        #[cfg(feature = "otlp")]
        if self.provider.is_some() {
            return shutdown_timeout.mul_f32(0.1).min(Duration::from_secs(1));
        }
        let _ = shutdown_timeout;
        Duration::ZERO
    }

    /// Sends what waits, and ends. Blocks for as long as it takes, up to these times: the one for
    /// traces, the other for the last lines, which are lost where nobody takes them.
    pub fn finish(mut self, traces: Duration, lines: Duration) {
        #[cfg(feature = "otlp")]
        if let Some(Err(problem)) =
            self.provider.take().map(|provider| provider.shutdown_with_timeout(traces))
        {
            tracing::warn!(%problem, "the last traces were not exported");
        }
        let _ = traces;
        // Its own patience is longer, and cannot be set.
        let (ended, end) = std::sync::mpsc::channel();
        let writer = self.lines.take();
        let ending = std::thread::Builder::new().spawn(move || {
            drop(writer);
            let _ = ended.send(());
        });
        if ending.is_ok() {
            let _ = end.recv_timeout(lines);
        }
    }
}

/// Marks the answer to one of very many requests: a line at `info` for each would bury the others, and
/// the line of the limit that refused them counts them.
#[derive(Debug, Clone, Copy)]
pub struct OneOfMany;

/// Says of the request whose span this is in what it was and how it ended; for traces alone.
pub fn answered(method: &str, route: Option<&str>, path: &str, status: u16) {
    #[cfg(feature = "otlp")]
    otlp::answered(method, route, path, status);
    #[cfg(not(feature = "otlp"))]
    let _ = (method, route, path, status);
}

/// The span of one event of a socket, from its turn on; for traces alone.
pub fn event_span(socket: impl Display, user: impl Display, waited: Duration) -> Span {
    let waited_ms = waited.as_millis() as u64;
    tracing::error_span!(
        target: SPANS, "event", otel.kind = "server", otel.name = Empty, otel.status_code = Empty,
        event = Empty, outcome = Empty, %socket, %user, waited_ms
    )
}

/// Ends the span of an event with its name, as metrics know it, and its outcome.
#[expect(clippy::needless_pass_by_value, reason = "the span ends here")]
pub fn end_event(span: Span, event: &'static str, failure: Option<Code>) {
    span.record("otel.name", event).record("event", event);
    span.record("outcome", failure.map_or("ok", Code::word));
    if failure.is_some_and(|code| code.status() >= 500) {
        span.record("otel.status_code", "ERROR");
    }
}

/// The metrics of this process, recorded from the first call on.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(
                Matcher::Suffix("_size".into()),
                &[1., 2., 5., 10., 20., 50., 100., 200., 500.],
            )
            .and_then(|builder| {
                let seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1., 5.];
                builder.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
            })
            .expect("the bucket lists are not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder was installed before");
        }
        handle
    })
}

/// The metrics of this process, as Prometheus reads them.
pub fn render_metrics() -> String {
    let crowded_out = CROWDED_OUT.get().map_or(0, ErrorCounter::dropped_lines) as u64;
    let lost = crowded_out + UNWRITTEN.load(Ordering::Relaxed);
    metrics::counter!("waggle_log_lines_lost_total").absolute(lost);
    metrics().render()
}

#[cfg(test)]
pub(crate) mod tests;
