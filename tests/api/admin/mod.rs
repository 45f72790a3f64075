//! What admins do with accounts and sockets.

mod bans;
mod sockets;

use serde_json::{Value, json};

use crate::support::{Answer, Person, Raw, Server};

impl Person {
    /// Bans somebody.
    pub(crate) async fn ban(&self, whom: &Self, reason: &str) -> Answer {
        let path = format!("/api/admin/users/{}/ban", whom.id);
        self.put_json(&path, &json!({ "reason": reason })).await
    }

    /// Lifts a ban.
    async fn lift_ban(&self, whom: &Self) -> Answer {
        self.delete(&format!("/api/admin/users/{}/ban", whom.id)).await
    }

    /// The sockets that a query finds.
    async fn sockets(&self, query: &str) -> Vec<Value> {
        let data = self.get(&format!("/api/admin/sockets{query}")).await.data(200);
        data["sockets"].as_array().unwrap().clone()
    }

    /// A socket at `/` that has said who it is.
    async fn watcher(&self) -> Raw {
        let mut socket = Raw::open(&self.server, "/").await;
        socket.send_text(&json!({ "type": "auth", "token": self.token }).to_string());
        socket.send_text(r#"{"type":"nothing"}"#);
        assert_eq!(socket.expect_flat("error").await["code"], "not_found");
        socket
    }
}

/// An answer to somebody who logs in.
async fn log_in(server: &Server, path: &str, username: &str, password: &str) -> Answer {
    server.post(path, &json!({ "username": username, "password": password })).await
}
