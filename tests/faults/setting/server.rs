//! The server under test: the built binary as a process that can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::mongod::Mongod;
use super::replica_set::ReplicaSet;
use super::rest::Rest;
use super::wait::{until, within};
use super::{Scratch, free_port, signal};

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A server that is not running yet: what it is started with.
pub(crate) struct Setup {
    dir: Scratch,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    vars: Vec<(&'static str, String)>,
    /// The largest file it may write, in KiB.
    file_limit: Option<u32>,
}

impl Setup {
    /// On the embedded store, without rate limits.
    pub(crate) fn embedded() -> Self {
        let dir = Scratch::new();
        let (data, log) = (dir.path().join("data"), dir.path().join("server.log"));
        let vars = vec![("RATE_LIMITS", "off".to_owned()), ("DEMO_DRIVERS", "off".to_owned())];
        Self { dir, data, log, port: free_port(), vars, file_limit: None }
    }

    /// On a MongoDB, without rate limits.
    pub(crate) fn mongo(mongod: &Mongod) -> Self {
        Self::embedded().with("MONGODB_URI", mongod.uri("faults"))
    }

    /// On a set of several.
    pub(crate) fn replica_set(set: &ReplicaSet) -> Self {
        Self::embedded().with("MONGODB_URI", set.uri("faults"))
    }

    /// With a variable set; an empty value stands for its default.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.vars.push((name, value.into()));
        self
    }

    /// With its data and its log in this directory.
    pub(crate) fn on_disk(mut self, disk: &Path) -> Self {
        (self.data, self.log) = (disk.join("data"), disk.join("server.log"));
        self
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// The directory of the embedded store.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The MongoDB, if it is on one.
    pub(crate) fn mongodb_uri(&self) -> Option<&str> {
        let named = self.vars.iter().rev().find(|(name, _)| *name == "MONGODB_URI");
        named.map(|(_, uri)| uri.as_str())
    }

    pub(crate) fn limit_files(&mut self, kib: Option<u32>) {
        self.file_limit = kib;
    }

    /// Starts it; returns when it is ready.
    pub(crate) async fn start(self) -> Server {
        let child = self.spawn();
        let server = Server { rest: Rest::new(self.port), setup: self, child };
        server.await_ready().await;
        server
    }

    fn spawn(&self) -> Child {
        let binary = env!("CARGO_BIN_EXE_waggle");
        let mut command = match self.file_limit {
            None => Command::new(binary),
            Some(kib) => {
                let mut shell = Command::new("bash");
                shell.args(["-c", "trap '' XFSZ; ulimit -f $0; exec $1", &kib.to_string(), binary]);
                shell
            }
        };
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOST", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .env("DATA_DIR", &self.data)
            .env("JWT_SECRET", "a secret of these tests, long enough")
            .env("BCRYPT_COST", "4")
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command.spawn().unwrap()
    }
}

impl Drop for Setup {
    /// Keeps the log for tests/log_secrets.py, where the run of the tests looks through all.
    fn drop(&mut self) {
        if let Some(directory) = std::env::var_os("WAGGLE_TEST_LOGS") {
            let name = format!("faults-{}-{}.log", std::process::id(), self.port);
            std::fs::copy(&self.log, Path::new(&directory).join(name)).ok();
        }
    }
}

/// A running server. Killed when dropped.
pub(crate) struct Server {
    pub(crate) rest: Rest,
    pub(crate) setup: Setup,
    child: Child,
}

impl Server {
    pub(crate) fn port(&self) -> u16 {
        self.setup.port
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    /// Stops it from doing anything; its connections stay open.
    pub(crate) fn freeze(&self) {
        signal("-STOP", self.pid());
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal("-CONT", self.pid());
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        within("the server is gone", START, self.child.kill()).await.unwrap();
    }

    /// Asks it to stop, and gives how it ended, and how long that took.
    pub(crate) async fn terminate(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let started = std::time::Instant::now();
        signal("-TERM", self.pid());
        let status = within("the server stops", limit, self.child.wait()).await.unwrap();
        (status, started.elapsed())
    }

    /// Starts it again after its end, on the same port and data; returns when it is ready.
    pub(crate) async fn start_again(&mut self) {
        self.child = self.setup.spawn();
        self.await_ready().await;
    }

    /// Waits until it says that it is ready; how long that took.
    pub(crate) async fn await_ready(&self) -> Duration {
        self.await_readiness(200).await
    }

    /// Waits until it says that it is not; how long that took.
    pub(crate) async fn await_unready(&self) -> Duration {
        self.await_readiness(503).await
    }

    async fn await_readiness(&self, status: u16) -> Duration {
        let ready = async || (self.rest.ready().await == status).then_some(());
        until(&format!("readiness is {status}"), START, ready).await.1
    }

    /// Whether the process is still the one that was started.
    pub(crate) fn assert_alive(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.log());
    }

    /// Its resident memory, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.setup.log).unwrap_or_default()
    }
}
