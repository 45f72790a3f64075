//! What those who run the server ask it: is it alive, is it ready, what does it count
//! (CONTRACT §9).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use metrics_process::Collector;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::realtime::hub::Hub;
use crate::store::Stores;
use crate::telemetry;

/// What the answers are made from.
#[derive(Clone)]
pub struct Operations {
    /// The sockets.
    pub hub: Arc<Hub>,
    /// The database.
    pub stores: Stores,
    /// Memory, CPU time and open files of this process.
    pub process: Collector,
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`, `draining` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Which store, and whether it answers.
    store: Part,
    /// Which relay.
    relay: Part,
    /// Connected sockets.
    sockets: usize,
    /// The version that runs.
    version: &'static str,
}

/// How one part of the server is.
#[derive(Debug, Serialize, ToSchema)]
struct Part {
    /// Which.
    kind: &'static str,
    /// Whether it answers.
    ok: bool,
}

/// Whether the server is well.
pub fn health_router(operations: Operations) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(health))
        .with_state(operations)
}

/// What it does.
pub fn metrics_router(operations: Operations) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(metrics)).with_state(operations)
}

/// Whether the process runs
#[utoipa::path(get, path = "/health/live", tag = "operations", security(()), responses((status = 200)))]
async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

/// Whether requests should be sent here
#[utoipa::path(get, path = "/health/ready", tag = "operations", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
async fn ready(State(operations): State<Operations>) -> (StatusCode, Json<Health>) {
    let Operations { hub, stores, .. } = operations;
    let store = Part { kind: stores.name(), ok: stores.ping().await.is_ok() };
    let status = match (hub.is_draining(), store.ok) {
        (true, _) => "draining",
        (false, false) => "unavailable",
        (false, true) => "ok",
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let relay = Part { kind: hub.relay_name(), ok: true };
    let version = env!("CARGO_PKG_VERSION");
    (code, Json(Health { status, store, relay, sockets: hub.sockets(), version }))
}

/// Both
#[utoipa::path(get, path = "/health", tag = "operations", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
async fn health(state: State<Operations>) -> (StatusCode, Json<Health>) {
    ready(state).await
}

/// Who reads the figures of the process.
static READING: Semaphore = Semaphore::const_new(1);

/// Metrics, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operations", security(()), responses((status = 200, body = String)))]
async fn metrics(State(operations): State<Operations>) -> String {
    let Operations { stores, process, .. } = operations;
    // Whoever scrapes waits 10 s at most, mostly.
    let is_up = timeout(Duration::from_secs(2), stores.ping()).await.is_ok_and(|ping| ping.is_ok());
    metrics::gauge!("waggle_store_up", "store" => stores.name()).set(f64::from(u8::from(is_up)));
    // Files of /proc, of which each open file is one. Whoever asks meanwhile gets the figures of
    // before: however many ask, one thread reads.
    if let Ok(turn) = READING.try_acquire() {
        let collected = tokio::task::spawn_blocking(move || {
            process.collect();
            drop(turn);
        });
        if collected.await.is_err() {
            tracing::warn!("the figures of the process could not be read");
        }
    }
    telemetry::render_metrics()
}

/// Keeps the histograms of the metrics small.
pub fn tidy_metrics(hub: &Arc<Hub>) {
    let hub = Arc::downgrade(hub);
    tokio::spawn(async move {
        while hub.upgrade().is_some_and(|hub| !hub.is_draining()) {
            tokio::time::sleep(Duration::from_secs(5)).await;
            telemetry::metrics().run_upkeep();
        }
    });
}
