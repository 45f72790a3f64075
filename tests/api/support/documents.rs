//! What the server's own documents say that there is.

use std::collections::BTreeSet;

use super::Server;

/// Method and path of a route, without a query, and with nothing in its braces.
pub(crate) fn pattern(method: &str, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    format!("{} {}", method.to_uppercase(), parts.collect::<Vec<_>>().join("/"))
}

impl Server {
    /// Every route of `/docs/openapi.json`, and whether it takes a body.
    pub(crate) async fn documented_routes(&self) -> BTreeSet<(String, bool)> {
        let document = self.get("/docs/openapi.json").await.body;
        let mut found = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                    let has_body = operation.get("requestBody").is_some();
                    found.insert((pattern(method, path), has_body));
                }
            }
        }
        assert!(found.len() > 50, "{found:?}");
        found
    }

    /// Channel and name of every event of clients in `/docs/asyncapi.json`.
    pub(crate) async fn documented_events(&self) -> BTreeSet<(String, String)> {
        let document = self.get("/docs/asyncapi.json").await.body;
        let mut found = BTreeSet::new();
        for (key, operation) in document["operations"].as_object().unwrap() {
            if operation["action"] == "receive" {
                let channel = operation["channel"]["$ref"].as_str().unwrap();
                let channel = channel.rsplit('/').next().unwrap().to_owned();
                let name = document["components"]["messages"][key]["name"].as_str().unwrap();
                found.insert((channel, name.to_owned()));
            }
        }
        assert!(found.len() > 20, "{found:?}");
        found
    }
}
