//! What members have read in rooms.

use waggle::chat::model::{Progress, RoomRead, Stretch};
use waggle::ids::{RoomId, UserId};

use crate::fixture::{Stores, at, at_once, somebody};

/// The read with this number: of `first..=last`.
fn read(room: RoomId, user: UserId, no: i64, first: i64, last: i64) -> RoomRead {
    RoomRead {
        room,
        user,
        stretch: Stretch { first, last, count: last - first + 1 },
        read_at: at(no),
        progress: Progress { no, done: first - 1, top: last, ahead: no * 10 },
    }
}

async fn progress(stores: &Stores, room: RoomId, user: UserId) -> Option<Progress> {
    stores.chat.progress(room, &[user]).await.unwrap().pop().map(|(_, progress)| progress)
}

fn places(stretches: &[Stretch]) -> Vec<(i64, i64)> {
    stretches.iter().map(|stretch| (stretch.first, stretch.last)).collect()
}

every_store! {
    async fn a_member_is_as_far_as_the_read_with_the_highest_number_says(stores: Stores) {
        let (room, alice, bob) = (RoomId::generate(at(0)), somebody(), somebody());
        assert_eq!(progress(&stores, room, alice).await, None);
        let reads = vec![read(room, alice, 1, 5, 9), read(room, alice, 2, 1, 3)];
        assert_eq!(stores.chat.append_reads(reads.clone()).await.unwrap(), [true, true]);
        assert_eq!(progress(&stores, room, alice).await, Some(reads[1].progress));
        assert_eq!(progress(&stores, room, bob).await, None);
        let elsewhere = RoomId::generate(at(0));
        assert_eq!(progress(&stores, elsewhere, alice).await, None);
    }

    async fn the_progress_of_many_is_told_at_once(stores: Stores) {
        let room = RoomId::generate(at(0));
        let members: Vec<UserId> = (0..50).map(|_| somebody()).collect();
        let reads = members.iter().flat_map(|user| (1..=3).map(|no| read(room, *user, no, no, no)));
        stores.chat.append_reads(reads.collect()).await.unwrap();
        let mut asked = members[..20].to_vec();
        asked.push(somebody());
        let mut found = stores.chat.progress(room, &asked).await.unwrap();
        found.sort_by_key(|(user, _)| *user);
        let expected: Vec<_> =
            members[..20].iter().map(|user| (*user, read(room, *user, 3, 3, 3).progress)).collect();
        assert_eq!(found, expected);
        assert!(stores.chat.progress(room, &[]).await.unwrap().is_empty());
    }

    async fn a_number_is_used_once_and_what_builds_on_it_is_not_stored(stores: Stores) {
        let (room, alice, bob) = (RoomId::generate(at(0)), somebody(), somebody());
        stores.chat.append_reads(vec![read(room, alice, 1, 1, 1)]).await.unwrap();
        let reads = vec![
            read(room, bob, 1, 1, 1),
            read(room, alice, 1, 2, 2),
            read(room, bob, 2, 2, 2),
            read(room, alice, 2, 3, 3),
        ];
        let stored = stores.another_node().chat.append_reads(reads).await.unwrap();
        assert_eq!(stored, [true, false, true, false]);
        assert_eq!(places(&stores.chat.stretches(room, alice, 1, 9).await.unwrap()), [(1, 1)]);
        assert_eq!(places(&stores.chat.stretches(room, bob, 1, 9).await.unwrap()), [(1, 1), (2, 2)]);
        assert!(stores.chat.append_reads(Vec::new()).await.unwrap().is_empty());
    }

    async fn of_many_at_once_one_gets_a_number(stores: Stores) {
        let (room, alice) = (RoomId::generate(at(0)), somebody());
        let nodes = [stores.clone(), stores.another_node()];
        let told = at_once((0..16).map(|n| {
            let node = nodes[n % 2].clone();
            let place = n as i64 + 1;
            async move { node.chat.append_reads(vec![read(room, alice, 1, place, place)]).await.unwrap() }
        }))
        .await;
        assert_eq!(told.concat().into_iter().filter(|stored| *stored).count(), 1);
        assert_eq!(stores.chat.stretches(room, alice, 1, 99).await.unwrap().len(), 1);
    }

    async fn stretches_are_found_by_any_message_in_them(stores: Stores) {
        let (room, alice) = (RoomId::generate(at(0)), somebody());
        let reads = vec![
            read(room, alice, 1, 10, 20),
            read(room, alice, 2, 1, 3),
            read(room, alice, 3, 25, 25),
            read(room, alice, 4, 5, 5),
        ];
        stores.chat.append_reads(reads).await.unwrap();
        for (first, last, expected) in [
            (1, 30, vec![(1, 3), (5, 5), (10, 20), (25, 25)]),
            (15, 15, vec![(10, 20)]),
            (3, 10, vec![(1, 3), (5, 5), (10, 20)]),
            (4, 4, vec![]),
            (6, 9, vec![]),
            (21, 24, vec![]),
            (20, 25, vec![(10, 20), (25, 25)]),
            (26, 99, vec![]),
            (9, 8, vec![]),
        ] {
            let found = stores.chat.stretches(room, alice, first, last).await.unwrap();
            assert_eq!(places(&found), expected, "{first}..={last}");
        }
    }

    async fn who_has_read_a_message_is_told_with_the_time(stores: Stores) {
        let (room, members) = (RoomId::generate(at(0)), [(); 5].map(|()| somebody()));
        let [alice, bob, carol, dave, stranger] = members;
        let reads = vec![
            read(room, alice, 1, 1, 8),
            read(room, bob, 1, 7, 7),
            read(room, bob, 2, 1, 1),
            read(room, carol, 1, 1, 6),
            read(room, stranger, 1, 7, 7),
        ];
        stores.chat.append_reads(reads.clone()).await.unwrap();
        let asked = [alice, bob, carol, dave];
        let mut found = stores.chat.readers(room, &asked, 7, 7).await.unwrap();
        found.sort_by_key(|read| read.user);
        assert_eq!(found, [reads[0], reads[1]]);
        assert_eq!(stores.chat.readers(room, &asked, 1, 8).await.unwrap().len(), 4);
    }
}
