//! What a test stands on: its turn, a directory, a database, a server, and REST.

pub(crate) mod disk;
pub(crate) mod faketime;
pub(crate) mod mongod;
pub(crate) mod replica_set;
pub(crate) mod rest;
pub(crate) mod server;
pub(crate) mod wait;

use std::fs::File;
use std::path::{Path, PathBuf};

/// The test's turn, until dropped. These tests load the whole machine and measure time, so they
/// run one after the other, also where the runner gives each a process of its own.
pub(crate) fn turn() -> File {
    let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.turn")).unwrap();
    file.lock().unwrap();
    file
}

/// A directory of this test's own, removed when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path =
            std::env::temp_dir().join(format!("waggle-faults-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of a mount is not worth a second panic.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that was free a moment ago; fixed, so that a server can be started on it again.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a signal to one process.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill {name} {pid}");
}
