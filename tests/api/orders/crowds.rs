//! A hundred drivers want the same orders at once: each order goes to one of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::orders::{at, id, steps, tea, which};
use crate::support::{Person, Socket};

const DRIVERS: usize = 100;
const ORDERS: usize = 50;

/// Tries to take every order, each driver beginning with another one. Gives those it got.
async fn take_all(
    number: usize,
    driver: &Person,
    socket: &mut Socket,
    orders: &[Value],
) -> BTreeSet<String> {
    let mut turned = orders.to_vec();
    turned.rotate_left(number % 2 * number % orders.len());
    let mut got = BTreeSet::new();
    let mut note = |order: &Value, code: &Value, taken: &Value| {
        if code.is_null() {
            assert_eq!(taken["driverId"], driver.id.as_str(), "{taken}");
            got.insert(id(order).to_owned());
        } else {
            assert_eq!(code, "conflict");
        }
    };
    if number % 4 < 3 {
        let asked: Vec<_> =
            turned.iter().map(|order| socket.ask("orderAccept", &which(order))).collect();
        for (order, asked) in turned.iter().zip(asked) {
            let ack = socket.ack(asked).await;
            note(order, &ack["error"]["code"], &ack["order"]);
        }
    } else {
        for order in &turned {
            let answer = driver.post(&at(order, "/accept"), &json!({})).await;
            note(order, &answer.body["error"]["code"], &answer.body["data"]["order"]);
        }
    }
    got
}

fn ids(told: &[Value], field: &str) -> BTreeSet<String> {
    told.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

/// That a driver was told of nothing but what they have, and that the rest was taken from them.
async fn check(driver: &Person, socket: &mut Socket, got: &BTreeSet<String>) {
    let accepted = socket.all("orderAccepted").await;
    assert_eq!(accepted.len(), got.len(), "each is told once");
    assert_eq!(ids(&accepted, "_id"), *got);
    let removed = socket.all("removeOrder").await;
    let gone = ids(&removed, "orderId");
    assert_eq!(gone.len(), ORDERS - got.len());
    assert_eq!(removed.len(), gone.len(), "each is taken away once");
    assert!(gone.is_disjoint(got));
    assert_eq!(ids(&socket.all("newOrder").await, "_id").len(), ORDERS);
    assert_eq!(ids(&driver.orders("?limit=200").await, "_id"), *got);
}

on_every_store! {
    async fn of_a_hundred_drivers_one_gets_each_order(server) {
        let alice = server.register("alice").await;
        let mut alices = alice.connect("/orders").await;
        let mut drivers = Vec::new();
        for number in 0..DRIVERS {
            drivers.push(server.driver(&format!("driver-{number}")).await);
        }
        let mut sockets = Vec::new();
        for driver in &drivers {
            sockets.push(driver.connect("/orders").await);
        }
        let mut orders = Vec::new();
        for _ in 0..ORDERS {
            orders.push(alices.place(&tea()).await);
        }
        let taking = drivers.iter().zip(&mut sockets).enumerate();
        let taking =
            taking.map(|(number, (driver, socket))| take_all(number, driver, socket, &orders));
        let got = futures_util::future::join_all(taking).await;
        assert_eq!(got.iter().map(BTreeSet::len).sum::<usize>(), ORDERS, "so many winners");
        let mut owner = BTreeMap::new();
        for (driver, got) in drivers.iter().zip(&got) {
            owner.extend(got.iter().map(|order| (order.clone(), driver.id.clone())));
        }
        assert_eq!(owner.len(), ORDERS, "nobody shares one");
        for ((driver, socket), got) in drivers.iter().zip(&mut sockets).zip(&got) {
            check(driver, socket, got).await;
        }
        let accepted = alices.all("orderAccepted").await;
        assert_eq!(accepted.len(), ORDERS);
        for order in alice.orders("?limit=200").await {
            assert_eq!(steps(&order), ["pending", "preparing"]);
            assert_eq!(order["driverId"], owner[id(&order)].as_str());
            assert_eq!(order["history"][1]["by"], order["driverId"]);
            assert!(accepted.contains(&order), "{order}");
        }
    }

    async fn a_cancel_that_races_accepts_stands(server) {
        let alice = server.register("alice").await;
        let drivers = server.drivers(["dan", "eve", "fay", "gus"]).await;
        for _ in 0..10 {
            let order = alice.place(&tea()).await;
            let nothing = json!({});
            let taking = drivers.iter().map(|driver| driver.on(&order, "accept", &nothing));
            let (cancelled, taken) = tokio::join!(
                alice.on(&order, "cancel", &nothing),
                futures_util::future::join_all(taking),
            );
            cancelled.data(200);
            let winners = taken.iter().filter(|answer| answer.status == 200).count();
            assert!(winners <= 1, "{taken:?}");
            assert!(taken.iter().all(|answer| matches!(answer.status, 200 | 409)), "{taken:?}");
            let end = alice.order(&order).await;
            let expected: &[&str] = match winners {
                0 => &["pending", "cancelled"],
                _ => &["pending", "preparing", "cancelled"],
            };
            assert_eq!(steps(&end), expected);
        }
    }
}
