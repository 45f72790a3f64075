//! Whose a room is: roles, handing it over, and what becomes of it when its owner leaves.

use serde_json::{Value, json};

use crate::support::rooms::at;
use crate::support::{Person, Server};

async fn owner(person: &Person, room: &str) -> Value {
    person.of_room(room, "").await["room"]["ownerId"].clone()
}

async fn roles(person: &Person, room: &str) -> Vec<(String, String)> {
    let members = person.of_room(room, "/members").await["members"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    members.iter().map(|one| (text(&one["user"]["username"]), text(&one["role"]))).collect()
}

/// Four people in a room; each joined in another millisecond than the one before.
async fn four(server: &Server) -> ([Person; 4], String) {
    let people = server.people(["alice", "bob", "carol", "dave"]).await;
    let room = people[0].create_room(false).await;
    for person in &people[1..] {
        let clock = waggle::clock::Clock::system();
        let now = clock.now();
        while clock.now() == now {
            tokio::task::yield_now().await;
        }
        person.join_room(&room).await;
    }
    (people, room)
}

#[track_caller]
fn check_roles(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(who, role)| (who.as_str(), role.as_str())).collect();
    assert_eq!(found, expected);
}

on_every_store! {
    async fn an_owner_who_leaves_passes_the_room_to_the_oldest_member(server) {
        let ([alice, bob, carol, _], room) = four(server).await;
        let mut carols = carol.enter("/rooms", &room).await;
        alice.leave_room(&room).await;
        assert_eq!(owner(&carol, &room).await, bob.id.as_str());
        check_roles(
            &roles(&bob, &room).await,
            &[("bob", "owner"), ("carol", "member"), ("dave", "member")],
        );
        let told = carols.expect("room_updated").await;
        assert_eq!(told["room"]["ownerId"], bob.id.as_str());
        bob.patch(&at(&room, ""), &json!({ "name": "Bob's" })).await.data(200);
        alice.patch(&at(&room, ""), &json!({ "name": "Mine" })).await.refused(403, "forbidden");
    }

    async fn an_owner_who_leaves_passes_the_room_to_an_admin_before_older_members(server) {
        let ([alice, _, carol, dave], room) = four(server).await;
        alice.give_role(&room, &dave, "admin").await.data(200);
        alice.give_role(&room, &carol, "admin").await.data(200);
        alice.leave_room(&room).await;
        assert_eq!(owner(&dave, &room).await, carol.id.as_str());
        carol.leave_room(&room).await;
        assert_eq!(owner(&dave, &room).await, dave.id.as_str());
    }

    async fn the_last_one_to_leave_closes_the_room(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let invite = alice.invite_token(&room, json!({})).await;
        alice.leave_room(&room).await;
        bob.leave_room(&room).await;
        for person in [&alice, &bob] {
            person.get(&at(&room, "")).await.refused(404, "not_found");
            person.join_with(&room, &invite).await.refused(404, "not_found");
        }
    }

    async fn all_leaving_at_once_close_the_room(server) {
        let (people, room) = four(server).await;
        let leaving = people.each_ref().map(async |person| person.leave_room(&room).await);
        futures_util::future::join_all(leaving).await;
        people[0].get(&at(&room, "")).await.refused(404, "not_found");
    }

    async fn the_owner_makes_admins_and_members_of_them_again(server) {
        let ([alice, bob, carol, _], room) = four(server).await;
        alice.give_role(&room, &bob, "admin").await.data(200);
        check_roles(
            &roles(&carol, &room).await,
            &[("alice", "owner"), ("bob", "admin"), ("carol", "member"), ("dave", "member")],
        );
        bob.remove(&room, &carol).await.data(200);
        alice.give_role(&room, &bob, "member").await.data(200);
        check_roles(
            &roles(&bob, &room).await,
            &[("alice", "owner"), ("bob", "member"), ("dave", "member")],
        );
    }

    async fn nobody_else_gives_roles(server) {
        let ([alice, bob, carol, dave], room) = four(server).await;
        alice.give_role(&room, &bob, "admin").await.data(200);
        for person in [&bob, &dave] {
            for role in ["admin", "owner", "member"] {
                person.give_role(&room, &carol, role).await.refused(403, "forbidden");
            }
        }
        bob.give_role(&room, &bob, "owner").await.refused(403, "forbidden");
        let stranger = server.register("erin").await;
        stranger.give_role(&room, &stranger, "owner").await.refused(403, "forbidden");
        alice.give_role(&room, &stranger, "admin").await.refused(404, "not_found");
        for role in ["king", "", "OWNER"] {
            let answer = alice.give_role(&room, &bob, role).await;
            assert_eq!(answer.wrong_fields(), ["role"], "{role}");
        }
        let path = at(&room, &format!("/members/{}", bob.id));
        assert_eq!(alice.patch(&path, &json!({})).await.wrong_fields(), ["role"]);
    }

    async fn the_owner_hands_the_room_over_and_stays_as_an_admin(server) {
        let ([alice, bob, carol, _], room) = four(server).await;
        let mut bobs = bob.enter("/", &room).await;
        let changed = alice.give_role(&room, &bob, "owner").await.data(200)["room"].clone();
        assert_eq!(changed["ownerId"], bob.id.as_str());
        assert_eq!(bobs.expect("room_updated").await["room"]["ownerId"], bob.id.as_str());
        check_roles(
            &roles(&carol, &room).await,
            &[("alice", "admin"), ("bob", "owner"), ("carol", "member"), ("dave", "member")],
        );
        alice.give_role(&room, &carol, "owner").await.refused(403, "forbidden");
        bob.remove(&room, &alice).await.data(200);
    }

    async fn the_owner_stays_the_owner_until_somebody_else_is(server) {
        let ([alice, bob, ..], room) = four(server).await;
        for role in ["member", "admin"] {
            alice.give_role(&room, &alice, role).await.refused(409, "conflict");
        }
        assert_eq!(owner(&bob, &room).await, alice.id.as_str());
    }

    async fn of_many_hand_overs_at_once_one_makes_the_owner(server) {
        let ([alice, bob, carol, dave], room) = four(server).await;
        let handing = [&bob, &carol, &dave].map(async |person| {
            alice.give_role(&room, person, "owner").await.status
        });
        let mut statuses = futures_util::future::join_all(handing).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403]);
        let found = roles(&alice, &room).await;
        assert_eq!(found.iter().filter(|(_, role)| role == "owner").count(), 1, "{found:?}");
    }
}
