//! A mongod of the test's own, which it may kill, freeze and start again.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::wait::{until, within};
use super::{Scratch, free_port, signal};
use crate::proxy::Proxy;

/// Starting a replica set of one, on a busy machine; the first time also downloads it.
const START: Duration = Duration::from_secs(180);

pub(crate) struct Mongod {
    dir: Scratch,
    port: u16,
    /// Where the set says that it is.
    known: u16,
}

impl Mongod {
    pub(crate) async fn start() -> Self {
        let mongod = Self::new();
        mongod.start_again().await;
        mongod
    }

    /// One that is not started yet.
    pub(crate) fn new() -> Self {
        let port = free_port();
        Self { dir: Scratch::new(), port, known: port }
    }

    /// Starts one that clients reach through a line, and no other way: they connect to what the
    /// set says, not to what they were told.
    pub(crate) async fn start_behind_proxy() -> (Self, Proxy) {
        let mut mongod = Self::new();
        let proxy = Proxy::to(mongod.port).await;
        mongod.known = proxy.port;
        mongod.start_again().await;
        (mongod, proxy)
    }

    /// Starts it on its data; returns when it takes writes.
    pub(crate) async fn start_again(&self) {
        self.run_script("start", &[self.known]).await;
    }

    /// Starts it on its data, as a member of a set of several.
    pub(crate) async fn start_member(&self) {
        self.run_script("member", &[]).await;
    }

    async fn run_script(&self, word: &str, more: &[u16]) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mongod.sh");
        let mut start = Command::new("bash");
        start.arg(script).arg(word).arg(self.dir.path()).arg(self.port.to_string());
        start.args(more.iter().map(u16::to_string));
        start.stdin(Stdio::null()).kill_on_drop(true);
        let ended = within("mongod starts", START, start.status()).await.unwrap();
        assert!(ended.success(), "mongod did not start");
    }

    pub(crate) fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?replicaSet=rs0", self.known)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.pid().is_none_or(is_gone)
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub(crate) async fn kill(&self) {
        let pid = self.pid().expect("mongod runs");
        signal("-9", pid);
        until("mongod is gone", Duration::from_secs(20), async || is_gone(pid).then_some(())).await;
        std::fs::remove_file(self.pid_file()).unwrap();
    }

    /// Stops it from doing anything; its connections stay open.
    pub(crate) fn freeze(&self) {
        signal("-STOP", self.pid().expect("mongod runs"));
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal("-CONT", self.pid().expect("mongod runs"));
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.path().join("mongod.pid")
    }

    fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        if let Some(pid) = self.pid().filter(|pid| !is_gone(*pid)) {
            signal("-9", pid);
        }
    }
}

/// Whether a process has ended; one that nobody has reaped yet has.
fn is_gone(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    let state = stat.rsplit(") ").next().unwrap_or_default();
    !stat.contains("(mongod)") || state.starts_with('Z')
}
