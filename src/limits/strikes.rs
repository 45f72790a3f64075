//! What limits have refused: each refusal is counted for metrics, and the log says once a minute of
//! each limit how often it struck.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// How often each limit of the process has struck since that was last told.
static UNTOLD: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

fn untold() -> MutexGuard<'static, BTreeMap<&'static str, u64>> {
    UNTOLD.lock().expect("no panic while counting")
}

/// Counts a refusal by a limit.
pub fn struck(limit: &'static str) {
    metrics::counter!("waggle_limits_struck_total", "limit" => limit).increment(1);
    *untold().entry(limit).or_default() += 1;
}

/// Says which limits have struck since this was last called, and how often.
pub(super) fn tell() {
    let strikes = std::mem::take(&mut *untold());
    for (limit, times) in strikes {
        tracing::warn!(limit, times, "a limit was reached");
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Shown(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_says_how_often_each_limit_struck() {
        let shown = Shown::default();
        let writer = shown.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for limit in ["one of a test", "another of a test", "one of a test"] {
                struck(limit);
            }
            tell();
            tell();
        });
        let log = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        for line in [r#"limit="one of a test" times=2"#, r#"limit="another of a test" times=1"#] {
            assert_eq!(log.matches(line).count(), 1, "{log}");
        }
    }
}
