//! The server is killed under two hundred drivers: no acknowledged step of an order is lost, every
//! acknowledged assignment reaches its driver, and of where drivers were no more than the last
//! second is missing.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use waggle::clock::Clock;

use crate::setting::mongod::Mongod;
use crate::setting::rest::Rest;
use crate::setting::server::Setup;
use crate::setting::turn;
use crate::setting::wait::{until, within};

const DRIVERS: usize = 200;
const ADMINS: usize = 4;
/// How often each driver says where it is.
const BETWEEN: Duration = Duration::from_millis(200);
/// How long before the kill the load runs.
const LOAD: Duration = Duration::from_secs(5);
/// What a crash may lose of positions (CONTRACT §8).
const LOSS: Duration = Duration::from_secs(1);
/// From a frame's writing to its reading by a server that 200 drivers and all tests share two
/// cores with.
const UNDER_WAY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);
const PASSWORD: &str = "password123";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A driver, and what became of it.
struct Driver {
    name: String,
    token: String,
    /// Positions sent before the kill: the number in each, and when.
    sent: Mutex<Vec<(usize, Instant)>>,
    /// Orders that the driver was told of.
    told: Mutex<HashSet<i64>>,
    /// Orders given to the driver, acknowledged.
    given: Mutex<Vec<i64>>,
}

impl Driver {
    async fn connect(&self, port: u16) -> Option<Socket> {
        let url =
            format!("ws://127.0.0.1:{port}/api/v1/ws/driver/{}?token={}", self.name, self.token);
        Some(connect_async(url).await.ok()?.0)
    }

    fn note(&self, frame: &Message) {
        let Message::Text(text) = frame else { return };
        let frame: Value = serde_json::from_str(text).unwrap();
        assert_ne!(frame["type"], "error", "{frame}");
        if frame["type"] == "order_assigned" {
            self.told.lock().unwrap().insert(frame["data"]["order_id"].as_i64().unwrap());
        }
    }

    /// Says where the driver is until the connection ends.
    async fn drive(self: Arc<Self>, port: u16) {
        let mut socket = self.connect(port).await.expect("the server runs");
        let mut clock = tokio::time::interval(BETWEEN);
        // Of positions with the same time, one counts.
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for no in 0.. {
            loop {
                let frame = tokio::select! {
                    _ = clock.tick() => break,
                    frame = socket.next() => frame,
                };
                match frame {
                    Some(Ok(frame)) => self.note(&frame),
                    Some(Err(_)) | None => return,
                }
            }
            let now = Clock::system().now();
            let lng = no as f64 / 1000.0;
            let data = json!({ "latitude": 0, "longitude": lng, "timestamp": now });
            let frame = json!({ "type": "location_update", "data": data }).to_string();
            if socket.send(frame.into()).await.is_err() {
                return;
            }
            self.sent.lock().unwrap().push((no, Instant::now()));
        }
    }

    /// Connects anew and hears of everything that was given.
    async fn hear(&self, port: u16) {
        let mut socket = self.connect(port).await.expect("the server runs again");
        let told = || {
            let told = self.told.lock().unwrap();
            self.given.lock().unwrap().iter().all(|order| told.contains(order))
        };
        while !told() {
            let frame = within(&format!("{} is told", self.name), PATIENCE, socket.next()).await;
            self.note(&frame.expect("the connection lives").unwrap());
        }
    }

    /// What of the driver's positions is missing, and how long before the kill it was sent.
    async fn missing(&self, rest: &Rest, admin: &str, killed: Instant) -> Vec<Duration> {
        let path = format!("/api/v1/drivers/{}/trail?limit=5000", self.name);
        let (status, trail) = rest.get(&path, Some(admin)).await;
        assert_eq!(status, 200, "{trail}");
        let number = |point: &Value| (point["lng"].as_f64().unwrap() * 1000.0).round() as usize;
        let stored: HashSet<usize> = trail.as_array().unwrap().iter().map(number).collect();
        let sent = self.sent.lock().unwrap();
        let lost = sent.iter().filter(|(no, at)| *at < killed && !stored.contains(no));
        lost.map(|(_, at)| killed - *at).collect()
    }
}

/// What was acknowledged of an order.
type Ledger = Arc<Mutex<BTreeMap<i64, &'static str>>>;

struct World {
    port: u16,
    rest: Rest,
    admin: String,
    drivers: Vec<Arc<Driver>>,
    ledger: Ledger,
}

impl World {
    async fn new(rest: Rest, port: u16) -> Self {
        let admin = rest.log_in("admin", PASSWORD).await;
        let mut drivers = Vec::new();
        for number in 0..DRIVERS {
            let name = format!("driver-{number}");
            let token = rest.register_as(&name, "driver").await.token;
            let (sent, told, given) = (Mutex::default(), Mutex::default(), Mutex::default());
            drivers.push(Arc::new(Driver { name, token, sent, told, given }));
        }
        Self { port, rest, admin, drivers, ledger: Ledger::default() }
    }

