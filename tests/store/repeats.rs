//! Sends that are repeated: one stored message each, however and wherever they are repeated.

use waggle::chat::model::NewMessage;
use waggle::chat::store::Appended;
use waggle::ids::ConversationId;

use crate::fixture::{append, at, at_once, idempotent, repeated, somebody, stored, text, whole};

every_store! {
    async fn a_repeat_answers_with_the_message_stored_first(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let first = append(&stores, vec![idempotent(alice, bob, "hello", "m1")], at(0)).await;
        for node in [stores.clone(), stores.another_node()] {
            let again = idempotent(alice, bob, "something else", "m1");
            let answer = node.chat.append(vec![again], at(9)).await.remove(0).unwrap();
            assert_eq!(repeated(answer), first[0]);
        }
        assert_eq!(whole(&stores, first[0].conversation).await, first);
    }

    async fn a_repeat_is_one_whoever_it_is_addressed_to(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let first = append(&stores, vec![idempotent(alice, bob, "hello", "m1")], at(0)).await;
        let other = vec![idempotent(alice, carol, "hello", "m1")];
        let answer = stores.chat.append(other, at(9)).await.remove(0).unwrap();
        assert_eq!(repeated(answer), first[0]);
        assert!(whole(&stores, ConversationId::of_pair(alice, carol)).await.is_empty());
    }

    async fn the_same_id_from_another_sender_or_in_another_case_is_no_repeat(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let batch = vec![
            idempotent(alice, bob, "hello", "m1"),
            idempotent(bob, alice, "hello", "m1"),
            idempotent(alice, bob, "hello", "M1"),
            idempotent(alice, bob, "hello", "m1 "),
        ];
        assert_eq!(append(&stores, batch, at(0)).await.len(), 4);
    }

    async fn a_repeat_within_a_batch_is_stored_once(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let batch = vec![
            idempotent(alice, bob, "hello", "m1"),
            text(alice, bob, "between"),
            idempotent(alice, bob, "hello", "m1"),
            idempotent(alice, bob, "after", "m2"),
            idempotent(alice, bob, "hello", "m1"),
        ];
        let results: Vec<_> =
            stores.chat.append(batch, at(0)).await.into_iter().map(Result::unwrap).collect();
        let first = stored(results[0].clone());
        assert_eq!(repeated(results[2].clone()), first);
        assert_eq!(repeated(results[4].clone()), first);
        assert_eq!(stored(results[3].clone()).seq, 3);
        assert_eq!(whole(&stores, first.conversation).await.len(), 3);
    }

    async fn repeats_among_new_messages_leave_no_gap(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        let old: Vec<_> =
            (0..10).map(|n| idempotent(alice, bob, &format!("{n}"), &format!("{n}"))).collect();
        let first = append(&stores, old.clone(), at(0)).await;
        let again = |old: &NewMessage| NewMessage { id: text(alice, bob, "x").id, ..old.clone() };
        let mut batch = Vec::new();
        for (n, old) in old.iter().enumerate() {
            batch.push(text(bob, alice, "new"));
            batch.push(again(old));
            batch.push(idempotent(alice, carol, "new", &format!("new {n}")));
            batch.push(again(old));
        }
        // The node that stored them, and one that has never heard of them.
        for (round, node) in [stores.clone(), stores.another_node()].into_iter().enumerate() {
            let mut batch = batch.clone();
            for message in batch.iter_mut().filter(|m| m.content.as_str() == "new") {
                let fresh = text(message.sender, message.receiver.unwrap(), "new");
                let client_msg_id = message.client_msg_id.take().map(|id| {
                    format!("{} in {round}", id.as_str()).parse().unwrap()
                });
                *message = NewMessage { client_msg_id, ..fresh };
            }
            let results = node.chat.append(batch, at(1)).await;
            for (n, four) in results.chunks(4).enumerate() {
                stored(four[0].clone().unwrap());
                assert_eq!(repeated(four[1].clone().unwrap()), first[n]);
                stored(four[2].clone().unwrap());
                assert_eq!(repeated(four[3].clone().unwrap()), first[n]);
            }
        }
        assert_eq!(whole(&stores, ConversationId::of_pair(alice, bob)).await.len(), 30);
        assert_eq!(whole(&stores, ConversationId::of_pair(alice, carol)).await.len(), 20);
    }

    async fn of_one_send_that_arrives_everywhere_at_once_one_is_stored(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let nodes = [stores.another_node(), stores.another_node(), stores.another_node()];
        for round in 0..5 {
            let answers = at_once((0..24).map(|n| {
                let node = nodes[n % 3].clone();
                let send = idempotent(alice, bob, "hello", &format!("m{round}"));
                async move { node.chat.append(vec![send], at(0)).await.remove(0).unwrap() }
            }))
            .await;
            let (new, repeats): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|answer| matches!(answer, Appended::Stored(_)));
            assert_eq!((new.len(), repeats.len()), (1, 23));
            let new = stored(new.into_iter().next().unwrap());
            assert!(repeats.into_iter().all(|answer| repeated(answer) == new));
            assert_eq!(whole(&stores, new.conversation).await.len(), round + 1);
        }
    }

    async fn batches_of_the_same_sends_at_once_store_each_once(stores: Stores) {
        let (alice, peers) = (somebody(), [(); 3].map(|()| somebody()));
        let answers = at_once((0..6).map(|task| {
            let node = stores.another_node();
            async move {
                let sends = (0..60).map(|n| {
                    let n = if task % 2 == 0 { n } else { 59 - n };
                    idempotent(alice, peers[n % 3], "hello", &format!("{n}"))
                });
                let results = node.chat.append(sends.collect(), at(0)).await;
                let new = |r: &Result<_, _>| matches!(r.as_ref().unwrap(), Appended::Stored(_));
                results.iter().filter(|result| new(result)).count()
            }
        }))
        .await;
        assert_eq!(answers.iter().sum::<usize>(), 60);
        for peer in peers {
            assert_eq!(whole(&stores, ConversationId::of_pair(alice, peer)).await.len(), 20);
        }
    }

    async fn a_repeat_does_not_move_a_conversation_in_an_inbox(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        append(&stores, vec![idempotent(alice, bob, "hello", "m1")], at(10)).await;
        append(&stores, vec![text(alice, carol, "later")], at(20)).await;
        for node in [stores.clone(), stores.another_node()] {
            for addressee in [bob, carol] {
                let again = vec![idempotent(alice, addressee, "hello", "m1")];
                repeated(node.chat.append(again, at(30)).await.remove(0).unwrap());
            }
        }
        let inbox = stores.chat.conversations(alice, None, 10).await.unwrap();
        let times: Vec<_> =
            inbox.iter().map(|head| (head.peer_of(alice), head.updated_at)).collect();
        assert_eq!(times, [(carol, at(20)), (bob, at(10))]);
    }

    async fn a_repeat_puts_nobody_into_an_inbox(stores: Stores) {
        let (alice, bob, carol) = (somebody(), somebody(), somebody());
        append(&stores, vec![idempotent(alice, bob, "hello", "m1")], at(10)).await;
        for node in [stores.clone(), stores.another_node()] {
            let again = vec![idempotent(alice, carol, "hello", "m1")];
            repeated(node.chat.append(again, at(30)).await.remove(0).unwrap());
        }
        assert!(stores.chat.conversations(carol, None, 10).await.unwrap().is_empty());
    }
}
