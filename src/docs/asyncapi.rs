//! The AsyncAPI 3.0 document of the socket events, from the event tables.

use serde_json::{Map, Value, json};

use crate::realtime::events::{EventTable, Shape};

/// What the tables understand and emit.
pub(super) fn document(tables: &[EventTable]) -> Value {
    let mut parts = Parts::default();
    let everywhere: &[&str] = &[""];
    for table in tables {
        let namespaces = if table.namespaces.is_empty() { everywhere } else { table.namespaces };
        for namespace in namespaces {
            parts.table(namespace, table);
        }
    }
    parts.into_document()
}

fn channel_name(namespace: &str) -> String {
    match namespace.trim_start_matches('/') {
        "" => "everywhere".to_owned(),
        // A key may have no colon.
        name => name.replace(':', "-"),
    }
}

/// Where a table is reached, in words.
fn about(namespace: &str, table: &EventTable) -> String {
    match (namespace, table.address) {
        (_, Some((_, about))) => about.to_owned(),
        ("", None) => {
            "In every Socket.IO namespace, and on raw WebSockets that know frames by type."
                .to_owned()
        }
        (name, None) => format!("Socket.IO namespaces `{name}` and `/`."),
    }
}

#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Parts {
    /// Adds what a table has in one of its namespaces.
    fn table(&mut self, namespace: &str, table: &EventTable) {
        let channel = channel_name(namespace);
        let address = table.address.map_or(namespace, |(address, _)| address);
        let address = if address.is_empty() { "/" } else { address };
        let mut messages = Map::new();
        for entry in &table.client {
            let key = format!("{channel}_client_{}", entry.name);
            let failing = entry.failures(namespace, &Value::Null).join("` or `");
            let summary = format!("{} Failures come as `{failing}`.", entry.summary);
            self.message(&key, entry.name, &summary, &entry.payload, Some(&entry.ack));
            messages.insert(key.clone(), reference("messages", &key));
            self.operation(&channel, &key, "receive");
        }
        for entry in &table.server {
            let key = format!("{channel}_server_{}", entry.name);
            self.message(&key, entry.name, entry.summary, &entry.payload, None);
            messages.insert(key.clone(), reference("messages", &key));
            self.operation(&channel, &key, "send");
        }
        let known = self.channels.entry(channel).or_insert_with(
            || json!({ "address": address, "description": about(namespace, table), "messages": {} }),
        );
        if let Some(all) = known["messages"].as_object_mut() {
            all.extend(messages);
        }
    }

    fn message(
        &mut self,
        key: &str,
        name: &str,
        summary: &str,
        payload: &Shape,
        ack: Option<&Shape>,
    ) {
        let mut message =
            json!({ "name": name, "summary": summary, "payload": self.schema(payload) });
        if let Some(ack) = ack {
            message["x-ack"] = json!({
                "description": "`{ok: true}` with these, or `{ok: false, error: {code, message, details?, retryAfter?}}`.",
                "payload": self.schema(ack),
            });
        }
        self.messages.insert(key.to_owned(), message);
    }

    fn operation(&mut self, channel: &str, key: &str, action: &str) {
        let operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{channel}") },
            "messages": [{ "$ref": format!("#/channels/{channel}/messages/{key}") }],
        });
        self.operations.insert(key.to_owned(), operation);
    }

    fn schema(&mut self, shape: &Shape) -> Value {
        for (name, schema) in (shape.schemas)() {
            self.schemas.insert(name, json!(schema));
        }
        reference("schemas", &shape.name)
    }

    fn into_document(self) -> Value {
        json!({
            "asyncapi": "3.0.0",
            "info": {
                "title": "waggle events",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Events over Socket.IO at /socket.io, connected to with `auth: {token}`, and \
                    frames of raw WebSockets. `receive` is what clients send, `send` what the server sends.",
            },
            "defaultContentType": "application/json",
            "channels": self.channels,
            "operations": self.operations,
            "components": { "messages": self.messages, "schemas": self.schemas },
        })
    }
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
