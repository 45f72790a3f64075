//! Rooms: inserting, finding, changing, handing over, closing.

mod invites;
mod members;

use waggle::ids::{InviteId, RoomId, UserId};
use waggle::rooms::model::{Invite, Member, Room, RoomChange};
use waggle::text::{Description, DisplayName};

use crate::fixture::{Stores, at, at_once, somebody};

/// A room to be stored, created at this time.
fn new_room(owner: UserId, created: i64) -> Room {
    Room {
        id: RoomId::generate(at(created)),
        name: DisplayName::parse("Bees").unwrap(),
        description: None,
        is_private: false,
        owner,
        created_at: at(created),
        of_order: None,
    }
}

/// A member from this time on.
fn member(user: UserId, joined: i64) -> Member {
    Member { user, is_admin: false, joined_at: at(joined), since: joined * 10 }
}

/// An invite for anybody, any number of times, until `at(1000)`.
fn new_invite(room: RoomId) -> Invite {
    Invite {
        id: InviteId::generate(at(0)),
        room,
        created_by: somebody(),
        user: None,
        max_uses: None,
        uses: 0,
        created_at: at(0),
        expires_at: at(1000),
    }
}

/// A room in the store, with nobody but its owner, who came at `at(0)`.
async fn stored_room(stores: &Stores, owner: UserId) -> Room {
    let room = new_room(owner, 0);
    stores.rooms.insert_room(&room, &member(owner, 0)).await.unwrap();
    room
}

/// This node for every other number, else another one.
fn either_node(stores: &Stores, n: usize) -> Stores {
    if n.is_multiple_of(2) { stores.clone() } else { stores.another_node() }
}

fn count_true(outcomes: &[bool]) -> usize {
    outcomes.iter().filter(|did| **did).count()
}

