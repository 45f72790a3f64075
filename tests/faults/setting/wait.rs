//! Waiting for what must become true, never longer than it may take.

use std::future::Future;
use std::time::{Duration, Instant};

/// Looks again and again until `look` gives something; how long that took comes with it.
pub(crate) async fn until<T, F>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> (T, Duration)
where
    F: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return (found, started.elapsed());
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for a future, for so long at most.
pub(crate) async fn within<T>(what: &str, limit: Duration, wanted: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(limit, wanted).await;
    outcome.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}
