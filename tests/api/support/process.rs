//! The program in a process of its own, which a signal can end.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Server;

/// The program with these variables and no others.
pub(crate) fn waggle(dir: &Path, set: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waggle"));
    command.env_clear().current_dir(dir).envs(set.iter().copied()).kill_on_drop(true);
    command
}

/// The program, serving on the data of a server that was stopped, and its log from then on.
pub(crate) struct Process {
    child: Child,
    pid: u32,
    log: tokio::task::JoinHandle<String>,
    reading: Arc<Mutex<()>>,
}

impl Process {
    /// Starts it with the settings of a stopped server, which stands for it from then on.
    pub(crate) async fn start(server: &Server) -> Self {
        Self::start_with(server, "json").await
    }

    /// As [`Process::start`], with a log of this format.
    pub(crate) async fn start_with(server: &Server, format: &str) -> Self {
        let settings = server.settings();
        let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut command = waggle(server.dir(), &settings);
        command.env("LOG_LEVEL", "debug").env("LOG_FORMAT", format).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pid = child.id().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let port = loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{log}"));
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once("ports").and_then(|(_, it)| it.split_once('['))
            {
                break rest.split(']').next().unwrap().parse().unwrap();
            }
        };
        server.stand_for(port);
        let reading = Arc::new(Mutex::new(()));
        let turn = reading.clone();
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                drop(turn.lock().await);
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        Self { child, pid, log, reading }
    }

    /// Reads nothing of its log until what this gives is dropped.
    pub(crate) async fn hold_log(&self) -> OwnedMutexGuard<()> {
        self.reading.clone().lock_owned().await
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.pid.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; gives its exit code.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await;
        status.expect("it ends").unwrap().code()
    }

    /// Waits for its end; gives its exit code and its log.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        let code = self.exit_code().await;
        let log = self.log.await.unwrap();
        if let Some(directory) = std::env::var_os("WAGGLE_TEST_LOGS") {
            let file = Path::new(&directory).join(format!("process-{}.log", self.pid));
            std::fs::write(file, &log).unwrap();
        }
        (code, log)
    }
}
