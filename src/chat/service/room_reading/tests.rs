//! The writer against a set of numbers: two of them on one store, as two nodes would be.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::chat::model::{MessageType, NewMessage};
use crate::chat::store::embedded::{EmbeddedChatStore, MIGRATIONS};
use crate::store::embedded::scratch::Scratch;
use crate::text::MessageText;

const NOW: Timestamp = Timestamp::from_millis(1_705_314_600_123);

/// One step: messages that come, or reads on one of two nodes, all in one batch.
#[derive(Debug, Clone)]
enum Step {
    Write { own: bool, count: usize },
    Read { node: usize, ranges: Vec<(i64, i64)> },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (any::<bool>(), prop_oneof![8 => 1..5_usize, 1 => 250..300_usize]);
    let range = (0..600_i64, 1..12_i64);
    let read = (0..2_usize, prop::collection::vec(range, 1..6));
    let step = prop_oneof![
        3 => write.prop_map(|(own, count)| Step::Write { own, count }),
        4 => read.prop_map(|(node, ranges)| Step::Read { node, ranges }),
    ];
    prop::collection::vec(step, 1..40)
}

struct World {
    store: Arc<dyn ChatStore>,
    nodes: [Writer; 2],
    room: RoomId,
    reader: UserId,
    other: UserId,
    /// Which messages the reader wrote.
    own: Vec<bool>,
    read: HashSet<i64>,
}

impl World {
    fn new(store: Arc<dyn ChatStore>) -> Self {
        let clock = Clock::manual(NOW);
        let nodes = [(); 2].map(|()| Writer::new(&store, &clock));
        let [reader, other] = [(); 2].map(|()| UserId::generate(NOW));
        let room = RoomId::generate(NOW);
        Self { store, nodes, room, reader, other, own: Vec::new(), read: HashSet::new() }
    }

    async fn write(&mut self, own: bool, count: usize) {
        let sender = if own { self.reader } else { self.other };
        let message = || NewMessage {
            id: MessageId::generate(NOW),
            conversation: self.room.conversation(),
            sender,
            receiver: None,
            content: MessageText::parse("x").unwrap(),
            message_type: MessageType::Text,
            client_msg_id: None,
        };
        let batch = (0..count).map(|_| message()).collect();
        assert!(self.store.append(batch, NOW).await.iter().all(Result::is_ok));
        self.own.extend(vec![own; count]);
    }

    fn mark(&self, first: i64, last: i64) -> ReadInRoom {
        let (room, user) = (self.room, self.reader);
        let ranges = vec![SeqRange { first, last }];
        ReadInRoom { room, user, since: 0, ranges, by_others: false }
    }

    /// Reads all of `ranges` on one node, and checks what is said to have been unread.
    async fn read(&mut self, node: usize, ranges: &[(i64, i64)]) {
        let last = self.own.len() as i64;
        let ranges: Vec<_> = ranges
            .iter()
            .map(|&(from, length)| (from % last + 1, (from % last + length).min(last)))
            .collect();
        let batch = ranges.iter().map(|&(first, last)| self.mark(first, last)).collect();
        let told = self.nodes[node].write(batch).await;
        for (told, (first, last)) in told.into_iter().zip(ranges) {
            let unread = |seq: &i64| !self.own[*seq as usize - 1] && !self.read.contains(seq);
            let new: Vec<_> = (first..=last).filter(unread).collect();
            assert_eq!(told.unwrap().count, new.len() as i64, "{first}..={last}");
            self.read.extend(new);
        }
    }

    async fn progress(&self) -> Progress {
        let found = self.store.progress(self.room, &[self.reader]).await.unwrap();
        current(found.first().map(|(_, progress)| *progress), 0)
    }

    async fn check_unread(&self) {
        let (last, progress) = (self.own.len() as i64, self.progress().await);
        let own = self.store.count_own(self.room, self.reader, progress.done + 1, last);
        let told = last - progress.done - own.await.unwrap() - progress.ahead;
        let unread = (1..=last).filter(|seq| !self.own[*seq as usize - 1]);
        assert_eq!(told, unread.filter(|seq| !self.read.contains(seq)).count() as i64);
    }

    async fn run(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Write { own, count } => self.write(*own, *count).await,
                Step::Read { .. } if self.own.is_empty() => {}
                Step::Read { node, ranges } => self.read(*node, ranges).await,
            }
            self.check_unread().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_read_on_two_nodes_is_counted_once() {
    let db = Scratch::new(MIGRATIONS);
    let store: Arc<dyn ChatStore> = Arc::new(EmbeddedChatStore::new(db.clone()));
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..40 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        println!("{steps:?}");
        World::new(store.clone()).run(&steps).await;
    }
}

#[tokio::test]
async fn who_has_read_everything_is_behind_nothing_however_much_they_wrote() {
    let db = Scratch::new(MIGRATIONS);
    let mut world = World::new(Arc::new(EmbeddedChatStore::new(db.clone())));
    for _ in 0..3 {
        world.write(true, 300).await;
        world.write(false, 1).await;
        let newest = world.own.len() as i64;
        world.read(0, &[(newest - 1, 1)]).await;
        world.write(false, 1).await;
        world.read(0, &[(0, newest + 1)]).await;
        assert_eq!(world.progress().await.done, newest + 1);
        assert_eq!(world.progress().await.ahead, 0);
    }
}

#[tokio::test]
async fn many_reads_of_one_member_in_one_batch_count_each_message_once() {
    let db = Scratch::new(MIGRATIONS);
    let mut world = World::new(Arc::new(EmbeddedChatStore::new(db.clone())));
    world.write(false, 50).await;
    let ranges: Vec<_> = (0..50).map(|from| (from, 3)).chain([(0, 50)]).collect();
    world.read(0, &ranges).await;
    assert_eq!(world.progress().await.done, 50);
}

#[test]
fn numbers_form_rows() {
    let row = |first, last| SeqRange { first, last };
    assert_eq!(rows_of(vec![7, 3, 1, 2, 9, 8]), [row(1, 3), row(7, 9)]);
    assert!(rows_of(Vec::new()).is_empty());
}

#[test]
fn reads_of_an_earlier_membership_count_for_nothing() {
    let progress = Progress { no: 4, done: 10, top: 12, ahead: 1 };
    assert_eq!(current(Some(progress), 5), progress);
    let again = Progress { no: 4, done: 12, top: 12, ahead: 0 };
    assert_eq!(current(Some(progress), 12), again);
    assert_eq!(current(None, 3), Progress { no: 0, done: 3, top: 3, ahead: 0 });
}
