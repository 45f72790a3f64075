//! The stores under test, and the macro that runs a test on each kind.

use std::sync::Arc;

use waggle::auth::model::NewAccount;
use waggle::auth::store::AuthStore;
use waggle::caller::Role;
use waggle::chat::model::{MessageType, NewMessage, StoredMessage};
use waggle::chat::store::{Appended, ChatStore};
use waggle::clock::Timestamp;
use waggle::drivers::store::DriverStore;
use waggle::ids::{ConversationId, MessageId, RoomId, UserId};
use waggle::orders::store::OrderStore;
use waggle::presence::store::PresenceStore;
use waggle::privacy::store::ErasureStore;
use waggle::rooms::store::RoomStore;
use waggle::text::MessageText;
use waggle::users::store::UserStore;

/// Every store of one node, on a database that no other test uses.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) auth: Arc<dyn AuthStore>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) presence: Arc<dyn PresenceStore>,
    pub(crate) chat: Arc<dyn ChatStore>,
    pub(crate) rooms: Arc<dyn RoomStore>,
    pub(crate) drivers: Arc<dyn DriverStore>,
    pub(crate) orders: Arc<dyn OrderStore>,
    pub(crate) erasures: Arc<dyn ErasureStore>,
    /// The stores of another node on the same database.
    pub(crate) another: Arc<dyn Fn() -> Stores + Send + Sync>,
}

impl Stores {
    pub(crate) fn another_node(&self) -> Self {
        (self.another)()
    }
}

/// Runs each function on every kind of store, each time on a database of its own.
macro_rules! every_store {
    ($(async fn $name:ident($stores:ident: Stores) $body:block)*) => {
        $(async fn $name($stores: crate::fixture::Stores) $body)*

        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::embedded::run(super::$name).await;
                }
            )*
        }

        mod mongo {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::mongo::run(super::$name).await;
                }
            )*
        }
    };
}

/// The moment `millis` after some morning.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_747_758_600_000 + millis)
}

/// Somebody new.
pub(crate) fn somebody() -> UserId {
    UserId::generate(at(0))
}

/// An account to be stored, with an address made of the name.
pub(crate) fn new_account(username: &str, role: Role) -> NewAccount {
    NewAccount {
        id: somebody(),
        username: username.parse().unwrap(),
        email: format!("{username}@example.com").parse().unwrap(),
        name: None,
        image: None,
        role,
        password_hash: "$2b$hash".to_owned(),
        created_at: at(0),
    }
}

/// A message without a `clientMsgId`.
pub(crate) fn text(sender: UserId, receiver: UserId, content: &str) -> NewMessage {
    NewMessage {
        id: MessageId::generate(at(0)),
        conversation: ConversationId::of_pair(sender, receiver),
        sender,
        receiver: Some(receiver),
        content: MessageText::parse(content).unwrap(),
        message_type: MessageType::Text,
        client_msg_id: None,
    }
}

/// A message to a room.
pub(crate) fn in_room(room: RoomId, sender: UserId, content: &str) -> NewMessage {
    NewMessage {
        conversation: room.conversation(),
        receiver: None,
        ..text(sender, sender, content)
    }
}

/// A message that may be sent again.
pub(crate) fn idempotent(sender: UserId, receiver: UserId, content: &str, id: &str) -> NewMessage {
    NewMessage { client_msg_id: Some(id.parse().unwrap()), ..text(sender, receiver, content) }
}

/// Appends messages of which each must be new, and gives them as stored.
pub(crate) async fn append(
    stores: &Stores,
    batch: Vec<NewMessage>,
    now: Timestamp,
) -> Vec<StoredMessage> {
    let results = stores.chat.append(batch, now).await;
    results.into_iter().map(|result| stored(result.unwrap())).collect()
}

/// The message, if it is new.
#[track_caller]
pub(crate) fn stored(appended: Appended) -> StoredMessage {
    match appended {
        Appended::Stored(message) => message,
        Appended::Repeated(message) => panic!("{message:?} should have been new"),
    }
}

/// The message, if it was stored before.
#[track_caller]
pub(crate) fn repeated(appended: Appended) -> StoredMessage {
    match appended {
        Appended::Repeated(message) => message,
        Appended::Stored(message) => panic!("{message:?} should have been a repeat"),
    }
}

/// What the conversation holds, which must be numbered from 1 without gaps.
pub(crate) async fn whole(stores: &Stores, conversation: ConversationId) -> Vec<StoredMessage> {
    let messages = stores.chat.range(conversation, 0, i64::MAX).await.unwrap();
    let numbers: Vec<i64> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(numbers, (1..=messages.len() as i64).collect::<Vec<_>>());
    assert_eq!(stores.chat.last_seq(conversation).await.unwrap(), messages.len() as i64);
    messages
}

/// Runs many at once and gives what they return.
pub(crate) async fn at_once<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    futures_util::future::try_join_all(running).await.unwrap()
}
