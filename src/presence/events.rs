//! The socket events of presence.

use std::sync::Arc;

use super::model::{Subscribed, USER_STATUS, UserIds};
use super::service::Presence;
use crate::realtime::events::{Done, EventTable};

/// What `/presence` understands and emits.
pub fn table(presence: &Arc<Presence>) -> EventTable {
    let (subscribing, unsubscribing) = (presence.clone(), presence.clone());
    EventTable::new(&["/presence"], &["error"])
        .on("presence_subscribe", "Tells the state of these users now, then their changes.", {
            move |session, payload: UserIds| {
                let presence = subscribing.clone();
                async move {
                    let users = payload.parse()?;
                    Ok(Subscribed { presence: presence.subscribe(&session, &users).await? })
                }
            }
        })
        .on("presence_unsubscribe", "Ends what `presence_subscribe` began.", {
            move |session, payload: UserIds| {
                let presence = unsubscribing.clone();
                async move {
                    presence.unsubscribe(&session, &payload.parse()?);
                    Ok(Done {})
                }
            }
        })
        .emits(&USER_STATUS, "Somebody came or went.")
}
