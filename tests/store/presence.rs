//! When users were last seen.

use crate::fixture::{at, at_once, somebody};

every_store! {
    async fn users_are_known_by_when_they_were_last_seen(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        stores.presence.save_last_seen(&[(alice, at(1)), (bob, at(2))]).await.unwrap();
        let mut seen = stores.presence.last_seen(&[alice, bob, carol]).await.unwrap();
        seen.sort();
        let mut expected = vec![(alice, at(1)), (bob, at(2))];
        expected.sort();
        assert_eq!(seen, expected);
        assert!(stores.presence.last_seen(&[carol]).await.unwrap().is_empty());
        assert!(stores.presence.last_seen(&[]).await.unwrap().is_empty());
        stores.presence.save_last_seen(&[]).await.unwrap();
    }

    async fn an_older_time_changes_nothing(stores: Stores) {
        let alice = somebody();
        for (saved, expected) in [(50, 50), (40, 50), (50, 50), (60, 60)] {
            stores.presence.save_last_seen(&[(alice, at(saved))]).await.unwrap();
            let seen = stores.presence.last_seen(&[alice]).await.unwrap();
            assert_eq!(seen, [(alice, at(expected))]);
        }
        stores.presence.save_last_seen(&[(alice, at(90)), (alice, at(70))]).await.unwrap();
        assert_eq!(stores.presence.last_seen(&[alice]).await.unwrap(), [(alice, at(90))]);
    }

    async fn the_latest_of_many_times_saved_at_once_stays(stores: Stores) {
        let alice = somebody();
        at_once((0..30).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            async move { node.presence.save_last_seen(&[(alice, at(n * 7 % 30))]).await.unwrap() }
        }))
        .await;
        assert_eq!(stores.presence.last_seen(&[alice]).await.unwrap(), [(alice, at(29))]);
    }
}
