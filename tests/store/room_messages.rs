//! Messages of rooms: they share the numbering and the `clientMsgId`s of one-to-one messages, and
//! nothing of what belongs to a receiver.

use waggle::chat::model::NewMessage;
use waggle::chat::store::Appended;
use waggle::ids::{MessageId, RoomId};

use crate::fixture::{append, at, at_once, in_room, somebody, stored, text, whole};

every_store! {
    async fn a_room_numbers_its_messages_beside_other_conversations(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let rooms = [RoomId::generate(at(0)), RoomId::generate(at(0))];
        let batch = vec![
            in_room(rooms[0], alice, "1"),
            text(alice, bob, "x"),
            in_room(rooms[1], bob, "1"),
            in_room(rooms[0], bob, "2"),
        ];
        let sent = append(&stores, batch, at(0)).await;
        let seqs: Vec<i64> = sent.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, [1, 1, 1, 2]);
        let first = whole(&stores, rooms[0].conversation()).await;
        assert_eq!(first, [sent[0].clone(), sent[3].clone()]);
        assert!(first.iter().all(|message| message.room() == Some(rooms[0])));
        assert_eq!(sent[1].room(), None);
    }

    async fn a_message_of_a_room_is_nobodys_unread_one_and_in_no_inbox(stores: Stores) {
        let (alice, room) = (somebody(), RoomId::generate(at(0)));
        append(&stores, vec![in_room(room, alice, "x"), in_room(room, somebody(), "y")], at(0)).await;
        assert!(stores.chat.unread_counts(alice).await.unwrap().is_empty());
        assert!(stores.chat.unread(alice, &[], 10).await.unwrap().is_empty());
        assert!(stores.chat.conversations(alice, None, 10).await.unwrap().is_empty());
        let last = stores.chat.last_messages(&[room.conversation()]).await.unwrap();
        assert_eq!(last.iter().map(|message| message.seq).collect::<Vec<_>>(), [2]);
    }

    async fn a_client_msg_id_is_used_once_in_rooms_and_between_two(stores: Stores) {
        let (alice, bob, room) = (somebody(), somebody(), RoomId::generate(at(0)));
        let again = |message: NewMessage| NewMessage {
            id: MessageId::generate(at(0)),
            client_msg_id: Some("once".parse().unwrap()),
            ..message
        };
        let first = stores.chat.append(vec![again(in_room(room, alice, "x"))], at(0)).await;
        let first = stored(first.into_iter().next().unwrap().unwrap());
        let batch = vec![
            again(in_room(room, alice, "x")),
            again(text(alice, bob, "x")),
            again(in_room(room, bob, "x")),
        ];
        let results = stores.another_node().chat.append(batch, at(1)).await;
        let [Ok(Appended::Repeated(one)), Ok(Appended::Repeated(two)), Ok(Appended::Stored(other))] =
            &results[..]
        else {
            panic!("{results:?}")
        };
        assert_eq!((one, two), (&first, &first));
        assert_eq!(other.seq, 2);
        assert!(stores.chat.conversations(alice, None, 10).await.unwrap().is_empty());
    }

    async fn many_who_write_into_a_room_at_once_leave_no_gap(stores: Stores) {
        let room = RoomId::generate(at(0));
        let nodes = [stores.clone(), stores.another_node()];
        at_once((0..20).map(|n| {
            let node = nodes[n % 2].clone();
            async move {
                let sender = somebody();
                let batch = (0..5).map(|_| in_room(room, sender, "x")).collect();
                append(&node, batch, at(n as i64)).await
            }
        }))
        .await;
        assert_eq!(whole(&stores, room.conversation()).await.len(), 100);
    }

    async fn messages_are_found_by_their_ids(stores: Stores) {
        let (alice, room) = (somebody(), RoomId::generate(at(0)));
        let batch = vec![in_room(room, alice, "x"), text(alice, somebody(), "y")];
        let sent = append(&stores, batch, at(0)).await;
        let ids = [sent[1].id, MessageId::generate(at(0)), sent[0].id];
        let mut found = stores.chat.messages(&ids).await.unwrap();
        found.sort_by_key(|message| message.id);
        assert_eq!(found, sent);
        assert!(stores.chat.messages(&[]).await.unwrap().is_empty());
    }

    async fn ones_own_messages_in_a_room_are_counted_by_place(stores: Stores) {
        let (alice, bob, room) = (somebody(), somebody(), RoomId::generate(at(0)));
        let senders = [alice, bob, alice, alice, bob];
        append(&stores, senders.map(|sender| in_room(room, sender, "x")).to_vec(), at(0)).await;
        let count = |user, first, last| {
            let chat = stores.chat.clone();
            async move { chat.count_own(room, user, first, last).await.unwrap() }
        };
        assert_eq!(count(alice, 1, 5).await, 3);
        assert_eq!(count(alice, 2, 3).await, 1);
        assert_eq!(count(bob, 1, 2).await, 1);
        assert_eq!(count(bob, 3, 4).await, 0);
        assert_eq!(count(somebody(), 1, 5).await, 0);
    }
}
