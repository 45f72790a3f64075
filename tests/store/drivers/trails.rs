//! Where drivers were.

use std::time::Duration;

use waggle::drivers::model::{Fix, Trail};
use waggle::ids::UserId;

use super::{full, save};
use crate::fixture::{Stores, at, somebody};

/// All that is known of where a driver was.
pub(super) async fn whole(stores: &Stores, driver: UserId) -> Vec<Fix> {
    let trail = Trail { driver, after: at(-1), until: at(i64::from(u32::MAX)), limit: 9999 };
    stores.drivers.trail(&trail).await.unwrap()
}

every_store! {
    async fn a_trail_begins_after_one_time_and_ends_with_another(stores: Stores) {
        let (driver, other) = (somebody(), somebody());
        save(&stores, driver, &[30, 10, 50, 20, 40].map(|millis| full(0, millis))).await;
        save(&stores, other, &[full(0, 25)]).await;
        for (after, until, limit, found) in [
            (0, 99, 9, &[10, 20, 30, 40, 50][..]),
            (10, 40, 9, &[20, 30, 40]),
            (9, 10, 9, &[10]),
            (10, 19, 9, &[]),
            (40, 10, 9, &[]),
            (10, 99, 2, &[20, 30]),
            (0, 99, 0, &[]),
        ] {
            let trail = Trail { driver, after: at(after), until: at(until), limit };
            let trail = stores.drivers.trail(&trail).await.unwrap();
            let times: Vec<_> = trail.iter().map(|fix| fix.at).collect();
            assert_eq!(times, found.iter().map(|millis| at(*millis)).collect::<Vec<_>>());
        }
    }

    async fn a_position_from_before_the_clock_was_put_back_is_replaced(stores: Stores) {
        let right = full(0, 0).received_at;
        let sent_at = |n, at| Fix { at, received_at: at, ..full(n, 0) };
        let (now, soon) = (sent_at(1, right), sent_at(2, right + Duration::from_secs(60)));
        let an_hour_ahead = sent_at(3, right + Duration::from_hours(1));
        for (before, after) in [(soon, soon), (an_hour_ahead, now)] {
            let [one, other] = [somebody(), somebody()];
            save(&stores, one, &[before]).await;
            save(&stores, one, &[now]).await;
            save(&stores, other, &[before, now]).await;
            for driver in [one, other] {
                assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(after));
            }
        }
    }

    async fn history_that_is_young_enough_is_kept_and_last_positions_always(stores: Stores) {
        let driver = somebody();
        save(&stores, driver, &[full(0, 1000), full(0, 2000), full(0, 3000)]).await;
        let now = full(0, 3500).received_at;
        for retention in [2500, 9000, 9000] {
            let retention = Duration::from_millis(retention);
            stores.drivers.keep_history(retention, now).await.unwrap();
            assert_eq!(whole(&stores, driver).await.len(), 3);
        }
        // A database that removes by itself goes by its own clock, and not at once.
        stores.drivers.keep_history(Duration::from_millis(1), now).await.unwrap();
        assert_eq!(stores.drivers.last_fix(driver).await.unwrap(), Some(full(0, 3000)));
    }
}
