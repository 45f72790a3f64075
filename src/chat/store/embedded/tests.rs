use futures_util::future;

use super::*;
use crate::chat::model::MessageType;
use crate::store::embedded::scratch::Scratch;
use crate::text::MessageText;

const NOW: Timestamp = Timestamp::from_millis(1_705_314_600_123);

fn message(sender: UserId, receiver: UserId, client_msg_id: Option<&str>) -> NewMessage {
    NewMessage {
        id: MessageId::generate(NOW),
        conversation: ConversationId::of_pair(sender, receiver),
        sender,
        receiver: Some(receiver),
        content: MessageText::parse("hello").unwrap(),
        message_type: MessageType::Text,
        client_msg_id: client_msg_id.map(|id| id.parse().unwrap()),
    }
}

fn pair() -> (UserId, UserId) {
    (UserId::generate(NOW), UserId::generate(NOW))
}

fn stored(result: Result<Appended>) -> StoredMessage {
    match result.unwrap() {
        Appended::Stored(message) => message,
        repeated @ Appended::Repeated(_) => panic!("{repeated:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_in_one_conversation_leave_no_gap() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedChatStore::new(db.clone());
    let (one, other) = pair();
    let tasks = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let batch = (0..4).map(|_| message(one, other, None)).collect();
            store.append(batch, NOW).await.into_iter().map(stored).collect::<Vec<_>>()
        })
    });
    let mut appended: Vec<_> =
        future::join_all(tasks).await.into_iter().flat_map(|task| task.unwrap()).collect();
    appended.sort_by_key(|message| message.seq);
    let seqs: Vec<_> = appended.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=200).collect::<Vec<_>>());
    let conversation = ConversationId::of_pair(one, other);
    assert_eq!(store.range(conversation, 1, 200).await.unwrap(), appended);
}

#[tokio::test]
async fn a_repeat_in_the_same_batch_uses_up_no_seq() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedChatStore::new(db.clone());
    let (one, other) = pair();
    let batch = vec![
        message(one, other, Some("a")),
        message(one, other, Some("a")),
        message(other, one, Some("a")),
        message(one, other, None),
    ];
    let results = store.append(batch, NOW).await;
    let [Ok(Appended::Stored(first)), Ok(Appended::Repeated(again)), Ok(second), Ok(third)] =
        &results[..]
    else {
        panic!("{results:?}")
    };
    assert_eq!(first, again);
    for (appended, seq) in [(second, 2), (third, 3)] {
        assert!(matches!(appended, Appended::Stored(message) if message.seq == seq));
    }
}

#[tokio::test]
async fn a_write_that_is_repeated_stores_nothing_twice() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedChatStore::new(db.clone());
    let (one, other) = pair();
    let new = message(one, other, None);
    let first = store.append(vec![new.clone()], NOW).await.remove(0);
    assert_eq!(store.append(vec![new.clone()], NOW).await, [first]);

    let (stranger, _) = pair();
    let stolen = NewMessage { id: new.id, ..message(stranger, other, None) };
    assert!(store.append(vec![stolen], NOW).await[0].is_err());
    assert_eq!(store.last_seq(new.conversation).await, Ok(1));
    assert_eq!(store.conversations(stranger, None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn time_never_runs_backwards_in_a_conversation() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedChatStore::new(db.clone());
    let (one, other) = pair();
    let earlier = NOW - std::time::Duration::from_secs(5);
    stored(store.append(vec![message(one, other, None)], NOW).await.remove(0));
    let second = stored(store.append(vec![message(one, other, None)], earlier).await.remove(0));
    assert_eq!(second.created_at, NOW);
    assert_eq!(store.conversations(other, None, 10).await.unwrap()[0].updated_at, NOW);
}

#[tokio::test]
async fn a_conversation_stands_once_in_each_inbox_and_moves_up() {
    let db = Scratch::new(MIGRATIONS);
    let store = EmbeddedChatStore::new(db.clone());
    let (me, one) = pair();
    let (two, _) = pair();
    let at = |seconds| NOW + std::time::Duration::from_secs(seconds);
    for (step, peer) in [one, two, one, me, one, me, two].into_iter().enumerate() {
        let batch = vec![message(me, peer, None), message(peer, me, None)];
        store.append(batch, at(step as u64)).await.into_iter().for_each(|one| drop(stored(one)));
    }
    let inbox = store.conversations(me, None, 10).await.unwrap();
    let peers: Vec<_> = inbox.iter().map(|head| (head.peer_of(me), head.updated_at)).collect();
    assert_eq!(peers, [(two, at(6)), (me, at(5)), (one, at(4))]);
    let behind = Some((at(6), inbox[0].id));
    assert_eq!(store.conversations(me, behind, 1).await.unwrap(), inbox[1..2]);
    assert_eq!(store.conversations(one, None, 10).await.unwrap(), inbox[2..]);
}

#[tokio::test]
async fn the_hot_queries_go_by_their_indexes() {
    let db = Scratch::new(MIGRATIONS);
    for (sql, index) in [
        (
            "SELECT content FROM messages WHERE receiver = ?1 AND read_at IS NULL
             AND conversation NOT IN (SELECT unhex(value) FROM json_each(?2))
             ORDER BY conversation, seq",
            "messages_unread (receiver=?)",
        ),
        (
            "UPDATE messages SET read_at = 1 WHERE conversation = ?1 AND receiver = ?2
             AND read_at IS NULL",
            "messages_unread (receiver=? AND conversation=?)",
        ),
        (
            "SELECT count(*) FROM messages WHERE conversation = ?1 AND sender = ?2
             AND seq BETWEEN ?3 AND ?4 AND receiver IS NULL",
            "COVERING INDEX messages_own (conversation=? AND sender=? AND seq>? AND seq<?)",
        ),
        (
            "SELECT no FROM room_reads WHERE room = ?1 AND user = ?2 ORDER BY no DESC LIMIT 1",
            "PRIMARY KEY (room=? AND user=?)",
        ),
        (
            "SELECT content FROM messages WHERE sender = ?1 AND client_msg_id = ?2",
            "messages_client_msg_id (sender=? AND client_msg_id=?)",
        ),
        (
            "SELECT conversation, peer, updated_at FROM inboxes WHERE user = ?1
             AND (updated_at, conversation) < (?2, ?3)
             ORDER BY updated_at DESC, conversation DESC LIMIT ?4",
            "PRIMARY KEY (user=? AND (updated_at,conversation)<(?,?))",
        ),
    ] {
        let plan = db.plan(sql).await;
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
