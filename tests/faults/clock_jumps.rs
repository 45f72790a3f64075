//! The server's clock is put an hour forward and back. Tokens end by it; messages stay in the order
//! of their numbers; what waits goes on waiting as long as before; nobody is stuck where they were.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{self, Client};
use crate::load::Load;
use crate::setting::faketime::MovableClock;
use crate::setting::mongod::Mongod;
use crate::setting::rest::{Rest, User};
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::{until, within};

const HOUR: Duration = Duration::from_secs(3600);
/// Less than an hour, more than the test takes.
const TOKEN_TTL: &str = "30m";
/// Timers of the server are set to 1 s or 2; they may be late on a busy machine.
const LATE: Duration = Duration::from_secs(10);
const BETWEEN: usize = 200;

/// A way to put a clock.
type Put = fn(&MovableClock);

/// How the clock is put, each time from where the one before left it.
const JUMPS: [(&str, Put); 3] = [
    ("an hour forward", |clock| clock.put_forward(HOUR)),
    ("two hours back", |clock| clock.put_back(HOUR)),
    ("right again", |clock| clock.put_forward(Duration::ZERO)),
];

/// People whose timers are watched while the load runs.
struct Scene {
    port: u16,
    customer: Client,
    /// The near one and the far one.
    drivers: [Client; 2],
    people: [User; 2],
    watcher: Client,
    /// Positions said, so that each is another.
    said: u32,
}

impl Scene {
    async fn new(rest: &Rest, port: u16) -> Self {
        let people = rest.register_all(["typing", "peer"]).await;
        let [ordering, watching] = rest.register_all(["ordering", "watching"]).await;
        let near = rest.register_as("near", "driver").await;
        let far = rest.register_as("far", "driver").await;
        let connect = async |user: &User| Client::connect(port, &user.token).await.unwrap();
        let drivers = [connect(&near).await, connect(&far).await];
        let (customer, watcher) = (connect(&ordering).await, connect(&watching).await);
        Self { port, customer, drivers, people, watcher, said: 0 }
    }

    /// Both drivers say where they are; gives the far one's longitude.
    async fn say_where(&mut self) -> f64 {
        self.said += 1;
        let off = f64::from(self.said) / 1e6;
        for (driver, lng) in self.drivers.iter().zip([0.01, 0.02]) {
            let here = json!({ "latitude": 0, "longitude": lng + off });
            done(driver, "location_update", &here).await;
        }
        0.02 + off
    }

    /// An order that the near driver is asked to take, and says nothing to.
    async fn place(&mut self) -> String {
        self.say_where().await;
        let wanted = json!({ "items": ["tea"], "total": 5, "dropoff": "B",
            "pickup": { "address": "A", "lat": 0, "lng": 0 } });
        let placed = done(&self.customer, "placeOrder", &wanted).await;
        let id = placed["order"]["id"].as_str().unwrap().to_owned();
        self.drivers[0].event_where("newOrder", LATE, |order| order["id"] == id.as_str()).await;
        id
    }

    /// The offer moves on by itself to the far driver, who is seen where the driver says to be.
    async fn assert_offer_moves_on(&mut self, id: &str) {
        let lng = self.say_where().await;
        let order = json!({ "orderId": id });
        self.drivers[1].event_where("newOrder", LATE, |order| order["id"] == id).await;
        done(&self.drivers[1], "orderAccept", &order).await;
        let tracked = done(&self.customer, "trackOrder", &order).await;
        let seen = &tracked["position"];
        let is_there = seen["longitude"].as_f64().is_some_and(|seen| (seen - lng).abs() < 1e-9);
        assert!(is_there, "the driver said {lng} last: {tracked}");
        for status in ["outForDelivery", "delivered"] {
            let step = json!({ "orderId": id, "status": status });
            done(&self.drivers[1], "updateOrderStatus", &step).await;
        }
    }

    /// Typing ends by itself, and who is gone is offline.
    async fn assert_timers(&mut self) {
        let [typing, peer] = &self.people;
        let mut hearing = Client::connect(self.port, &peer.token).await.unwrap();
        let client = Client::connect(self.port, &typing.token).await.unwrap();
        done(&client, "typing_start", &json!({ "receiverId": peer.id })).await;
        for is_typing in [true, false] {
            let told = |event: &Value| event["isTyping"] == is_typing;
            hearing.event_where("user_typing", LATE, told).await;
        }
        let message = json!({ "receiverId": peer.id, "content": "hello",
            "clientMsgId": format!("hello-{}", self.said) });
        done(&client, "send_message", &message).await;
        drop(client);
        self.watcher.sees_offline(&typing.id, LATE).await;
    }
}

async fn done(client: &Client, event: &str, payload: &Value) -> Value {
    let ack = client.ask(event, payload, LATE).await.expect("the socket stays");
    assert_eq!(ack["ok"], true, "{event} {payload}: {ack}");
    ack
}

async fn put_clock_and_count(store: &str, setup: Setup) {
    let setup = setup
        .with("DISPATCH_MODE", "nearest")
        .with("OFFER_TIMEOUT", "2s")
        .with("TYPING_TIMEOUT", "1s")
        .with("PRESENCE_GRACE", "1s");
    let (setup, clock) = MovableClock::of(setup);
    let mut server = setup.start().await;
    let mut scene = Scene::new(&server.rest, server.port()).await;
    let mut load = Load::start(&server).await;
    for (name, put) in JUMPS {
        load.ledger.await_more(BETWEEN, LATE * 3).await;
        let order = scene.place().await;
        put(&clock);
        scene.assert_offer_moves_on(&order).await;
        scene.assert_timers().await;
        load.ledger.await_more(BETWEEN, LATE * 3).await;
        load.assert_running();
        println!("clock on {store}, {name}: the load and the timers go on");
    }
    assert_in_order(&server, &scene.people).await;
    let tally = load.finish(&server).await;
    println!("clock_jumps on {store}: jumps={} {tally}", JUMPS.len());
    assert_sound(&mut server);
    tally.assert_whole();
}