    /// Gives orders to drivers, who take them further, until told to stop or nobody answers.
    async fn administer(self: Arc<Self>, place: usize, stop: CancellationToken) {
        for turn in 0.. {
            if stop.is_cancelled() || self.one_order(place + turn * ADMINS).await.is_none() {
                return;
            }
        }
    }

    async fn one_order(&self, turn: usize) -> Option<()> {
        let driver = &self.drivers[turn % DRIVERS];
        let body = json!({ "restaurant_name": "R", "pickup_address": "A", "delivery_address": "B",
            "driver_id": driver.name });
        let order = self.call("POST", "/api/v1/orders", &self.admin, &body).await?;
        let number = order["order_id"].as_i64().unwrap();
        driver.given.lock().unwrap().push(number);
        self.ledger.lock().unwrap().insert(number, "preparing");
        let path = format!("/api/v1/orders/{number}/status");
        for status in ["out_for_delivery", "delivered"].into_iter().take(turn % 3) {
            self.call("PUT", &path, &driver.token, &json!({ "status": status })).await?;
            self.ledger.lock().unwrap().insert(number, status);
        }
        Some(())
    }

    /// The answer of a server that is killed meanwhile: `None` when it did not come.
    async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Option<Value> {
        let (status, answer) = self.rest.try_send(method, path, token, body).await?;
        assert!(status == 200 || status == 201, "{method} {path}: {status} {answer}");
        Some(answer)
    }

    /// Holds every acknowledged step against the orders as they are.
    async fn check_orders(&self) -> usize {
        const STEPS: [&str; 3] = ["preparing", "out_for_delivery", "delivered"];
        let acked = self.ledger.lock().unwrap().clone();
        for (number, acked) in &acked {
            let path = format!("/api/v1/orders/{number}");
            let (status, order) = self.rest.get(&path, Some(&self.admin)).await;
            assert_eq!(status, 200, "order {number} is lost: {order}");
            let place = |word: &str| STEPS.iter().position(|step| *step == word);
            let stored = order["status"].as_str().unwrap();
            assert!(place(stored) >= place(acked), "{number} was {acked} and is {stored}");
        }
        acked.len()
    }
}

async fn kill_and_count(store: &str, setup: Setup) {
    let started = Instant::now();
    let setup = setup
        .with("ADMIN_EMAIL", "root@example.com")
        .with("ADMIN_PASSWORD", PASSWORD)
        .with("DEMO_DRIVERS", "off");
    let mut server = setup.start().await;
    let world = Arc::new(World::new(server.rest.clone(), server.port()).await);
    let mut driving = JoinSet::new();
    for driver in &world.drivers {
        driving.spawn(driver.clone().drive(world.port));
    }
    until("all drivers are connected", PATIENCE, async || {
        (world.rest.sockets().await == DRIVERS as u64).then_some(())
    })
    .await;
    let (stop, mut admins) = (CancellationToken::new(), JoinSet::new());
    for place in 0..ADMINS {
        admins.spawn(world.clone().administer(place, stop.clone()));
    }
    tokio::time::sleep(LOAD).await;
    let killed = Instant::now();
    server.kill().await;
    stop.cancel();
    while let Some(ended) = driving.join_next().await {
        ended.expect("no driver met anything but the end");
    }
    while let Some(ended) = admins.join_next().await {
        ended.expect("no admin met anything but the end");
    }
    server.start_again().await;
    let orders = world.check_orders().await;
    let (mut lost, mut oldest, mut sent) = (0, Duration::ZERO, 0);
    for driver in &world.drivers {
        let missing = driver.missing(&world.rest, &world.admin, killed).await;
        lost += missing.len();
        oldest = missing.into_iter().max().unwrap_or_default().max(oldest);
        sent += driver.sent.lock().unwrap().len();
    }
    let mut hearing = JoinSet::new();
    for driver in world.drivers.clone() {
        let port = world.port;
        hearing.spawn(async move { driver.hear(port).await });
    }
    while let Some(ended) = hearing.join_next().await {
        ended.expect("every acknowledged assignment is told");
    }
    println!(
        "kill_drivers on {store}: {orders} orders, {sent} positions of which {lost} are missing, \
         the oldest sent {oldest:?} before the kill; {:?}",
        started.elapsed()
    );
    assert!(orders > 20 && sent > 10 * DRIVERS, "too little happened: {orders}, {sent}");
    assert!(oldest < LOSS + UNDER_WAY, "lost a position sent {oldest:?} before the kill");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drivers_lose_a_second_of_their_way_at_most_when_the_server_is_killed_on_embedded() {
    let _turn = turn();
    kill_and_count("embedded", Setup::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drivers_lose_a_second_of_their_way_at_most_when_the_server_is_killed_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    kill_and_count("mongodb", Setup::mongo(&mongod)).await;
}
