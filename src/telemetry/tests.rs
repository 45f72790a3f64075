use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::subscriber::DefaultGuard;

use super::*;

/// That what is logged is one test's.
pub(crate) struct Alone {
    _log: DefaultGuard,
    _one: MutexGuard<'static, ()>,
}

/// The log of a test.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What is logged on this thread, for as long as the guard is held. One test at a time: strikes
    /// and the hook of panics are the process's.
    pub(crate) fn begin() -> (Self, Alone) {
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        (log, Alone { _log: tracing::subscriber::set_default(lines.finish()), _one: one })
    }

    /// What was logged.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_says_how_often_each_limit_struck_and_whom_the_most() {
    let (log, _guard) = Log::begin();
    let whom = IpAddr::from([192, 0, 2, 1]).into();
    for (limit, whom) in
        [("one of a test", Some(whom)), ("another of a test", None), ("one of a test", Some(whom))]
    {
        struck(limit, whom);
    }
    tell_strikes();
    tell_strikes();
    let log = log.text();
    for line in [
        r#"limit="one of a test" times=2 most="192.0.2.1 (2)""#,
        "limit=\"another of a test\" times=1\n",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
}

#[test]
fn a_panic_is_one_line_of_the_log() {
    let (log, _guard) = Log::begin();
    let before = std::panic::take_hook();
    log_panics();
    let outcome = std::panic::catch_unwind(|| panic!("a defect\nof a test"));
    std::panic::set_hook(before);
    assert!(outcome.is_err());
    let log = log.text();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("ERROR") && log.contains("src/telemetry/tests.rs:"), "{log}");
    assert!(log.contains(r#"text="a defect\nof a test""#), "{log}");
}
