//! Members: the list, and ending somebody else's membership.

use serde_json::json;

use crate::support::rooms::{at, into};
use crate::support::time;

on_every_store! {
    async fn members_are_shown_with_role_and_presence(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let _alices = alice.connect("/rooms").await;
        let list = bob.of_room(&room, "/members").await;
        assert_eq!(list["count"], 2);
        let members = list["members"].as_array().unwrap();
        assert_eq!(members.len(), 2);
        for (member, person, role, status) in [
            (&members[0], &alice, "owner", "online"),
            (&members[1], &bob, "member", "offline"),
        ] {
            assert_eq!(member["user"], json!({ "id": person.id, "username": person.username }));
            assert_eq!(member["role"], role);
            assert_eq!(member["presence"]["status"], status);
            assert!(member["presence"].get("lastSeen").is_some(), "{member}");
            time(&member["joinedAt"]);
        }
        time(&members[0]["presence"]["lastSeen"]);
    }

    async fn the_owner_removes_anybody_else(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        alice.give_role(&room, &carol, "admin").await.data(200);
        for person in [&bob, &carol] {
            alice.remove(&room, person).await.data(200);
            person.get(&at(&room, "/messages")).await.refused(403, "forbidden");
            assert_eq!(person.get("/rooms").await.data(200)["rooms"], json!([]));
        }
        assert_eq!(alice.of_room(&room, "/members").await["count"], 1);
        alice.remove(&room, &bob).await.refused(404, "not_found");
    }

    async fn an_admin_removes_plain_members_only(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = server.room_of([&alice, &bob, &carol, &dave]).await;
        for person in [&bob, &carol] {
            alice.give_role(&room, person, "admin").await.data(200);
        }
        bob.remove(&room, &carol).await.refused(403, "forbidden");
        bob.remove(&room, &alice).await.refused(403, "forbidden");
        bob.remove(&room, &dave).await.data(200);
        assert_eq!(alice.of_room(&room, "/members").await["count"], 3);
    }

    async fn plain_members_and_strangers_remove_nobody(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        for person in [&bob, &dave] {
            for victim in [&alice, &carol] {
                person.remove(&room, victim).await.refused(403, "forbidden");
            }
        }
        alice.remove(&room, &dave).await.refused(404, "not_found");
        assert_eq!(alice.of_room(&room, "/members").await["count"], 3);
    }

    async fn the_owner_cannot_be_removed(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.give_role(&room, &bob, "admin").await.data(200);
        bob.remove(&room, &alice).await.refused(403, "forbidden");
        assert_eq!(alice.remove(&room, &alice).await.wrong_fields(), ["userId"]);
        assert_eq!(bob.of_room(&room, "").await["room"]["ownerId"], alice.id.as_str());
    }

    async fn who_is_removed_is_told_and_taken_out_at_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = [bob.enter("/", &room).await, bob.enter("/rooms", &room).await];
        alice.remove(&room, &bob).await.data(200);
        for socket in &mut bobs {
            let left = socket.expect("left_room").await;
            assert_eq!(left["roomId"], room.as_str());
            time(&left["timestamp"]);
        }
        let left = alices.expect("user_left").await;
        assert_eq!((&left["userId"], &left["roomId"]), (&json!(bob.id), &json!(room)));
        alices.expect_nobody_offline().await;
        alices.say(&room, "among us").await;
        alices.done("typing", &json!({ "roomId": room, "isTyping": true })).await;
        alices.hear(1).await;
        for socket in &mut bobs {
            for event in ["receive_message", "typing", "user_left", "messages_read"] {
                socket.expect_none(event).await;
            }
            socket.denied("send_message", &into(&room, "hello?"), "forbidden").await;
        }
    }

    async fn who_was_removed_from_a_public_room_may_join_again(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.give_role(&room, &bob, "admin").await.data(200);
        alice.remove(&room, &bob).await.data(200);
        bob.join_room(&room).await;
        // As a plain member.
        let members = alice.of_room(&room, "/members").await;
        assert_eq!(members["members"][1]["role"], "member");
        bob.enter("/", &room).await.say(&room, "back").await;
    }

    async fn who_was_removed_from_a_private_room_needs_another_invite(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let once = alice.invite_token(&room, json!({ "userId": bob.id, "maxUses": 1 })).await;
        bob.join_with(&room, &once).await.data(200);
        alice.remove(&room, &bob).await.data(200);
        bob.get(&at(&room, "/messages")).await.refused(404, "not_found");
        bob.join_with(&room, "").await.refused(404, "not_found");
        bob.join_with(&room, &once).await.refused(403, "forbidden");
        let again = alice.invite_token(&room, json!({ "userId": bob.id })).await;
        bob.join_with(&room, &again).await.data(200);
    }

    async fn many_removals_at_once_end_one_membership(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let _bobs = bob.enter("/", &room).await;
        let removing = (0..6).map(async |_| alice.remove(&room, &bob).await.status);
        let mut statuses = futures_util::future::join_all(removing).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 404, 404, 404, 404, 404]);
        assert_eq!(alices.all("user_left").await.len(), 1);
    }
}
