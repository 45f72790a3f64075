//! What is stored of one person: given out, erased, deleted in time. With the program's own
//! commands, each in a process of its own, on the store of a server that runs or is stopped.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::support::Server;
use crate::support::process::waggle;

mod erasing;
mod exporting;
mod interrupted;
mod late;
mod retention;

/// The program with the settings of a server.
fn program(server: &Server, arguments: &[&str]) -> Command {
    let settings = server.settings();
    let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut command = waggle(server.dir(), &settings);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
async fn run(server: &Server, arguments: &[&str]) -> Output {
    program(server, arguments).output().await.unwrap()
}

/// Starts an erasure.
fn start_erasing(server: &Server, user: &str) -> Child {
    program(server, &["erase-user", user, "--yes"]).spawn().unwrap()
}

/// Erases, which must succeed.
async fn erase(server: &Server, user: &str) {
    let output = run(server, &["erase-user", user, "--yes"]).await;
    assert!(output.status.success(), "{output:?}");
}

/// The texts of messages, in order.
fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}