/// Times never go back where numbers go on.
async fn assert_in_order(server: &Server, [one, other]: &[User; 2]) {
    let history = server.rest.history(one, other).await;
    let times: Vec<_> = history.iter().map(|message| message["createdAt"].as_str()).collect();
    assert!(times.len() == JUMPS.len() && times.is_sorted(), "{times:?}");
}

fn assert_sound(server: &mut Server) {
    server.assert_alive();
    let log = server.log();
    assert!(!log.contains("panicked") && !log.contains("internal error"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_on_in_order_when_the_clock_is_put_on_the_embedded_store() {
    let _turn = turn();
    put_clock_and_count("embedded", Setup::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_on_in_order_when_the_clock_is_put_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    put_clock_and_count("mongodb", Setup::mongo(&mongod)).await;
}

/// The code of the answer to who shows this access token; empty when it is taken.
async fn refusal(rest: &Rest, token: &str) -> String {
    let (_, answer) = rest.get("/api/auth/me", Some(token)).await;
    answer["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// The tokens that an answer gives, an access token and a refresh token.
async fn tokens(rest: &Rest, path: &str, body: Value) -> Option<[String; 2]> {
    let (status, answer) = rest.post(path, None, body.to_string()).await;
    let text = |name: &str| answer["data"][name].as_str().map(str::to_owned);
    if status == 200 { Some([text("token")?, text("refreshToken")?]) } else { None }
}

async fn refresh(rest: &Rest, token: &str) -> Option<[String; 2]> {
    tokens(rest, "/api/auth/refresh", json!({ "refreshToken": token })).await
}

/// What the server says to who connects with this token.
async fn connecting(port: u16, token: &str) -> String {
    let mut socket = client::open(port, None).await.unwrap();
    let connect = format!("40{}", json!({ "token": token }));
    futures_util::SinkExt::send(&mut socket, connect.into()).await.unwrap();
    within("an answer", LATE, client::next_text(&mut socket)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_is_taken_after_its_end_however_the_clock_is_put() {
    let _turn = turn();
    let (setup, clock) = MovableClock::of(Setup::embedded().with("JWT_EXPIRES_IN", TOKEN_TTL));
    let mut server = setup.start().await;
    let (rest, port) = (server.rest.clone(), server.port());
    rest.register("alice").await;
    let login = json!({ "username": "alice", "password": "password123" });
    let [old, used] = tokens(&rest, "/api/auth/login", login).await.unwrap();
    let mut socket = Client::connect(port, &old).await.unwrap();

    clock.put_forward(HOUR);
    let ended = async || (refusal(&rest, &old).await == "token_expired").then_some(());
    until("the token has ended", LATE, ended).await;
    socket.event_where("token_expired", LATE, |_| true).await;
    until("its socket has ended", LATE, async || (rest.sockets().await == 0).then_some(())).await;
    assert!(connecting(port, &old).await.contains("token expired"));
    let [new, next] = refresh(&rest, &used).await.expect("the login goes on");
    assert_eq!(refusal(&rest, &new).await, "");

    // Back: what was issued then holds, to its own end.
    clock.put_forward(Duration::ZERO);
    assert_eq!(refusal(&rest, &new).await, "");
    assert!(Client::connect(port, &new).await.is_some());
    clock.put_forward(2 * HOUR);
    for token in [&old, &new] {
        assert_eq!(refusal(&rest, token).await, "token_expired");
        assert!(connecting(port, token).await.contains("token expired"));
    }
    // A refresh token that was used in what is the future now was not used just now.
    clock.put_forward(Duration::ZERO);
    assert_eq!(refresh(&rest, &used).await, None);
    assert_eq!(refresh(&rest, &next).await, None, "the login has ended");
    assert_eq!(refusal(&rest, &new).await, "unauthenticated");
    println!("tokens: none taken after its end, none used twice, over 4 jumps of the clock");
    assert_sound(&mut server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_the_lock_after_failed_logins_go_by_a_clock_that_nobody_puts() {
    let _turn = turn();
    let setup = Setup::embedded()
        .with("RATE_LIMITS", "on")
        .with("RATE_LIMIT_LOGIN_FAILURES", "2/50m")
        .with("RATE_LIMIT_REGISTRATIONS", "1/50m")
        .with("RATE_LIMIT_REST_WRITES", "1/2s");
    let (setup, clock) = MovableClock::of(setup);
    let mut server = setup.start().await;
    let rest = server.rest.clone();
    let alice = rest.register("alice").await;
    let post = async |path: &str, body: Value| rest.post(path, None, body.to_string()).await.0;
    let register =
        json!({ "username": "bob", "email": "bob@example.com", "password": "password123" });
    let register = async || post("/api/auth/register", register.clone()).await;
    let guess = json!({ "username": "alice", "password": "password124" });
    let guess = async || post("/api/auth/login", guess.clone()).await;
    let named = json!({ "name": "Alice" }).to_string();
    let write = async || rest.patch("/api/auth/me", &alice.token, named.clone()).await.0;

    assert_eq!([guess().await, guess().await, guess().await], [401, 401, 429]);
    for (name, put) in JUMPS {
        until("a write is allowed", LATE, async || (write().await == 200).then_some(())).await;
        put(&clock);
        assert_eq!([guess().await, register().await], [429, 429], "{name}");
    }
    until("a write is allowed", LATE, async || (write().await == 200).then_some(())).await;
    assert_sound(&mut server);
}
