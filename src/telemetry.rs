//! Logs and metrics. Logs are one line per event with fields; nothing that a client keeps secret
//! (tokens, passwords, texts) is ever put into a field.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// The engine's own debug lines show auth payloads and texts (FACTS §1.8), so it stays silent.
const QUIET: &str = "socketioxide=off,engineioxide=off,hyper=info,mongodb=info,rustls=info";

/// Starts logging to standard error. A second call changes nothing.
pub fn start_logging(config: &LogConfig) {
    let directives = format!("{},{QUIET}", config.level);
    let filter = EnvFilter::try_new(&directives).unwrap_or_else(|_| EnvFilter::new("info"));
    // A line that cannot be written, on a full disk for one, is lost: complaining about it on the
    // same standard error would panic in whoever logs.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let started = match config.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
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
