use super::*;
use crate::geo::Point;
use crate::store::embedded::scratch::Scratch;

#[tokio::test]
async fn the_queries_go_by_their_indexes() {
    let db = Scratch::new(MIGRATIONS);
    for (sql, way) in [
        (
            "SELECT at FROM driver_places AS place CROSS JOIN drivers ON drivers.id = place.id
             WHERE place.north >= ?1 AND place.south <= ?2 AND place.east >= ?3
             AND place.west <= ?4 AND at >= ?5 AND (available OR NOT ?6)",
            "SEARCH drivers USING INTEGER PRIMARY KEY",
        ),
        (
            "SELECT lat FROM driver_locations WHERE driver = ?1 AND at > ?2 AND at <= ?3
             ORDER BY at LIMIT ?4",
            "PRIMARY KEY (driver=? AND at>? AND at<?)",
        ),
        (
            "SELECT lat FROM drivers
             WHERE driver IN (SELECT unhex(value) FROM json_each(?1)) AND at IS NOT NULL",
            "SEARCH drivers USING INDEX sqlite_autoindex_drivers_1 (driver=?)",
        ),
        (
            "DELETE FROM driver_locations WHERE (driver, at) IN (
                 SELECT driver, at FROM driver_locations WHERE received_at < ?1 LIMIT ?2)",
            "PRIMARY KEY (driver=? AND at=?)",
        ),
    ] {
        let plan = db.plan(sql).await;
        assert!(plan.contains(way), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

fn fix(millis: i64) -> Fix {
    let at = Timestamp::from_millis(millis);
    let point = Point::from_stored(1.0, 2.0);
    Fix { point, accuracy: None, heading: None, speed: None, battery: None, at, received_at: at }
}

#[tokio::test]
async fn history_that_is_too_old_is_removed_and_nothing_else() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedDriverStore::new(db.clone());
    let [one, other] = [0, 1].map(|_| UserId::generate(Timestamp::from_millis(0)));
    let mut fixes: Vec<_> = (0..2500).map(|n| (one, fix(n))).collect();
    fixes.push((other, fix(1000)));
    store.save_fixes(&fixes).await.unwrap();
    let left = async |driver| {
        let (after, until) = (Timestamp::from_millis(-1), Timestamp::from_millis(9999));
        let trail = store.trail(&Trail { driver, after, until, limit: 9999 }).await.unwrap();
        (trail.first().map(|fix| fix.at.millis()), trail.len())
    };
    store.keep_history(Duration::from_secs(1), Timestamp::from_millis(3200)).await.unwrap();
    assert_eq!(left(one).await, (Some(2200), 300));
    assert_eq!(left(other).await, (None, 0));
    assert_eq!(store.last_fix(other).await.unwrap(), Some(fix(1000)));
}
