//! Reading messages and inboxes: ranges, unread messages, conversations, last messages.

use waggle::chat::model::ReadMark;
use waggle::ids::{ConversationId, MessageId};

use crate::fixture::{append, at, somebody, text};

every_store! {
    async fn a_range_is_what_lies_between_two_numbers(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let conversation = ConversationId::of_pair(alice, bob);
        let sent = append(&stores, [(); 10].map(|()| text(alice, bob, "x")).to_vec(), at(0)).await;
        append(&stores, vec![text(alice, carol, "x")], at(0)).await;
        let range = async |first, last| {
            stores.chat.range(conversation, first, last).await.unwrap()
        };
        assert_eq!(range(3, 5).await, sent[2..5]);
        assert_eq!(range(8, 99).await, sent[7..]);
        assert_eq!(range(i64::MIN, 2).await, sent[..2]);
        assert_eq!(range(4, 4).await, sent[3..4]);
        assert!(range(5, 4).await.is_empty());
        assert!(range(11, 20).await.is_empty());
    }

    async fn what_was_never_sent_is_not_there(stores: Stores) {
        let nowhere = ConversationId::of_pair(somebody(), somebody());
        assert_eq!(stores.chat.message(MessageId::generate(at(0))).await.unwrap(), None);
        assert_eq!(stores.chat.last_seq(nowhere).await.unwrap(), 0);
        assert!(stores.chat.range(nowhere, 0, 10).await.unwrap().is_empty());
        assert!(stores.chat.last_messages(&[nowhere]).await.unwrap().is_empty());
        assert!(stores.chat.last_messages(&[]).await.unwrap().is_empty());
        let nobody = somebody();
        assert!(stores.chat.unread(nobody, &[], 10).await.unwrap().is_empty());
        assert!(stores.chat.unread_counts(nobody).await.unwrap().is_empty());
        assert!(stores.chat.conversations(nobody, None, 10).await.unwrap().is_empty());
    }

    async fn unread_messages_come_by_conversation_and_number(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 3].map(|()| somebody()));
        let mut batch = Vec::new();
        for _ in 0..4 {
            for peer in peers {
                batch.extend([text(peer, alice, "to alice"), text(alice, peer, "from alice")]);
            }
        }
        let mut expected = append(&stores, batch, at(0)).await;
        expected.retain(|message| message.receiver == Some(alice));
        expected.sort_by_key(|message| (message.conversation, message.seq));
        let unread = async |except: &[ConversationId], limit| {
            stores.chat.unread(alice, except, limit).await.unwrap()
        };
        assert_eq!(unread(&[], 100).await, expected);
        assert_eq!(unread(&[], 5).await, expected[..5]);
        assert!(unread(&[], 0).await.is_empty());
        let first = expected[0].conversation;
        assert_eq!(unread(&[first], 100).await, expected[4..]);
        assert_eq!(unread(&[first], 3).await, expected[4..7]);
        stores.chat.mark_read(vec![ReadMark::All { conversation: first, reader: alice }], at(1)).await;
        let one = ReadMark::One { message: expected[5].id, reader: alice };
        stores.chat.mark_read(vec![one], at(1)).await;
        expected.remove(5);
        assert_eq!(unread(&[], 100).await, expected[4..]);
        let mut counts = stores.chat.unread_counts(alice).await.unwrap();
        counts.sort();
        let others = [(expected[4].conversation, 3), (expected[8].conversation, 4)];
        assert_eq!(counts, others);
    }

    async fn the_inbox_is_paged_from_the_last_changed_on(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 9].map(|()| somebody()));
        for (n, peer) in peers.into_iter().enumerate() {
            // Three at a time share their moment.
            append(&stores, vec![text(peer, alice, "x")], at(n as i64 / 3)).await;
            append(&stores, vec![text(peer, somebody(), "not alice's")], at(50)).await;
        }
        append(&stores, vec![text(alice, peers[0], "y")], at(9)).await;
        let whole = stores.chat.conversations(alice, None, 100).await.unwrap();
        assert_eq!(whole.len(), 9);
        assert_eq!(whole[0].peer_of(alice), peers[0]);
        assert!(whole.is_sorted_by(|a, b| (a.updated_at, a.id) > (b.updated_at, b.id)));
        for size in [1, 2, 4] {
            let (mut paged, mut before) = (Vec::new(), None);
            loop {
                let page = stores.chat.conversations(alice, before, size).await.unwrap();
                assert!(page.len() <= size as usize);
                let Some(last) = page.last() else { break };
                before = Some((last.updated_at, last.id));
                paged.extend(page);
            }
            assert_eq!(paged, whole);
        }
        assert!(stores.chat.conversations(alice, None, 0).await.unwrap().is_empty());
    }

    async fn last_messages_are_those_with_the_highest_numbers(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 4].map(|()| somebody()));
        let mut expected = Vec::new();
        for (n, peer) in peers.into_iter().enumerate() {
            let batch = (0..=n).map(|n| text(alice, peer, &format!("{n}"))).collect();
            expected.push(append(&stores, batch, at(0)).await.remove(n));
        }
        let asked: Vec<_> = expected.iter().map(|message| message.conversation).collect();
        let unknown = [ConversationId::of_pair(somebody(), somebody())];
        let mut last =
            stores.chat.last_messages(&[&asked[1..], &unknown].concat()).await.unwrap();
        last.sort_by_key(|message| message.seq);
        assert_eq!(last, expected[1..]);
    }
}
