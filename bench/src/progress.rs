//! A line on stderr while a long phase runs: rewritten in place on a terminal, repeated slowly elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

/// Shows progress until dropped.
pub struct Progress(JoinHandle<()>);

impl Progress {
    /// Shows `label`, the seconds since now, and what `state` says.
    pub fn start(label: &'static str, state: impl Fn() -> String + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            let begun = Instant::now();
            let terminal = stderr().is_terminal();
            let mut ticks = interval(Duration::from_secs(if terminal { 1 } else { 5 }));
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let line = format!("{label}: {} s, {}", begun.elapsed().as_secs(), state());
                if terminal { eprint!("\r\x1b[K{line}") } else { eprintln!("{line}") }
            }
        }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.abort();
        if stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }
}
