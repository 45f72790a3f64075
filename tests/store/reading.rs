//! Marking messages as read.

use waggle::chat::model::{ReadMark, StoredMessage};
use waggle::clock::Timestamp;
use waggle::ids::{ConversationId, MessageId};

use crate::fixture::{Stores, append, at, at_once, somebody, text};

async fn mark(stores: &Stores, batch: Vec<ReadMark>, now: Timestamp) -> Vec<Vec<StoredMessage>> {
    let results = stores.chat.mark_read(batch, now).await;
    results.into_iter().map(Result::unwrap).collect()
}

fn seqs(messages: &[StoredMessage]) -> Vec<i64> {
    messages.iter().map(|message| message.seq).collect()
}

every_store! {
    async fn a_message_is_marked_once_and_by_its_receiver_only(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let sent = append(&stores, vec![text(alice, bob, "hello"); 1], at(0)).await.remove(0);
        for stranger in [alice, carol] {
            let none = mark(&stores, vec![ReadMark::One { message: sent.id, reader: stranger }], at(1));
            assert_eq!(none.await, [vec![]]);
        }
        let by_bob = ReadMark::One { message: sent.id, reader: bob };
        let read = StoredMessage { read_at: Some(at(2)), ..sent.clone() };
        assert_eq!(mark(&stores, vec![by_bob], at(2)).await, [vec![read.clone()]]);
        assert_eq!(mark(&stores, vec![by_bob], at(3)).await, [vec![]]);
        assert_eq!(stores.chat.message(sent.id).await.unwrap(), Some(read));
    }

    async fn nothing_is_marked_of_what_is_not_there(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let marks = vec![
            ReadMark::One { message: MessageId::generate(at(0)), reader: alice },
            ReadMark::All { conversation: ConversationId::of_pair(alice, bob), reader: alice },
        ];
        assert_eq!(mark(&stores, marks, at(1)).await, [vec![], vec![]]);
        assert!(mark(&stores, Vec::new(), at(1)).await.is_empty());
    }

    async fn a_conversation_is_marked_in_order_without_ones_own_messages(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let mut batch = Vec::new();
        for _ in 0..10 {
            batch.extend([text(alice, bob, "x"), text(bob, alice, "y"), text(carol, bob, "z")]);
        }
        let sent = append(&stores, batch, at(0)).await;
        let early = ReadMark::One { message: sent[6].id, reader: bob };
        mark(&stores, vec![early], at(1)).await;
        let all = ReadMark::All { conversation: ConversationId::of_pair(alice, bob), reader: bob };
        let marked = mark(&stores, vec![all], at(2)).await;
        assert_eq!(seqs(&marked[0]), [1, 3, 7, 9, 11, 13, 15, 17, 19]);
        assert!(marked[0].iter().all(|m| m.receiver == Some(bob) && m.read_at == Some(at(2))));
        assert_eq!(mark(&stores, vec![all], at(3)).await, [vec![]]);
        let carols = ConversationId::of_pair(carol, bob);
        assert_eq!(stores.chat.unread_counts(bob).await.unwrap(), [(carols, 10)]);
        let alices = ConversationId::of_pair(alice, bob);
        assert_eq!(stores.chat.unread_counts(alice).await.unwrap(), [(alices, 10)]);
    }

    async fn a_message_named_twice_in_a_batch_is_reported_once(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let sent = append(&stores, [(); 4].map(|()| text(alice, bob, "x")).to_vec(), at(0)).await;
        let one = |n: usize| ReadMark::One { message: sent[n].id, reader: bob };
        let not_his = ReadMark::One { message: sent[1].id, reader: alice };
        let all = ReadMark::All { conversation: sent[0].conversation, reader: bob };
        let marks = vec![one(2), not_his, one(2), all, all, one(0)];
        let marked = mark(&stores, marks, at(1)).await;
        let reported: Vec<Vec<i64>> = marked.iter().map(|marked| seqs(marked)).collect();
        assert_eq!(reported, [vec![3], vec![], vec![], vec![1, 2, 4], vec![], vec![]]);
    }

    async fn a_batch_marks_for_many_readers(stores: Stores) {
        let (alice, readers) = (somebody(), [(); 20].map(|()| somebody()));
        let batch = readers.iter().flat_map(|&r| [text(alice, r, "1"), text(alice, r, "2")]);
        append(&stores, batch.collect(), at(0)).await;
        let all = |reader| {
            ReadMark::All { conversation: ConversationId::of_pair(alice, reader), reader }
        };
        let marked = mark(&stores, readers.map(all).to_vec(), at(1)).await;
        for (marked, reader) in marked.iter().zip(readers) {
            assert_eq!(seqs(marked), [1, 2]);
            assert!(marked.iter().all(|message| message.receiver == Some(reader)));
        }
    }

    async fn what_many_mark_at_once_is_reported_once(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let sent = append(&stores, [(); 40].map(|()| text(alice, bob, "x")).to_vec(), at(0)).await;
        let conversation = sent[0].conversation;
        let nodes = [stores.clone(), stores.clone(), stores.another_node()];
        let reports = at_once((0..18).map(|n| {
            let node = nodes[n % 3].clone();
            let marks: Vec<_> = if n % 2 == 0 {
                vec![ReadMark::All { conversation, reader: bob }]
            } else {
                let some = sent.iter().skip(n);
                some.map(|m| ReadMark::One { message: m.id, reader: bob }).collect()
            };
            async move { mark(&node, marks, at(n as i64)).await.concat() }
        }))
        .await;
        let mut reported: Vec<_> = reports.concat();
        reported.sort_by_key(|message| message.seq);
        assert_eq!(seqs(&reported), (1..=40).collect::<Vec<_>>());
        for message in reported {
            assert_eq!(stores.chat.message(message.id).await.unwrap(), Some(message));
        }
    }
}
