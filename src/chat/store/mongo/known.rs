//! Messages of a batch that are stored already: repeats, and earlier tries whose answer was lost.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use quick_cache::sync::Cache;

use super::MongoChatStore;
use super::batch::{Batch, Pending};
use super::rows::MessageRow;
use crate::chat::model::{NewMessage, StoredMessage};
use crate::chat::store::Appended;
use crate::ids::UserId;
use crate::store::mongo::operation::bounded;
use crate::text::IdempotencyKey;

/// Sends remembered, some 30 bytes each.
const REMEMBERED: usize = 100_000;

/// Which sends this node stored lately, by a hash: enough to expect a repeat.
#[derive(Debug, Clone)]
pub(super) struct Recent(Arc<Cache<u64, ()>>);

impl Recent {
    pub(super) fn new() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }

    pub(super) fn remember(&self, message: &StoredMessage) {
        if let Some(id) = &message.client_msg_id {
            self.0.insert(hash(message.sender, id), ());
        }
    }

    fn knows(&self, sender: UserId, id: &IdempotencyKey) -> bool {
        self.0.contains_key(&hash(sender, id))
    }
}

fn hash(sender: UserId, id: &IdempotencyKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sender, id).hash(&mut hasher);
    hasher.finish()
}

/// Settles the repeats that can be expected: of what this node stored lately, and, where it does
/// not know the conversation, of what another node or an earlier run may have stored.
///
/// The unique index would find them too, but only after the conversation has been put into
/// inboxes, at the top of them; asking about every message would cost more than it is worth.
pub(super) async fn settle_expected(
    store: &MongoChatStore,
    batch: &mut Batch,
    limit: Duration,
) -> mongodb::error::Result<()> {
    let may_repeat = |message: &NewMessage| {
        message.client_msg_id.as_ref().is_some_and(|id| {
            !store.heads.knows(message.conversation) || store.recent.knows(message.sender, id)
        })
    };
    if batch.pending().iter().any(|pending| may_repeat(&pending.message)) {
        settle_known(store, batch, may_repeat, limit).await?;
    }
    Ok(())
}

/// Settles those of the pending messages that `suspected` picks and that are stored already;
/// whether there were any.
pub(super) async fn settle_known(
    store: &MongoChatStore,
    batch: &mut Batch,
    suspected: impl Fn(&NewMessage) -> bool + Sync,
    limit: Duration,
) -> mongodb::error::Result<bool> {
    let messages = batch.pending().iter().map(|Pending { message, .. }| message);
    let known = find_known(store, messages.filter(|message| suspected(message)), limit).await?;
    for message in &known {
        store.heads.forget(message.conversation);
    }
    let own: HashMap<_, _> = known.iter().map(|message| (message.id, message)).collect();
    let first: HashMap<(UserId, &IdempotencyKey), _> =
        known.iter().filter_map(|m| Some(((m.sender, m.client_msg_id.as_ref()?), m))).collect();
    batch.settle_known(|message| {
        let stored = own.get(&message.id).map(|own| Appended::Stored((*own).clone()));
        let repeat = || {
            let key = (message.sender, message.client_msg_id.as_ref()?);
            first.get(&key).map(|first| Appended::Repeated((*first).clone()))
        };
        stored.or_else(repeat)
    });
    Ok(!known.is_empty())
}

async fn find_known(
    store: &MongoChatStore,
    suspects: impl Iterator<Item = &NewMessage> + Send,
    limit: Duration,
) -> mongodb::error::Result<Vec<StoredMessage>> {
    let mut ids: Vec<ObjectId> = Vec::new();
    let mut by_sender: HashMap<UserId, HashSet<&str>> = HashMap::new();
    for message in suspects {
        ids.push(message.id.into());
        if let Some(id) = &message.client_msg_id {
            by_sender.entry(message.sender).or_default().insert(id.as_str());
        }
    }
    let mut any = vec![doc! { "_id": { "$in": ids } }];
    any.extend(by_sender.into_iter().map(|(sender, ids)| {
        doc! { "senderId": sender, "clientMsgId": { "$in": ids.into_iter().collect::<Vec<_>>() } }
    }));
    let (messages, committed) = (store.messages.clone(), store.db.committed());
    let found: Vec<MessageRow> = bounded(limit, async move {
        // What is answered as stored must be durable, whoever wrote it.
        messages.find(doc! { "$or": any }).read_concern(committed).await?.try_collect().await
    })
    .await?;
    Ok(found.into_iter().map(StoredMessage::from).collect())
}
