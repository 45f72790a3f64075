//! The socket events of one-to-one chat.

use std::sync::Arc;

use serde_json::Value;

use super::requests::{MessageReadPayload, SendMessagePayload, SyncPayload, TypingPayload};
use super::service::Chat;
use super::wire::{
    MESSAGE_READ_RECEIPT, MESSAGE_SENT, MessageSent, RECEIVE_MESSAGE, SYNC, Synced, USER_TYPING,
};
use crate::error::{ErrorBody, Result};
use crate::realtime::events::{Done, EventTable, ServerEvent};
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;

/// What `/chat` understands and emits.
pub fn table(chat: &Arc<Chat>, hub: &Arc<Hub>) -> EventTable {
    let with = || (chat.clone(), hub.clone());
    EventTable::new("/chat", "error")
        .on("send_message", "Sends a message; acknowledged when it is on disk.", {
            let (chat, hub) = with();
            move |session, payload| send_message(chat.clone(), hub.clone(), session, payload)
        })
        .on("typing_start", "Tells the receiver that the sender types; ends by itself.", {
            let (chat, _) = with();
            move |session, payload| typing_start(chat.clone(), session, payload)
        })
        .on("typing_stop", "Tells the receiver that the sender has stopped typing.", {
            let (chat, _) = with();
            move |session, payload| typing_stop(chat.clone(), session, payload)
        })
        .on("message_read", "Marks a message as read, by its receiver.", {
            let (chat, _) = with();
            move |session, payload| message_read(chat.clone(), session, payload)
        })
        .on("sync", "Gives what was missed.", {
            let (chat, _) = with();
            move |session, payload| sync(chat.clone(), session, payload)
        })
        .on_connect({
            let (chat, hub) = with();
            move |session, auth| sync_on_connect(chat.clone(), hub.clone(), session, auth)
        })
        .emits(&MESSAGE_SENT, "To the socket that sent a message: it is on disk.")
        .emits(
            &RECEIVE_MESSAGE,
            "A new message, to the receiver's sockets and the sender's other ones.",
        )
        .emits(&USER_TYPING, "Somebody types, or has stopped.")
        .emits(&MESSAGE_READ_RECEIPT, "A message was read, to its sender, once.")
        .emits(
            &SYNC,
            "What was missed, to a socket that connected with `auth.sync`, before anything live.",
        )
}

async fn send_message(
    chat: Arc<Chat>,
    hub: Arc<Hub>,
    session: Arc<Session>,
    payload: SendMessagePayload,
) -> Result<MessageSent> {
    let (wanted, temp_id) = payload.parse()?;
    let message = chat.send_message(&session, wanted).await?;
    let sent = MessageSent { message, temp_id };
    hub.send(&session, &MESSAGE_SENT, &sent);
    Ok(sent)
}

async fn typing_start(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: TypingPayload,
) -> Result<Done> {
    chat.start_typing(&session, payload.parse()?).await?;
    Ok(Done {})
}

async fn typing_stop(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: TypingPayload,
) -> Result<Done> {
    chat.stop_typing(&session, payload.parse()?).await?;
    Ok(Done {})
}

async fn message_read(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: MessageReadPayload,
) -> Result<Done> {
    let (message, sender) = payload.parse()?;
    chat.read_message(session.caller, message, sender).await?;
    Ok(Done {})
}

async fn sync(chat: Arc<Chat>, session: Arc<Session>, payload: SyncPayload) -> Result<Synced> {
    chat.sync(session.caller, &payload.parse()?).await
}

async fn sync_on_connect(chat: Arc<Chat>, hub: Arc<Hub>, session: Arc<Session>, auth: Value) {
    let Some(asked) = SyncPayload::of_handshake(&auth) else { return };
    let synced = match asked {
        Ok(asked) => chat.sync(session.caller, &asked).await,
        Err(error) => Err(error),
    };
    match synced {
        Ok(synced) => hub.send_first(&session, &SYNC, &synced),
        Err(error) => {
            let failure = ServerEvent::reliable("error", "");
            hub.send_first(&session, &failure, &ErrorBody::from(&error));
        }
    }
}
