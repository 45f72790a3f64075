//! Traces over OTLP/HTTP to a collector, with the feature `otlp`. A thread of its own collects what
//! has ended and sends it; what finds its queue full is dropped, so that nothing ever waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData,
};
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::SPANS;
use crate::config::{OtlpEndpoint, SampleRatio};

/// Spans that may wait: a few megabytes.
const QUEUE: usize = 8192;
/// Spans in one request.
const BATCH: usize = 512;
/// How long a span waits for others to go with it.
const DELAY: Duration = Duration::from_secs(1);
/// How long a collector may take for one request.
const TIMEOUT: Duration = Duration::from_secs(5);

const METHOD: &str = "http.request.method";

/// Starts the thread.
pub(super) fn start(
    endpoint: &OtlpEndpoint,
    ratio: SampleRatio,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint.traces_url())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(TIMEOUT)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(DELAY)
        .build();
    let exporter = Exporter { inner: exporter, failing: AtomicBool::new(false) };
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let resource = Resource::builder()
        .with_service_name("waggle")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio.get())));
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(resource)
        .with_sampler(sampler)
        .build())
}

/// Takes the server's own spans, whatever is logged, and no events: the log has those.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let own = filter_fn(|metadata| {
        metadata.is_span()
            && (metadata.target() == SPANS || metadata.target().starts_with("waggle"))
    });
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("waggle"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(own.with_max_level_hint(LevelFilter::ERROR))
}

/// Adds to the request's span what is known with its answer.
pub(super) fn answered(method: &str, route: Option<&str>, path: &str, status: u16) {
    let span = Span::current();
    // Any client may make up a method, and a name for each would be too many.
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let method = known.into_iter().find(|known| *known == method).unwrap_or("_OTHER");
    span.set_attribute(METHOD, method);
    span.set_attribute("url.path", path.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    let mut name = method.to_owned();
    if let Some(route) = route {
        span.set_attribute("http.route", route.to_owned());
        name = format!("{method} {route}");
    }
    if status >= 500 {
        span.set_status(Status::error(""));
    }
    span.context().span().update_name(name);
}

/// Sends batches. Says once that they are lost, and once that they are not any more.
#[derive(Debug)]
struct Exporter {
    inner: SpanExporter,
    failing: AtomicBool,
}

impl opentelemetry_sdk::trace::SpanExporter for Exporter {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            // In a field of the span it would stand in every line of the log.
            if span.attributes.iter().any(|attribute| attribute.key.as_str() == METHOD) {
                span.span_kind = SpanKind::Server;
            }
        }
        let spans = batch.len() as u64;
        let exported = self.inner.export(batch).await;
        let was_failing = self.failing.swap(exported.is_err(), Ordering::Relaxed);
        let outcome = if exported.is_ok() { "exported" } else { "lost" };
        metrics::counter!("waggle_trace_spans_total", "outcome" => outcome).increment(spans);
        match exported {
            Err(problem) if !was_failing => tracing::warn!(%problem, "traces cannot be exported"),
            Ok(()) if was_failing => tracing::info!("traces are exported again"),
            _ => {}
        }
        // The library would say it for each batch.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
