//! A Socket.IO client over HTTP long polling, one request at a time.

use std::time::Duration;

use reqwest::Client;
use serde_json::json;

/// Longer than the server's heartbeat: a poll is answered by a ping at the latest.
const LIMIT: Duration = Duration::from_secs(40);

pub(crate) struct Polling {
    http: Client,
    url: String,
}

impl Polling {
    /// Opens a session and joins `/`.
    pub(crate) async fn join(base: &str, token: &str) -> Self {
        let http = Client::builder().timeout(LIMIT).build().unwrap();
        let url = format!("{base}/socket.io/?EIO=4&transport=polling");
        let opened = http.get(&url).send().await.unwrap().text().await.unwrap();
        let open: serde_json::Value = serde_json::from_str(&opened[1..]).unwrap();
        let polling = Self { http, url: format!("{url}&sid={}", open["sid"].as_str().unwrap()) };
        assert_eq!(polling.post(format!("40{}", json!({ "token": token }))).await, 200);
        loop {
            let packets = polling.poll().await.expect("the session is open");
            if packets.iter().any(|packet| packet.starts_with("40")) {
                return polling;
            }
        }
    }

    /// Waits for what comes next; pings are answered. `None` when the session is unknown.
    pub(crate) async fn poll(&self) -> Option<Vec<String>> {
        let answer = self.http.get(&self.url).send().await.unwrap();
        if !answer.status().is_success() {
            return None;
        }
        let text = answer.text().await.unwrap();
        let packets: Vec<_> = text.split('\u{1e}').map(str::to_owned).collect();
        if packets.iter().any(|packet| packet == "2") {
            self.post("3".to_owned()).await;
        }
        Some(packets)
    }

    /// Sends packets, and gives the status of the answer.
    pub(crate) async fn post(&self, packets: String) -> u16 {
        let sent = self.http.post(&self.url).header("content-type", "text/plain").body(packets);
        sent.send().await.unwrap().status().as_u16()
    }
}
