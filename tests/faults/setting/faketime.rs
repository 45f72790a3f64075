//! A server whose clock a test puts forward and back: Debian's libfaketime between it and the
//! system. Only the time of day moves, as with a real clock; waiting goes on as before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::server::Setup;

pub(crate) struct MovableClock(PathBuf);

impl MovableClock {
    /// Gives a server such a clock, which is right at first.
    pub(crate) fn of(setup: Setup) -> (Setup, Self) {
        let clock = Self(setup.directory().join("clock"));
        clock.set("+0");
        let setup = setup
            .with("LD_PRELOAD", library().to_str().unwrap())
            .with("FAKETIME_TIMESTAMP_FILE", clock.0.to_str().unwrap())
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .with("DONT_FAKE_MONOTONIC", "1")
            .with("NO_FAKE_STAT", "1");
        (setup, clock)
    }

    /// Puts it so much before the right time.
    pub(crate) fn put_forward(&self, by: Duration) {
        self.set(&format!("+{}", by.as_secs()));
    }

    /// Puts it so much behind the right time.
    pub(crate) fn put_back(&self, by: Duration) {
        self.set(&format!("-{}", by.as_secs()));
    }

    fn set(&self, offset: &str) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, offset).unwrap();
        std::fs::rename(new, &self.0).unwrap();
    }
}

fn library() -> PathBuf {
    let machines = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let libraries = machines.map(|machine: PathBuf| machine.join("faketime/libfaketime.so.1"));
    let found = libraries.into_iter().find(|library| Path::is_file(library));
    found.expect("Debian's libfaketime is missing: tests/run.sh installs it")
}
