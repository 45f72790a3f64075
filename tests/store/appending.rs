//! Appending messages: numbers, times, heads, concurrency.

use waggle::chat::model::{MessageType, NewMessage, StoredMessage};
use waggle::ids::ConversationId;

use crate::fixture::{append, at, at_once, idempotent, somebody, text, whole};

every_store! {
    async fn a_message_is_found_as_it_was_appended(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let content = format!("1 < 2 & 🐝\n{}", "é".repeat(4900));
        let new = NewMessage {
            message_type: MessageType::Image,
            ..idempotent(alice, bob, &content, &"ü".repeat(64))
        };
        let message = append(&stores, vec![new.clone()], at(5)).await.remove(0);
        let expected = StoredMessage {
            id: new.id,
            conversation: new.conversation,
            seq: 1,
            sender: alice,
            receiver: Some(bob),
            content: new.content,
            message_type: MessageType::Image,
            client_msg_id: new.client_msg_id,
            created_at: at(5),
            read_at: None,
        };
        assert_eq!(message, expected);
        assert_eq!(stores.chat.message(new.id).await.unwrap(), Some(expected.clone()));
        assert_eq!(whole(&stores, new.conversation).await, [expected]);
    }

    async fn nothing_is_appended_for_an_empty_batch(stores: Stores) {
        assert!(stores.chat.append(Vec::new(), at(0)).await.is_empty());
    }

    async fn each_conversation_counts_its_messages_from_one_in_order(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let batch = vec![
            text(alice, bob, "ab 1"),
            text(alice, carol, "ac 1"),
            text(bob, alice, "ab 2"),
            text(carol, bob, "bc 1"),
            text(alice, bob, "ab 3"),
        ];
        let messages = append(&stores, batch.clone(), at(0)).await;
        let placed: Vec<_> = messages.iter().map(|m| (m.id, m.seq)).collect();
        let expected: Vec<_> = batch.iter().map(|m| m.id).zip([1, 1, 2, 1, 3]).collect();
        assert_eq!(placed, expected);
        let next = append(&stores, vec![text(bob, alice, "ab 4")], at(0)).await;
        assert_eq!(next[0].seq, 4);
        let elsewhere = append(&stores.another_node(), vec![text(bob, alice, "ab 5")], at(0)).await;
        assert_eq!(elsewhere[0].seq, 5);
        let back = append(&stores, vec![text(bob, alice, "6"), text(bob, alice, "7")], at(0)).await;
        assert_eq!([back[0].seq, back[1].seq], [6, 7]);
        assert_eq!(whole(&stores, ConversationId::of_pair(alice, bob)).await.len(), 7);
    }

    async fn no_message_is_older_than_the_one_before_it(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let mut times = Vec::new();
        for now in [50, 40, 60, 10] {
            let batch = vec![text(alice, bob, "one"), text(bob, alice, "two")];
            let messages = append(&stores, batch, at(now)).await;
            times.extend(messages.into_iter().map(|message| message.created_at));
        }
        assert_eq!(times, [50, 50, 50, 50, 60, 60, 60, 60].map(at));
        let elsewhere = append(&stores.another_node(), vec![text(alice, bob, "x")], at(1)).await;
        assert_eq!(elsewhere[0].created_at, at(60));
        let other = append(&stores, vec![text(alice, carol, "x")], at(1)).await;
        assert_eq!(other[0].created_at, at(1));
    }

    async fn a_conversation_is_in_both_inboxes_since_its_last_message(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        for (now, expected) in [(50, 50), (80, 80), (70, 80)] {
            append(&stores, vec![text(alice, bob, "hello"), text(bob, alice, "oh")], at(now)).await;
            for (user, peer) in [(alice, bob), (bob, alice)] {
                let inbox = stores.chat.conversations(user, None, 10).await.unwrap();
                assert_eq!(inbox.len(), 1);
                assert_eq!(inbox[0].id, ConversationId::of_pair(alice, bob));
                assert_eq!(inbox[0].peer_of(user), peer);
                assert_eq!(inbox[0].updated_at, at(expected));
            }
        }
    }

    async fn a_large_batch_over_many_conversations_is_stored_whole(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 60].map(|()| somebody()));
        let batch: Vec<_> =
            (0..600).map(|n| text(alice, peers[n * 7 % 60], &format!("{n}"))).collect();
        let messages = append(&stores, batch.clone(), at(0)).await;
        assert!(messages.iter().zip(&batch).all(|(stored, new)| stored.id == new.id));
        for peer in peers {
            assert_eq!(whole(&stores, ConversationId::of_pair(alice, peer)).await.len(), 10);
        }
        assert_eq!(stores.chat.conversations(alice, None, 1000).await.unwrap().len(), 60);
    }

    async fn nodes_that_write_one_conversation_at_once_leave_no_gap(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let written = at_once((0..8).map(|_| {
            let node = stores.another_node();
            async move {
                let mut written = Vec::new();
                for n in 0..50 {
                    let message = text(alice, bob, &format!("{n}"));
                    written.extend(append(&node, vec![message], at(n)).await);
                }
                written
            }
        }))
        .await;
        let stored = whole(&stores, ConversationId::of_pair(alice, bob)).await;
        assert_eq!(stored.len(), 400);
        assert!(stored.is_sorted_by_key(|message| message.created_at));
        let mut acknowledged = written.concat();
        acknowledged.sort_by_key(|message| message.seq);
        assert_eq!(acknowledged, stored);
        for one in written {
            assert!(one.is_sorted_by_key(|message| message.seq));
        }
    }

    async fn nodes_that_write_batches_over_shared_conversations_leave_no_gap(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 5].map(|()| somebody()));
        let written = at_once((0..4).map(|node| {
            let stores = stores.another_node();
            async move {
                let mut written = Vec::new();
                for round in 0..10 {
                    let batch = (0..20).map(|n| text(alice, peers[(n * node + round) % 5], "x"));
                    written.extend(append(&stores, batch.collect(), at(0)).await);
                }
                written.len()
            }
        }))
        .await;
        assert_eq!(written.iter().sum::<usize>(), 800);
        let mut stored = 0;
        for peer in peers {
            stored += whole(&stores, ConversationId::of_pair(alice, peer)).await.len();
        }
        assert_eq!(stored, 800);
    }

    async fn appends_at_once_on_one_node_leave_no_gap(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        at_once((0..20).map(|_| {
            let stores = stores.clone();
            async move { append(&stores, vec![text(alice, bob, "x"); 1], at(0)).await }
        }))
        .await;
        assert_eq!(whole(&stores, ConversationId::of_pair(alice, bob)).await.len(), 20);
    }
}
