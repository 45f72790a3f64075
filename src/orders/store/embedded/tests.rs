use super::*;
use crate::orders::model::Status;
use crate::store::embedded::scratch::Scratch;

#[tokio::test]
async fn the_queries_go_by_their_indexes() {
    let db = Scratch::new(MIGRATIONS);
    for (sql, index) in [
        (lists::of_user(&["customer"], &Status::ALL), "orders_customer (customer=? AND status=?"),
        (
            lists::of_user(&["restaurant"], &Status::ALL),
            "orders_restaurant (restaurant=? AND status=?",
        ),
        (lists::of_user(&["driver"], &Status::ALL), "orders_driver (driver=? AND status=?"),
        (
            "SELECT id FROM orders WHERE status = ?1 AND number < ?2 ORDER BY number DESC LIMIT 9"
                .to_owned(),
            "orders_status (status=?",
        ),
        (
            "SELECT id FROM orders WHERE status = 'pending' AND offered_to IS NULL
             ORDER BY number LIMIT 9"
                .to_owned(),
            "orders_status (status=?)",
        ),
        (
            "SELECT id FROM orders WHERE offered_to = ?1 AND status = 'pending'".to_owned(),
            "orders_offered (offered_to=?)",
        ),
        (
            "SELECT id FROM orders WHERE customer = ?1 AND client_order_id = ?2".to_owned(),
            "orders_once (customer=? AND client_order_id=?)",
        ),
        (
            "SELECT id FROM orders WHERE dispatch_at <= ?1 AND status = 'pending'
             ORDER BY dispatch_at, number LIMIT 9"
                .to_owned(),
            "orders_due (status=? AND dispatch_at<?)",
        ),
        (notices::UNTOLD.to_owned(), "order_notices USING PRIMARY KEY (driver=?)"),
        (notices::UNTOLD.to_owned(), "orders USING INTEGER PRIMARY KEY (rowid=?)"),
        (notices::TOLD.to_owned(), "order_notices USING PRIMARY KEY (driver=? AND number=?)"),
        (
            earnings::EARNED.to_owned(),
            "COVERING INDEX orders_earned (driver=? AND updated_at>? AND updated_at<?)",
        ),
        (notices::TOLD.to_owned(), "orders USING COVERING INDEX sqlite_autoindex_orders_1 (id=?)"),
    ] {
        let plan = db.plan(sql).await;
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("SCAN order"), "{plan}");
    }
}
