//! What those who run the server and those who look around find: health, metrics, documents,
//! pages, CORS (CONTRACT §1, §9, §10).

use reqwest::Method;
use serde_json::{Value, json};

use crate::chat::send;
use crate::support::transport::websocket;
use crate::support::{Answer, Server};

const ORIGIN: &str = "https://app.example.com";

async fn preflight(server: &Server, path: &str, origin: &str) -> Answer {
    let request = server.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    Answer::of(request.header("access-control-request-headers", "authorization")).await
}

async fn from_origin(server: &Server, path: &str, origin: &str) -> Answer {
    Answer::of(server.request(Method::GET, path).header("origin", origin)).await
}

on_every_store! {
    async fn a_server_that_serves_is_live_and_ready(server) {
        assert_eq!(server.get("/health/live").await.status, 200);
        for path in ["/health/ready", "/health"] {
            let answer = server.get(path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body["status"], "ok");
            assert_eq!(answer.body["store"]["ok"], true);
            assert_eq!(answer.body["relay"]["ok"], true);
            let kind = if server.mongodb_uri().is_some() { "mongodb" } else { "embedded" };
            assert_eq!(answer.body["store"]["kind"], kind);
        }
    }

    async fn sockets_are_counted(server) {
        let alice = server.register("alice").await;
        server.until_sockets(0).await;
        let first = alice.connect("/").await;
        let _second = alice.connect("/chat").await;
        server.until_sockets(2).await;
        drop(first);
        server.until_sockets(1).await;
    }

    async fn metrics_count_what_happens_in_prometheus_format(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        send(&mut socket, &bob, "hello").await;
        socket.refused("nonsense", &json!({}), "not_found").await;
        let answer = server.get("/metrics").await;
        assert_eq!(answer.status, 200);
        let text = answer.body.as_str().unwrap();
        for line in [
            "waggle_events_total{event=\"send_message\",outcome=\"ok\"}",
            "waggle_events_total{event=\"unknown\",outcome=\"not_found\"}",
            "waggle_sockets{namespace=\"/\"}",
            "waggle_http_requests_total{status=\"201\"}",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("alice") && !text.contains("hello"));
    }

    async fn the_routes_are_documented(server) {
        let document = server.get("/docs/openapi.json").await.body;
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
        for (path, method) in [
            ("/api/auth/register", "post"),
            ("/api/auth/login", "post"),
            ("/api/auth/refresh", "post"),
            ("/api/auth/logout", "post"),
            ("/api/auth/forgot-password", "post"),
            ("/api/auth/reset-password", "post"),
            ("/api/auth/me", "get"),
            ("/api/auth/me", "patch"),
            ("/api/auth/users", "get"),
            ("/api/messages/{userId}", "get"),
            ("/api/messages/read/{userId}", "put"),
            ("/api/messages/unread/count", "get"),
            ("/health", "get"),
            ("/health/live", "get"),
            ("/health/ready", "get"),
            ("/metrics", "get"),
        ] {
            assert!(document["paths"][path][method].is_object(), "{method} {path}");
        }
        let inbox = ["/api/conversations", "/api/conversations/"];
        assert!(inbox.iter().any(|path| document["paths"][path]["get"].is_object()));
        let page = server.get("/docs/").await;
        assert_eq!(page.status, 200);
        assert!(page.body.as_str().unwrap().contains("swagger"));
        assert_eq!(server.get("/docs").await.status, 200, "after a redirect");
    }

    async fn the_events_are_documented(server) {
        let document = server.get("/docs/asyncapi.json").await.body;
        assert!(document["asyncapi"].as_str().unwrap().starts_with("3."));
        let messages = document["components"]["messages"].as_object().unwrap();
        let names: Vec<_> = messages.values().map(|one| one["name"].as_str().unwrap()).collect();
        for event in [
            "send_message", "typing_start", "typing_stop", "message_read", "sync", "message_sent",
            "receive_message", "user_typing", "message_read_receipt", "error", "refresh_token",
            "token_expiring", "token_expired", "server_shutdown", "presence_subscribe",
            "presence_unsubscribe", "user_status",
        ] {
            assert!(names.contains(&event), "{event} in {names:?}");
        }
        let addresses: Vec<_> = document["channels"].as_object().unwrap().values().collect();
        for address in ["/chat", "/presence", "/"] {
            assert!(addresses.iter().any(|channel| channel["address"] == address), "{address}");
        }
    }

    async fn the_test_page_is_served_with_all_it_needs(server) {
        let page = server.get("/").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").contains("default-src 'self'"));
        let html = page.body.as_str().unwrap().to_owned();
        assert_eq!(server.get("/text-client.html").await.body, html);
        let quoted = html.split('"').filter(|text| !text.contains(char::is_whitespace));
        let files = quoted.filter(|text| text.ends_with(".js") || text.ends_with(".css"));
        let mut count = 0;
        for file in files {
            assert!(!file.contains("//"), "nothing from elsewhere: {file}");
            let path = file.trim_start_matches('.').trim_start_matches('/');
            assert_eq!(server.get(&format!("/{path}")).await.status, 200, "{file}");
            count += 1;
        }
        assert!(count >= 2, "{html}");
    }

    async fn the_client_is_served_as_the_node_server_does(server) {
        for bundle in ["js", "min.js", "esm.min.js", "msgpack.min.js"] {
            let answer = server.get(&format!("/socket.io/socket.io.{bundle}")).await;
            assert_eq!(answer.status, 200, "{bundle}");
            assert!(answer.header("content-type").starts_with("text/javascript"));
            assert!(answer.body.as_str().unwrap().contains("Socket.IO v4"), "{bundle}");
        }
    }

    #[set(MAP_TILE_URL = "https://tiles.example.org/{z}/{x}/{y}.png", CURRENCY = "EUR")]
    async fn the_pages_learn_what_the_server_is_set_to(server) {
        let answer = server.get("/page-config.json").await;
        assert_eq!(answer.status, 200);
        let url = "https://tiles.example.org/{z}/{x}/{y}.png";
        assert_eq!(answer.body, json!({"tileUrl": url, "currency": "EUR", "dispatchMode": "broadcast"}));
        for path in ["/", "/map.html"] {
            let policy = server.get(path).await.header("content-security-policy").to_owned();
            assert!(policy.contains("img-src 'self' data: https://tiles.example.org;"), "{policy}");
        }
    }

    async fn pages_show_no_pictures_from_elsewhere_unless_told_to(server) {
        let answer = server.get("/page-config.json").await;
        assert_eq!(answer.body["tileUrl"], Value::Null);
        let policy = server.get("/map.html").await.header("content-security-policy").to_owned();
        assert!(policy.contains("img-src 'self' data:;"), "{policy}");
    }

    #[set(CORS_ORIGIN = "https://app.example.com, http://localhost:8080")]
    async fn an_origin_that_is_listed_may_call_with_credentials(server) {
        for path in ["/api/auth/me", "/socket.io/?EIO=4&transport=polling"] {
            let answer = preflight(server, path, ORIGIN).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert_eq!(answer.header("access-control-allow-methods"), "PATCH");
            assert_eq!(answer.header("access-control-allow-headers"), "authorization");
        }
        let answer = from_origin(server, "/api/auth/me", "http://localhost:8080").await;
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:8080");
        let exposed = answer.header("access-control-expose-headers");
        for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"] {
            assert!(exposed.contains(header), "{exposed}");
        }
    }

    #[set(CORS_ORIGIN = "https://app.example.com")]
    async fn an_origin_that_is_not_listed_is_never_reflected(server) {
        let evil = [
            "https://evil.example", "https://app.example.com.evil.example", "http://app.example.com",
            "https://app.example.com:444", "null",
        ];
        for origin in evil {
            for path in ["/api/auth/me", "/socket.io/?EIO=4&transport=polling", "/"] {
                for answer in [
                    preflight(server, path, origin).await,
                    from_origin(server, path, origin).await,
                ] {
                    assert_ne!(answer.header("access-control-allow-origin"), origin);
                    assert_ne!(answer.header("access-control-allow-origin"), "*");
                }
            }
        }
    }

    #[set(CORS_ORIGIN = "*")]
    async fn any_origin_may_call_but_not_with_credentials(server) {
        for path in ["/api/auth/me", "/socket.io/?EIO=4&transport=polling"] {
            let answer = from_origin(server, path, ORIGIN).await;
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }

    #[set(CORS_ORIGIN = "https://app.example.com")]
    async fn a_page_of_another_origin_opens_no_socket(server) {
        let own = server.url("");
        for origin in [ORIGIN, own.as_str()] {
            assert!(websocket(server, "", &[("origin", origin)]).await.is_ok(), "{origin}");
            let polling = "/socket.io/?EIO=4&transport=polling";
            assert_eq!(from_origin(server, polling, origin).await.status, 200);
        }
        assert!(websocket(server, "", &[("origin", "https://evil.example")]).await.is_err());
        let polling = from_origin(server, "/socket.io/?EIO=4&transport=polling", "https://evil.example");
        let refused = polling.await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &Value::from(4)));
        // Apps that are no pages name no origin.
        assert!(websocket(server, "", &[]).await.is_ok());
    }

    #[set(PORT = "0,0")]
    async fn several_ports_may_be_opened(server) {
        let alice = server.register("alice").await;
        let addresses = server.addresses();
        assert_eq!(addresses.len(), 2);
        for address in addresses {
            let url = format!("http://{address}/api/auth/me");
            let answer = Answer::of(server.http().get(url).bearer_auth(&alice.token)).await;
            assert_eq!(answer.data(200)["user"]["_id"], alice.id);
        }
    }

    #[set(SOCKET_PARSER = "msgpack")]
    async fn a_server_may_speak_msgpack(server) {
        use futures_util::{SinkExt, StreamExt};
        use tokio_tungstenite::tungstenite::Message;
        let alice = server.register("alice").await;
        // {type: 0, nsp: "/", data: {token: …}} as socket.io-msgpack-parser writes it.
        let mut packet = b"\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa5token\xda".to_vec();
        packet.extend(u16::try_from(alice.token.len()).unwrap().to_be_bytes());
        packet.extend(alice.token.as_bytes());
        let mut socket = websocket(server, "", &[]).await.unwrap();
        socket.send(Message::Binary(packet.into())).await.unwrap();
        loop {
            if let Message::Binary(answer) = socket.next().await.unwrap().unwrap() {
                let contains = |part: &[u8]| answer.windows(part.len()).any(|bytes| bytes == part);
                assert!(contains(b"\xa4type\x00") && contains(b"\xa3sid"), "{answer:?}");
                return;
            }
        }
    }

    #[set(OPERATIONS_PORT = "0")]
    async fn metrics_and_documents_can_have_a_port_of_their_own(server) {
        let own = server.operations_address().await.unwrap();
        let ask = async |path: &str| {
            let url = format!("http://{own}{path}");
            Answer::of(server.http().get(url)).await
        };
        for path in ["/metrics", "/docs/openapi.json", "/docs/asyncapi.json"] {
            assert_eq!(ask(path).await.status, 200, "{path}");
            server.get(path).await.refused(404, "not_found");
        }
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(ask(path).await.status, 200, "{path}");
            assert_eq!(server.get(path).await.status, 200, "{path}");
        }
        for path in ["/", "/api/auth/me", "/socket.io/?EIO=4&transport=polling", "/page-config.json"] {
            ask(path).await.refused(404, "not_found");
        }
        assert!(ask("/docs/openapi.json").await.body["paths"]["/metrics"].is_object());
    }

    #[set(OPERATIONS_PORT = "off")]
    async fn metrics_and_documents_can_be_switched_off(server) {
        for path in ["/metrics", "/docs", "/docs/openapi.json", "/docs/asyncapi.json"] {
            server.get(path).await.refused(404, "not_found");
        }
        assert_eq!(server.get("/health").await.status, 200);
        assert_eq!(server.operations_address().await, None);
    }
}
