//! Orders and offers survive a server that is killed, and go on by themselves.

use serde_json::json;

use crate::support::orders::{once, steps, tea_at, which};
use crate::support::process::Process;

on_every_store! {
    #[set(DISPATCH_MODE = "nearest", OFFER_TIMEOUT = "2s", PRESENCE_GRACE = "500ms")]
    async fn an_offer_moves_on_after_a_crash(server) {
        server.stop().await;
        let process = Process::start(server).await;
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.connect_at(0.01).await;
        let eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let order = alice.place(&tea_at(0.0)).await;
        dans.expect("newOrder").await;
        process.signal("KILL").await;
        process.end().await;
        drop((dans, eves));
        // As after any crash, and with time to take what is offered then.
        server.start_with(&[("OFFER_TIMEOUT", "1m")]).await;
        // Dan does not come back; eve does.
        let mut alices = alice.connect("/orders").await;
        let mut eves = eve.connect("/orders").await;
        assert_eq!(eves.expect("newOrder").await["_id"], order["_id"]);
        eves.done("orderAccept", &which(&order)).await;
        let taken = alices.expect("orderAccepted").await;
        assert_eq!(steps(&taken), ["pending", "preparing"]);
        assert_eq!(taken["history"][0], order["history"][0]);
    }

    #[set(DISPATCH_MODE = "nearest", OFFER_TIMEOUT = "1m", PRESENCE_GRACE = "2s")]
    async fn an_offer_is_still_there_after_a_crash(server) {
        server.stop().await;
        let process = Process::start(server).await;
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.connect_at(0.01).await;
        let eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let order = alice.place(&tea_at(0.0)).await;
        let offer = dans.expect("newOrder").await;
        process.signal("KILL").await;
        process.end().await;
        drop((dans, eves));
        let process = Process::start(server).await;
        let mut eves = eve.connect("/orders").await;
        let mut dans = dan.connect("/orders").await;
        assert_eq!(dans.expect("newOrder").await["offerExpiresAt"], offer["offerExpiresAt"]);
        eves.failed("orderAccept", &which(&order), "conflict").await;
        dans.done("orderAccept", &which(&order)).await;
        eves.expect_none("newOrder").await;
        process.signal("TERM").await;
        process.end().await;
    }

    async fn what_was_acknowledged_is_there_after_a_crash(server) {
        server.stop().await;
        let process = Process::start(server).await;
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/orders").await;
        let mut dans = dan.connect("/orders").await;
        let pending = alices.place(&once("one")).await;
        let order = alices.place(&once("two")).await;
        let taken = dans.done("orderAccept", &which(&order)).await["order"].clone();
        dans.done("location_update", &json!({ "latitude": 1, "longitude": 2 })).await;
        process.signal("KILL").await;
        process.end().await;
        let process = Process::start(server).await;
        assert_eq!(alice.order(&pending).await, pending);
        assert_eq!(alice.order(&order).await, taken);
        let mut alices = alice.connect("/orders").await;
        assert_eq!(alices.place(&once("one")).await, pending);
        assert_eq!(alices.place(&once("three")).await["orderNumber"], 3);
        let tracked = alices.done("trackOrder", &which(&order)).await;
        assert_eq!(tracked["position"]["latitude"], 1.0);
        process.signal("TERM").await;
        process.end().await;
    }
}
