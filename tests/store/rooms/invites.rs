//! Invites: who can use them, how often, and until when.

use waggle::ids::{InviteId, RoomId};
use waggle::rooms::model::Invite;

use super::{count_true, either_node, new_invite, stored_room};
use crate::fixture::{at, at_once, somebody};

every_store! {
    async fn an_invite_is_found_as_it_was_stored(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        for (user, max_uses, uses) in [
            (None, None, 0),
            (Some(somebody()), None, 3),
            (None, Some(5), 2),
            (Some(somebody()), Some(u32::MAX), u32::MAX - 1),
        ] {
            let invite = Invite { user, max_uses, uses, ..new_invite(room) };
            stores.rooms.insert_invite(&invite).await.unwrap();
            let found = stores.another_node().rooms.invite(invite.id).await.unwrap();
            assert_eq!(found, Some(invite));
        }
    }

    async fn what_was_never_an_invite_is_good_for_nothing(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let unknown = InviteId::generate(at(0));
        assert_eq!(stores.rooms.invite(unknown).await.unwrap(), None);
        assert!(stores.rooms.invites(room, at(0)).await.unwrap().is_empty());
        assert!(!stores.rooms.is_invited(room, somebody(), at(0)).await.unwrap());
        assert!(!stores.rooms.use_invite(unknown, at(0)).await.unwrap());
        assert!(!stores.rooms.revoke_invite(room, unknown).await.unwrap());
    }

    async fn an_invite_to_a_room_that_is_not_there_is_not_kept(stores: Stores) {
        let invite = new_invite(RoomId::generate(at(0)));
        stores.rooms.insert_invite(&invite).await.unwrap();
        assert_eq!(stores.rooms.invite(invite.id).await.unwrap(), None);
        assert!(!stores.rooms.use_invite(invite.id, at(0)).await.unwrap());
    }

    async fn an_invite_that_is_inserted_again_keeps_its_uses(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let invite = Invite { max_uses: Some(2), ..new_invite(room) };
        stores.rooms.insert_invite(&invite).await.unwrap();
        assert!(stores.rooms.use_invite(invite.id, at(1)).await.unwrap());
        stores.another_node().rooms.insert_invite(&invite).await.unwrap();
        let found = stores.rooms.invite(invite.id).await.unwrap();
        assert_eq!(found, Some(Invite { uses: 1, ..invite }));
    }

    async fn an_invite_can_be_used_until_the_moment_it_expires(stores: Stores) {
        let (room, bob) = (stored_room(&stores, somebody()).await.id, somebody());
        let invite = Invite { user: Some(bob), ..new_invite(room) };
        stores.rooms.insert_invite(&invite).await.unwrap();
        for (now, good) in [(0, true), (999, true), (1000, false), (1001, false)] {
            let listed = stores.rooms.invites(room, at(now)).await.unwrap().len();
            assert_eq!(listed, usize::from(good), "{now}");
            assert_eq!(stores.rooms.is_invited(room, bob, at(now)).await.unwrap(), good, "{now}");
            assert_eq!(stores.rooms.use_invite(invite.id, at(now)).await.unwrap(), good, "{now}");
        }
        assert_eq!(stores.rooms.invite(invite.id).await.unwrap().unwrap().uses, 2);
    }

    async fn an_invite_that_is_used_up_is_still_there_but_of_no_use(stores: Stores) {
        let (room, bob) = (stored_room(&stores, somebody()).await.id, somebody());
        let invite = Invite { user: Some(bob), max_uses: Some(2), ..new_invite(room) };
        stores.rooms.insert_invite(&invite).await.unwrap();
        for uses in 1..=2 {
            assert!(stores.rooms.is_invited(room, bob, at(1)).await.unwrap());
            assert!(stores.rooms.use_invite(invite.id, at(1)).await.unwrap());
            let found = stores.another_node().rooms.invite(invite.id).await.unwrap();
            assert_eq!(found, Some(Invite { uses, ..invite.clone() }));
        }
        assert!(!stores.rooms.use_invite(invite.id, at(1)).await.unwrap());
        assert!(!stores.rooms.is_invited(room, bob, at(1)).await.unwrap());
        assert!(stores.rooms.invites(room, at(1)).await.unwrap().is_empty());
        assert_eq!(stores.rooms.invite(invite.id).await.unwrap().unwrap().uses, 2);
    }

    async fn of_a_hundred_who_use_an_invite_for_ten_at_once_ten_can(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let invite = Invite { max_uses: Some(10), ..new_invite(room) };
        stores.rooms.insert_invite(&invite).await.unwrap();
        let outcomes = at_once((0..100).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.use_invite(invite.id, at(1)).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 10);
        assert_eq!(stores.rooms.invite(invite.id).await.unwrap().unwrap().uses, 10);
    }

    async fn an_invite_without_a_limit_counts_each_of_many_uses_at_once(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let invite = new_invite(room).id;
        stores.rooms.insert_invite(&Invite { id: invite, ..new_invite(room) }).await.unwrap();
        let outcomes = at_once((0..50).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.use_invite(invite, at(1)).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 50);
        assert_eq!(stores.rooms.invite(invite).await.unwrap().unwrap().uses, 50);
    }

    async fn the_invites_to_a_room_come_the_newest_first(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let other = stored_room(&stores, somebody()).await.id;
        let mut expected = Vec::new();
        for created in [3, 1, 5, 3, 3] {
            let invite = Invite { created_at: at(created), ..new_invite(room) };
            stores.rooms.insert_invite(&invite).await.unwrap();
            stores.rooms.insert_invite(&new_invite(other)).await.unwrap();
            expected.push(invite);
        }
        expected.sort_by_key(|invite| std::cmp::Reverse((invite.created_at, invite.id)));
        assert_eq!(stores.another_node().rooms.invites(room, at(10)).await.unwrap(), expected);
    }

    async fn only_who_an_invite_is_bound_to_is_invited_and_to_that_room_only(stores: Stores) {
        let (bob, carol) = (somebody(), somebody());
        let room = stored_room(&stores, somebody()).await.id;
        let other = stored_room(&stores, somebody()).await.id;
        stores.rooms.insert_invite(&new_invite(room)).await.unwrap();
        assert!(!stores.rooms.is_invited(room, bob, at(1)).await.unwrap(), "anybody's");
        let bound = Invite { user: Some(bob), ..new_invite(room) };
        let used_up = Invite { uses: 1, max_uses: Some(1), ..bound.clone() };
        let used_up = Invite { id: InviteId::generate(at(0)), ..used_up };
        for invite in [&bound, &used_up] {
            stores.rooms.insert_invite(invite).await.unwrap();
        }
        assert!(stores.another_node().rooms.is_invited(room, bob, at(1)).await.unwrap());
        assert!(!stores.rooms.is_invited(room, carol, at(1)).await.unwrap());
        assert!(!stores.rooms.is_invited(other, bob, at(1)).await.unwrap());
        stores.rooms.revoke_invite(room, bound.id).await.unwrap();
        assert!(!stores.rooms.is_invited(room, bob, at(1)).await.unwrap());
    }

    async fn an_invite_is_revoked_once_by_its_own_room_and_is_gone(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let other = stored_room(&stores, somebody()).await.id;
        let (revoked, kept) = (new_invite(room), new_invite(room));
        for invite in [&revoked, &kept] {
            stores.rooms.insert_invite(invite).await.unwrap();
        }
        assert!(!stores.rooms.revoke_invite(other, revoked.id).await.unwrap());
        let outcomes = at_once((0..20).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.revoke_invite(room, revoked.id).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 1);
        assert_eq!(stores.rooms.invite(revoked.id).await.unwrap(), None);
        assert!(!stores.rooms.use_invite(revoked.id, at(1)).await.unwrap());
        assert_eq!(stores.rooms.invites(room, at(1)).await.unwrap(), [kept]);
    }

    async fn a_new_invite_makes_none_forgotten_that_can_be_used_or_is_anothers(stores: Stores) {
        let room = stored_room(&stores, somebody()).await.id;
        let other = stored_room(&stores, somebody()).await.id;
        let later = Invite { expires_at: at(2000), ..new_invite(room) };
        let last_moment = Invite { expires_at: at(1501), ..new_invite(room) };
        let used_up = Invite { uses: 1, max_uses: Some(1), ..later.clone() };
        let used_up = Invite { id: InviteId::generate(at(0)), ..used_up };
        let elsewhere = new_invite(other);
        let kept = [later, last_moment, used_up, elsewhere];
        for invite in kept.iter().chain([&new_invite(room)]) {
            stores.rooms.insert_invite(invite).await.unwrap();
        }
        let new = Invite { created_at: at(1500), expires_at: at(3000), ..new_invite(room) };
        stores.rooms.insert_invite(&new).await.unwrap();
        for invite in kept.iter().chain([&new]) {
            let found = stores.another_node().rooms.invite(invite.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(invite));
        }
    }
}
