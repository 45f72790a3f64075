use super::*;
use crate::store::embedded::scratch::Scratch;

#[tokio::test]
async fn the_queries_go_by_their_indexes() {
    let db = Scratch::new(MIGRATIONS);
    for (sql, index) in [
        (
            "SELECT user FROM room_members WHERE room = ?1 ORDER BY joined_at, user",
            "room_members USING PRIMARY KEY (room=?)",
        ),
        (
            "SELECT rooms.name, mine.since,
                 (SELECT count(*) FROM room_members AS everybody WHERE everybody.room = mine.room)
             FROM room_members AS mine JOIN rooms ON rooms.id = mine.room
             WHERE mine.user = ?1 ORDER BY rooms.created_at DESC, rooms.id DESC",
            "mine USING INDEX room_members_user (user=?)",
        ),
        (
            "SELECT created_by FROM invites WHERE room = ?1 AND expires_at > ?2
             AND (max_uses IS NULL OR uses < max_uses) ORDER BY created_at DESC, id DESC",
            "invites_room (room=? AND expires_at>?)",
        ),
        (
            "SELECT 1 FROM invites WHERE room = ?1 AND user = ?2 AND expires_at > ?3
             AND (max_uses IS NULL OR uses < max_uses)",
            "invites_bound (room=? AND user=? AND expires_at>?)",
        ),
        (
            "DELETE FROM invites WHERE room = ?1 AND expires_at <= ?2",
            "invites_room (room=? AND expires_at<?)",
        ),
        ("DELETE FROM invites WHERE room = ?1", "invites_room (room=?)"),
        ("DELETE FROM room_members WHERE room = ?1", "PRIMARY KEY (room=?)"),
    ] {
        let plan = db.plan(sql).await;
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}
