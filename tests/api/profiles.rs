//! Oneself: `GET` and `PATCH /api/auth/me` (CONTRACT §2).

use serde_json::json;

use crate::support::{is_id, time};

on_every_store! {
    async fn me_is_the_caller(server) {
        let alice = server.register("alice").await;
        let data = alice.get("/api/auth/me").await.data(200);
        let user = &data["user"];
        assert!(is_id(&user["_id"]));
        assert_eq!(user["_id"], alice.id);
        assert_eq!(user["username"], "alice");
        assert_eq!(user["email"], alice.email);
        assert_eq!(user["role"], "user");
        assert_eq!(user["isOnline"], false);
        time(&user["lastSeen"]);
        time(&user["createdAt"]);
        let _socket = alice.connect("/").await;
        assert_eq!(alice.get("/api/auth/me").await.data(200)["user"]["isOnline"], true);
    }

    async fn name_image_and_address_can_be_changed(server) {
        let alice = server.register("alice").await;
        let change = json!({
            "name": "Alice B.", "image": "https://example.com/a.png", "email": "new@example.com",
        });
        let changed = alice.patch("/api/auth/me", &change).await.data(200);
        let seen = alice.get("/api/auth/me").await.data(200);
        for user in [&changed["user"], &seen["user"]] {
            assert_eq!(user["name"], "Alice B.");
            assert_eq!(user["image"], "https://example.com/a.png");
            assert_eq!(user["email"], "new@example.com");
        }
        let password = crate::support::rest::PASSWORD;
        let by_new = json!({ "email": "new@example.com", "password": password });
        server.post("/api/auth/login", &by_new).await.data(200);
        let by_old = json!({ "email": alice.email, "password": password });
        server.post("/api/auth/login", &by_old).await.refused(401, "unauthenticated");
    }

    async fn what_a_change_leaves_out_stays_and_null_clears(server) {
        let alice = server.register("alice").await;
        let both = json!({ "name": "Alice", "image": "a.png" });
        alice.patch("/api/auth/me", &both).await.data(200);
        let one = alice.patch("/api/auth/me", &json!({ "name": "Bea" })).await.data(200);
        assert_eq!((&one["user"]["name"], &one["user"]["image"]), (&json!("Bea"), &json!("a.png")));
        let cleared = json!({ "name": null, "image": null });
        let none = alice.patch("/api/auth/me", &cleared).await.data(200);
        assert!(none["user"].get("name").is_none() && none["user"].get("image").is_none());
    }

    async fn role_name_and_id_cannot_be_changed(server) {
        let alice = server.register("alice").await;
        let wanted = json!({ "role": "admin", "username": "root", "_id": "0".repeat(24) });
        let user = alice.patch("/api/auth/me", &wanted).await.data(200)["user"].clone();
        assert_eq!(user["role"], "user");
        assert_eq!(user["username"], "alice");
        assert_eq!(user["_id"], alice.id);
    }

    async fn an_address_of_somebody_else_is_a_conflict(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let taken = json!({ "email": bob.email.to_uppercase() });
        alice.patch("/api/auth/me", &taken).await.refused(409, "conflict");
        let own = json!({ "email": alice.email.to_uppercase() });
        let user = alice.patch("/api/auth/me", &own).await.data(200)["user"].clone();
        assert_eq!(user["email"], alice.email.to_uppercase());
    }

    async fn a_profile_that_is_not_valid_is_told_by_field(server) {
        let alice = server.register("alice").await;
        for (field, value) in [
            ("name", json!("   ")),
            ("name", json!("n".repeat(101))),
            ("name", json!({ "$set": 1 })),
            ("image", json!("javascript:alert(1)")),
            ("image", json!("data:text/html,x")),
            ("email", json!("nowhere")),
            ("email", json!(["a@example.com"])),
        ] {
            let answer = alice.patch("/api/auth/me", &json!({ field: value })).await;
            assert_eq!(answer.wrong_fields(), [field], "{value}");
        }
    }

    async fn a_display_name_is_text_and_starts_no_tag(server) {
        let alice = server.register("alice").await;
        let name = json!({ "name": "  <b>Zoe\u{308}\u{202E} & Co  " });
        let user = alice.patch("/api/auth/me", &name).await.data(200)["user"].clone();
        assert_eq!(user["name"], "< b>Zo\u{eb} & Co");
    }
}
