//! Members: joining, leaving, admins, and the rooms that somebody is in.

use std::cmp::Reverse;

use waggle::rooms::model::{Member, Membership, Room};
use waggle::text::DisplayName;

use super::{count_true, either_node, member, new_room, stored_room};
use crate::fixture::{at_once, somebody};

every_store! {
    async fn members_come_in_the_order_in_which_they_joined(stores: Stores) {
        let alice = somebody();
        let room = stored_room(&stores, alice).await;
        let mut expected = vec![member(alice, 0)];
        for joined in [5, 3, 3, 9, 3, 5] {
            let new = Member { is_admin: joined == 9, ..member(somebody(), joined) };
            assert!(stores.rooms.add_member(room.id, &new).await.unwrap());
            expected.push(new);
            expected.sort_by_key(|member| (member.joined_at, member.user));
            let found = stores.another_node().rooms.room(room.id).await.unwrap();
            assert_eq!(found, Some((room.clone(), expected.clone())));
        }
    }

    async fn who_is_a_member_is_not_added_again_nor_changed(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let room = stored_room(&stores, alice).await.id;
        assert!(stores.rooms.add_member(room, &member(bob, 1)).await.unwrap());
        let again = Member { is_admin: true, ..member(bob, 2) };
        assert!(!stores.rooms.add_member(room, &again).await.unwrap());
        assert!(!stores.rooms.add_member(room, &member(alice, 2)).await.unwrap());
        let (_, members) = stores.rooms.room(room).await.unwrap().unwrap();
        assert_eq!(members, [member(alice, 0), member(bob, 1)]);
    }

    async fn of_many_who_add_the_same_member_at_once_one_does(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let room = stored_room(&stores, alice).await.id;
        let outcomes = at_once((0..50).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.add_member(room, &member(bob, 1)).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 1);
        let (_, members) = stores.rooms.room(room).await.unwrap().unwrap();
        assert_eq!(members, [member(alice, 0), member(bob, 1)]);
    }

    async fn who_leaves_is_out_of_that_room_and_can_come_again(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let (left, other) = (stored_room(&stores, alice).await, stored_room(&stores, alice).await);
        assert!(!stores.rooms.remove_member(left.id, bob).await.unwrap());
        for room in [&left, &other] {
            stores.rooms.add_member(room.id, &member(bob, 1)).await.unwrap();
        }
        assert!(stores.rooms.remove_member(left.id, bob).await.unwrap());
        assert!(!stores.rooms.remove_member(left.id, bob).await.unwrap());
        let members = async |id| stores.rooms.room(id).await.unwrap().unwrap().1;
        assert_eq!(members(left.id).await, [member(alice, 0)]);
        assert_eq!(members(other.id).await, [member(alice, 0), member(bob, 1)]);
        let rooms = stores.rooms.rooms_of(bob).await.unwrap();
        assert_eq!(rooms.into_iter().map(|one| one.room).collect::<Vec<_>>(), [other]);
        assert!(stores.rooms.add_member(left.id, &member(bob, 8)).await.unwrap());
        assert_eq!(members(left.id).await, [member(alice, 0), member(bob, 8)]);
    }

    async fn of_many_who_remove_the_same_member_at_once_one_does(stores: Stores) {
        let bob = somebody();
        let room = stored_room(&stores, somebody()).await.id;
        stores.rooms.add_member(room, &member(bob, 1)).await.unwrap();
        let outcomes = at_once((0..30).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.remove_member(room, bob).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 1);
    }

    async fn a_member_is_an_admin_from_when_it_is_said_until_it_is_unsaid(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let room = stored_room(&stores, alice).await.id;
        let other = stored_room(&stores, bob).await.id;
        assert!(!stores.rooms.set_admin(room, bob, true).await.unwrap(), "bob is no member");
        stores.rooms.add_member(room, &member(bob, 1)).await.unwrap();
        for is_admin in [true, true, false, false, true] {
            assert!(stores.rooms.set_admin(room, bob, is_admin).await.unwrap());
            let (_, members) = stores.another_node().rooms.room(room).await.unwrap().unwrap();
            assert_eq!(members, [member(alice, 0), Member { is_admin, ..member(bob, 1) }]);
        }
        assert_eq!(stores.rooms.room(other).await.unwrap().unwrap().1, [member(bob, 0)]);
    }

    async fn somebodys_rooms_are_theirs_only_the_newest_first_with_their_counts(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let mut expected = Vec::new();
        for (n, created) in [4, 2, 2, 7, 2].into_iter().enumerate() {
            let name = DisplayName::parse(format!("Room {n}")).unwrap();
            let room = Room { name, ..new_room(bob, created) };
            stores.rooms.insert_room(&room, &member(bob, created)).await.unwrap();
            let joined = Member { is_admin: n == 1, ..member(alice, 10 + n as i64) };
            stores.rooms.add_member(room.id, &joined).await.unwrap();
            for _ in 0..n {
                stores.rooms.add_member(room.id, &member(somebody(), 20)).await.unwrap();
            }
            expected.push(Membership { room, member: joined, count: 2 + n as u64 });
        }
        stored_room(&stores, bob).await;
        expected.sort_by_key(|one| Reverse((one.room.created_at, one.room.id)));
        assert_eq!(stores.another_node().rooms.rooms_of(alice).await.unwrap(), expected);
        assert_eq!(stores.rooms.rooms_of(bob).await.unwrap().len(), 6);
        assert!(stores.rooms.rooms_of(somebody()).await.unwrap().is_empty());
    }

    async fn a_room_has_all_of_a_thousand_members(stores: Stores) {
        let alice = somebody();
        let room = stored_room(&stores, alice).await;
        let users: Vec<_> = (1..1000).map(|n| member(somebody(), n)).collect();
        let outcomes = at_once(users.clone().into_iter().enumerate().map(|(n, member)| {
            let node = either_node(&stores, n);
            async move { node.rooms.add_member(room.id, &member).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 999);
        let expected = [vec![member(alice, 0)], users].concat();
        assert_eq!(stores.rooms.room(room.id).await.unwrap(), Some((room.clone(), expected)));
        assert_eq!(stores.rooms.rooms_of(alice).await.unwrap()[0].count, 1000);
        assert!(stores.rooms.close_room(room.id, alice).await.unwrap());
        assert!(stores.rooms.rooms_of(alice).await.unwrap().is_empty());
    }

    async fn somebody_is_in_all_of_a_thousand_rooms(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        at_once((0..1000).map(|n| {
            let node = either_node(&stores, n);
            let room = new_room(alice, n as i64);
            async move {
                node.rooms.insert_room(&room, &member(alice, 0)).await.unwrap();
                if n % 10 == 0 {
                    node.rooms.add_member(room.id, &member(bob, 1)).await.unwrap();
                }
            }
        }))
        .await;
        let rooms = stores.rooms.rooms_of(alice).await.unwrap();
        assert_eq!(rooms.len(), 1000);
        assert!(rooms.is_sorted_by_key(|one| Reverse(one.room.created_at)));
        assert_eq!(rooms.iter().filter(|one| one.count == 2).count(), 100);
        assert_eq!(stores.rooms.rooms_of(bob).await.unwrap().len(), 100);
    }
}
