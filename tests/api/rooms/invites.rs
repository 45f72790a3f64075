//! Invites: the way into private rooms.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use waggle::clock::Clock;

use crate::support::access::{part, sign};
use crate::support::rest::PATIENCE;
use crate::support::rooms::at;
use crate::support::server::SECRET;
use crate::support::{Person, is_id, time};

async fn invites(person: &Person, room: &str) -> Vec<Value> {
    person.of_room(room, "/invites").await["invites"].as_array().unwrap().clone()
}

on_every_store! {
    async fn an_invite_opens_a_private_room(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let invite = alice.invite(&room, json!({})).await;
        assert!(time(&invite["expiresAt"]) > Clock::system().now());
        let token = invite["invite"].as_str().unwrap();
        bob.join_with(&room, "").await.refused(404, "not_found");
        let joined = bob.join_with(&room, token).await.data(200);
        assert_eq!(joined["roomId"], room.as_str());
        assert_eq!(bob.of_room(&room, "").await["room"]["memberCount"], 2);
        // Any number may use one without `maxUses`; any member may make one.
        carol.join_with(&room, token).await.data(200);
        let dave = server.register("dave").await;
        let of_bob = bob.invite_token(&room, json!({ "maxUses": 1 })).await;
        dave.join_with(&room, &of_bob).await.data(200);
    }

    async fn an_invite_is_made_without_a_body_too(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let request = alice.request(reqwest::Method::POST, &at(&room, "/invite"));
        let data = crate::support::Answer::of(request).await.data(201);
        bob.join_with(&room, data["invite"].as_str().unwrap()).await.data(200);
    }

    async fn an_invite_to_a_public_room_may_be_given_and_is_not_needed(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(false).await;
        let token = alice.invite_token(&room, json!({})).await;
        bob.join_with(&room, &token).await.data(200);
        carol.join_with(&room, "nonsense").await.data(200);
    }

    async fn what_is_no_invite_to_this_room_is_of_no_use(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let other = alice.create_room(true).await;
        let foreign = alice.invite_token(&other, json!({})).await;
        let good = alice.invite_token(&room, json!({})).await;
        let (head, rest) = good.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let (_, foreign_rest) = foreign.split_once('.').unwrap();
        let (_, foreign_signature) = foreign_rest.split_once('.').unwrap();
        let wrong_key = sign(&part(&good, 1), Algorithm::HS256, SECRET);
        for token in [
            "nonsense",
            // Invites have a key of their own.
            &wrong_key,
            &foreign,
            &bob.token,
            &alice.token,
            &format!("{head}.{claims}."),
            &format!("{head}.{claims}.{foreign_signature}"),
            &format!("{head}.{}.{signature}", &claims[..claims.len() - 2]),
            "eyJhbGciOiJub25lIn0.e30.",
        ] {
            bob.join_with(&room, token).await.refused(404, "not_found");
        }
        bob.join_with(&room, &good).await.data(200);
        // No invite is an access token.
        let intruder = Person { token: good.clone(), ..bob.clone() };
        intruder.get("/rooms").await.refused(401, "unauthenticated");
    }

    async fn an_invite_for_somebody_is_of_no_use_to_others(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let token = alice.invite_token(&room, json!({ "userId": bob.id })).await;
        carol.join_with(&room, &token).await.refused(404, "not_found");
        carol.get(&at(&room, &format!("?invite={token}"))).await.refused(404, "not_found");
        bob.join_with(&room, &token).await.data(200);
    }

    async fn an_expired_invite_is_forbidden(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let invite = alice.invite(&room, json!({ "expiresIn": 1 })).await;
        let token = invite["invite"].as_str().unwrap();
        let until = time(&invite["expiresAt"]);
        let asked = Instant::now();
        while Clock::system().now() <= until {
            bob.get(&at(&room, &format!("?invite={token}"))).await;
            assert!(asked.elapsed() < PATIENCE, "{invite}");
        }
        bob.join_with(&room, token).await.refused(403, "forbidden");
        bob.get(&at(&room, &format!("?invite={token}"))).await.refused(403, "forbidden");
        assert!(invites(&alice, &room).await.is_empty());
    }

    async fn who_was_removed_comes_back_with_no_invite_of_their_own(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let shared = alice.invite(&room, json!({})).await;
        bob.join_with(&room, shared["invite"].as_str().unwrap()).await.data(200);
        let by_bob = bob.invite(&room, json!({})).await;
        let for_bob = alice.invite(&room, json!({ "userId": bob.id })).await;
        alice.remove(&room, &bob).await.data(200);
        for invite in [by_bob, for_bob] {
            let token = invite["invite"].as_str().unwrap();
            bob.join_with(&room, token).await.refused(403, "forbidden");
        }
        assert_eq!(invites(&alice, &room).await.len(), 1);
        carol.join_with(&room, shared["invite"].as_str().unwrap()).await.data(200);
    }

    async fn an_invite_lives_as_long_as_was_asked(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(true).await;
        let before = Clock::system().now();
        let invite = alice.invite(&room, json!({ "expiresIn": 3600 })).await;
        let (after, expires) = (Clock::system().now(), time(&invite["expiresAt"]));
        // Of whole seconds.
        let (most, least) = (expires.since(before), expires.since(after));
        assert!(most > Duration::from_secs(3599) && least <= Duration::from_secs(3600), "{invite}");
    }

    async fn a_spent_invite_is_forbidden(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = alice.create_room(true).await;
        let token = alice.invite_token(&room, json!({ "maxUses": 2 })).await;
        bob.join_with(&room, &token).await.data(200);
        // A member's second use counts for nothing.
        bob.join_with(&room, &token).await.data(200);
        carol.join_with(&room, &token).await.data(200);
        dave.join_with(&room, &token).await.refused(403, "forbidden");
        assert_eq!(alice.of_room(&room, "").await["room"]["memberCount"], 3);
    }

    async fn a_revoked_invite_is_forbidden(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let token = alice.invite_token(&room, json!({})).await;
        let listed = invites(&alice, &room).await;
        let path = at(&room, &format!("/invites/{}", listed[0]["id"].as_str().unwrap()));
        alice.delete(&path).await.data(200);
        bob.join_with(&room, &token).await.refused(403, "forbidden");
        alice.delete(&path).await.refused(404, "not_found");
        assert!(invites(&alice, &room).await.is_empty());
    }

    async fn of_many_at_once_as_many_come_in_as_an_invite_has_uses(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(true).await;
        let token = alice.invite_token(&room, json!({ "maxUses": 3 })).await;
        let mut people = Vec::new();
        for number in 0..10 {
            people.push(server.register(&format!("guest{number}")).await);
        }
        let joining = people.iter().map(async |person| person.join_with(&room, &token).await.status);
        let mut statuses = futures_util::future::join_all(joining).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 403, 403, 403, 403, 403, 403, 403]);
        assert_eq!(alice.of_room(&room, "/members").await["count"], 4);
    }

    async fn somebody_who_joins_many_times_at_once_uses_an_invite_once(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let token = alice.invite_token(&room, json!({ "maxUses": 2 })).await;
        let joining = (0..5).map(async |_| bob.join_with(&room, &token).await.data(200));
        futures_util::future::join_all(joining).await;
        carol.join_with(&room, &token).await.data(200);
    }

    async fn owner_and_admins_see_invites_and_revoke_them(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let wanted = json!({ "userId": bob.id, "maxUses": 5 });
        let token = carol.invite_token(&room, wanted).await;
        bob.get(&at(&room, "/invites")).await.refused(403, "forbidden");
        alice.give_role(&room, &bob, "admin").await.data(200);
        for person in [&alice, &bob] {
            let listed = invites(person, &room).await;
            assert_eq!(listed.len(), 1);
            let one = &listed[0];
            assert!(is_id(&one["id"]));
            assert_eq!([&one["createdBy"], &one["userId"]], [&carol.id, &bob.id]);
            assert_eq!((&one["maxUses"], &one["uses"]), (&json!(5), &json!(0)));
            assert!(!one.to_string().contains(&token), "a token is shown once");
        }
        let id = invites(&alice, &room).await[0]["id"].as_str().unwrap().to_owned();
        let path = at(&room, &format!("/invites/{id}"));
        carol.delete(&path).await.refused(403, "forbidden");
        let elsewhere = alice.create_room(false).await;
        alice.delete(&at(&elsewhere, &format!("/invites/{id}"))).await.refused(404, "not_found");
        bob.delete(&path).await.data(200);
    }

    async fn what_is_wrong_with_an_invite_is_told_by_field(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(true).await;
        for (field, wrong) in [
            ("userId", json!("bob")),
            ("expiresIn", json!(0)),
            ("expiresIn", json!(-5)),
            ("expiresIn", json!(i64::MAX)),
            ("expiresIn", json!("soon")),
            ("maxUses", json!(0)),
            ("maxUses", json!(-1)),
        ] {
            let answer = alice.post(&at(&room, "/invite"), &json!({ field: wrong })).await;
            assert_eq!(answer.wrong_fields(), [field], "{wrong}");
        }
        let nobody = json!({ "userId": "0".repeat(24) });
        alice.post(&at(&room, "/invite"), &nobody).await.refused(404, "not_found");
    }
}