every_store! {
    async fn a_room_is_found_as_it_was_stored_with_its_owner(stores: Stores) {
        let alice = somebody();
        let plain = new_room(alice, 1);
        let full = Room {
            name: DisplayName::parse("Bienenstöcke 🐝").unwrap(),
            description: Description::parse_or_none("Was summt, \"und\" warum").unwrap(),
            is_private: true,
            ..new_room(alice, 2)
        };
        let owner = Member { is_admin: true, since: 7, ..member(alice, 3) };
        for room in [&plain, &full] {
            stores.rooms.insert_room(room, &owner).await.unwrap();
            let found = stores.another_node().rooms.room(room.id).await.unwrap();
            assert_eq!(found, Some((room.clone(), vec![owner])));
        }
    }

    async fn without_a_room_there_is_nothing_to_find_or_to_change(stores: Stores) {
        stored_room(&stores, somebody()).await;
        let (nowhere, alice, bob) = (RoomId::generate(at(0)), somebody(), somebody());
        let rooms = &stores.rooms;
        assert_eq!(rooms.room(nowhere).await.unwrap(), None);
        assert!(rooms.rooms_of(alice).await.unwrap().is_empty());
        let change = RoomChange { is_private: Some(true), ..RoomChange::default() };
        for change in [change, RoomChange::default()] {
            assert_eq!(rooms.change_room(nowhere, &change).await.unwrap(), None);
        }
        assert!(!rooms.change_owner(nowhere, alice, bob).await.unwrap());
        assert!(!rooms.close_room(nowhere, alice).await.unwrap());
        assert!(!rooms.add_member(nowhere, &member(alice, 0)).await.unwrap());
        assert!(!rooms.set_admin(nowhere, alice, true).await.unwrap());
        assert!(!rooms.remove_member(nowhere, alice).await.unwrap());
        assert!(rooms.rooms_of(alice).await.unwrap().is_empty());
        assert_eq!(rooms.room(nowhere).await.unwrap(), None);
    }

    async fn a_room_that_is_inserted_again_stays_as_it_is(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let room = stored_room(&stores, alice).await;
        stores.rooms.add_member(room.id, &member(bob, 1)).await.unwrap();
        stores.rooms.change_owner(room.id, alice, bob).await.unwrap();
        let change = RoomChange {
            name: Some(DisplayName::parse("Wasps").unwrap()), ..RoomChange::default()
        };
        stores.rooms.change_room(room.id, &change).await.unwrap();
        stores.rooms.remove_member(room.id, alice).await.unwrap();
        let before = stores.rooms.room(room.id).await.unwrap();
        stores.another_node().rooms.insert_room(&room, &member(alice, 0)).await.unwrap();
        assert_eq!(stores.rooms.room(room.id).await.unwrap(), before);
        assert_eq!(before.unwrap().1, [member(bob, 1)]);
    }

    async fn a_room_that_is_inserted_many_times_at_once_is_there_once(stores: Stores) {
        let alice = somebody();
        let room = new_room(alice, 0);
        at_once((0..20).map(|n| {
            let (node, room) = (either_node(&stores, n), room.clone());
            async move { node.rooms.insert_room(&room, &member(alice, 0)).await.unwrap() }
        }))
        .await;
        let found = stores.rooms.room(room.id).await.unwrap();
        assert_eq!(found, Some((room, vec![member(alice, 0)])));
        assert_eq!(stores.rooms.rooms_of(alice).await.unwrap().len(), 1);
    }

    async fn a_change_changes_what_it_names_in_that_room_only(stores: Stores) {
        let alice = somebody();
        let (mut room, other) = (stored_room(&stores, alice).await, stored_room(&stores, alice).await);
        let text = |text| Description::parse_or_none(text).unwrap();
        let none = RoomChange::default;
        for change in [
            RoomChange { description: Some(text("All of it")), ..none() },
            RoomChange { name: Some(DisplayName::parse("Hive").unwrap()), ..none() },
            RoomChange { is_private: Some(true), ..none() },
            none(),
            RoomChange { description: Some(text("Less")), is_private: Some(false), ..none() },
            RoomChange { description: Some(None), name: Some(room.name.clone()), ..none() },
            RoomChange { description: Some(None), ..none() },
        ] {
            room.name = change.name.clone().unwrap_or(room.name);
            room.description = change.description.clone().unwrap_or(room.description);
            room.is_private = change.is_private.unwrap_or(room.is_private);
            let changed = stores.rooms.change_room(room.id, &change).await.unwrap();
            assert_eq!(changed.as_ref(), Some(&room), "{change:?}");
            let found = stores.another_node().rooms.room(room.id).await.unwrap();
            assert_eq!(found.unwrap().0, room, "{change:?}");
        }
        assert_eq!(stores.rooms.room(other.id).await.unwrap().unwrap().0, other);
    }

    async fn only_the_owner_hands_over(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let (room, other) = (stored_room(&stores, alice).await, stored_room(&stores, alice).await);
        let owner = async |id| stores.rooms.room(id).await.unwrap().unwrap().0.owner;
        assert!(!stores.rooms.change_owner(room.id, bob, carol).await.unwrap());
        assert_eq!(owner(room.id).await, alice);
        assert!(stores.rooms.change_owner(room.id, alice, bob).await.unwrap());
        assert!(!stores.rooms.change_owner(room.id, alice, carol).await.unwrap());
        assert_eq!(owner(room.id).await, bob);
        assert!(stores.rooms.change_owner(room.id, bob, bob).await.unwrap(), "bob is the owner");
        assert_eq!(owner(other.id).await, alice);
    }

    async fn of_many_hand_overs_at_once_one_happens(stores: Stores) {
        let alice = somebody();
        let room = stored_room(&stores, alice).await.id;
        let outcomes = at_once((0..20).map(|n| {
            let (node, heir) = (either_node(&stores, n), somebody());
            async move { (heir, node.rooms.change_owner(room, alice, heir).await.unwrap()) }
        }))
        .await;
        let heirs: Vec<_> = outcomes.into_iter().filter(|(_, did)| *did).collect();
        let owner = stores.rooms.room(room).await.unwrap().unwrap().0.owner;
        assert_eq!(heirs, [(owner, true)]);
    }

    async fn a_closed_room_is_gone_with_its_members_and_invites(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let (closed, open) = (stored_room(&stores, alice).await, stored_room(&stores, alice).await);
        let mut invites = Vec::new();
        for room in [&closed, &open] {
            stores.rooms.add_member(room.id, &member(bob, 1)).await.unwrap();
            let invite = Invite { user: Some(somebody()), ..new_invite(room.id) };
            stores.rooms.insert_invite(&invite).await.unwrap();
            invites.push(invite);
        }
        assert!(stores.rooms.close_room(closed.id, alice).await.unwrap());
        assert!(!stores.rooms.close_room(closed.id, alice).await.unwrap());

        let node = stores.another_node();
        assert_eq!(node.rooms.room(closed.id).await.unwrap(), None);
        assert_eq!(node.rooms.invite(invites[0].id).await.unwrap(), None);
        assert!(node.rooms.invites(closed.id, at(0)).await.unwrap().is_empty());
        assert!(!node.rooms.is_invited(closed.id, invites[0].user.unwrap(), at(0)).await.unwrap());
        assert!(!node.rooms.use_invite(invites[0].id, at(0)).await.unwrap());
        assert!(!node.rooms.remove_member(closed.id, bob).await.unwrap());
        assert_eq!(node.rooms.room(open.id).await.unwrap().unwrap().1.len(), 2);
        assert_eq!(node.rooms.invite(invites[1].id).await.unwrap().as_ref(), Some(&invites[1]));
        for user in [alice, bob] {
            let rooms = node.rooms.rooms_of(user).await.unwrap();
            assert_eq!(rooms.iter().map(|one| one.room.id).collect::<Vec<_>>(), [open.id]);
        }
    }

    async fn of_many_who_close_a_room_at_once_one_does(stores: Stores) {
        let alice = somebody();
        let room = stored_room(&stores, alice).await.id;
        assert!(!stores.rooms.close_room(room, somebody()).await.unwrap(), "not the owner");
        let outcomes = at_once((0..20).map(|n| {
            let node = either_node(&stores, n);
            async move { node.rooms.close_room(room, alice).await.unwrap() }
        }))
        .await;
        assert_eq!(count_true(&outcomes), 1);
    }

    async fn what_is_added_while_a_room_closes_goes_with_it(stores: Stores) {
        for round in 0..5 {
            let alice = somebody();
            let room = stored_room(&stores, alice).await.id;
            let added = at_once((0..20).map(|n| {
                let (node, user, invite) = (either_node(&stores, n), somebody(), new_invite(room));
                async move {
                    // Among the others, each time somewhere else.
                    if n == round * 4 {
                        assert!(node.rooms.close_room(room, alice).await.unwrap());
                    }
                    node.rooms.insert_invite(&invite).await.unwrap();
                    node.rooms.add_member(room, &member(user, 1)).await.unwrap();
                    (user, invite.id)
                }
            }))
            .await;
            assert_eq!(stores.rooms.room(room).await.unwrap(), None);
            for (user, invite) in added {
                assert!(stores.rooms.rooms_of(user).await.unwrap().is_empty());
                assert!(!stores.rooms.remove_member(room, user).await.unwrap());
                assert_eq!(stores.rooms.invite(invite).await.unwrap(), None);
            }
        }
    }
}
