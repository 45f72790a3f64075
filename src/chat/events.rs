//! The socket events of chat: those of both kinds of conversation, and those of one-to-one chat.

use std::sync::Arc;

use serde_json::Value;

use super::model::Addressee;
use super::requests::{Kinds, MessageReadPayload, SendMessagePayload, SyncPayload, TypingPayload};
use super::service::Chat;
use super::wire::{
    MESSAGE_READ_RECEIPT, MESSAGE_SENT, MessageSent, RECEIVE_MESSAGE, SYNC, Synced, USER_TYPING,
};
use crate::error::Result;
use crate::realtime::events::{Done, EVERYWHERE, EventTable, Failure, ServerEvent};
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;

/// What `/chat` and `/rooms` both understand and emit, and `/` for both.
pub fn shared_table(chat: &Arc<Chat>, hub: &Arc<Hub>) -> EventTable {
    let with = || (chat.clone(), hub.clone());
    EventTable::new(&["/chat", "/rooms"], &["error", "message_error"])
        .on("send_message", "Sends a message to a user or a room; acknowledged when on disk.", {
            let (chat, hub) = with();
            move |session, payload| send_message(chat.clone(), hub.clone(), session, payload)
        })
        .failing_by(failures)
        .on("message_read", "Marks a message as read, by somebody it was for.", {
            let (chat, _) = with();
            move |session, payload| message_read(chat.clone(), session, payload)
        })
        .failing_by(failures)
        .on("sync", "Gives what was missed.", {
            let (chat, _) = with();
            move |session, payload| sync(chat.clone(), session, payload)
        })
        .failing_by(|namespace, _| Kinds::of(namespace).failures(false, true))
        .on_connect({
            let (chat, hub) = with();
            move |session, auth| sync_on_connect(chat.clone(), hub.clone(), session, auth)
        })
        .emits(&MESSAGE_SENT, "To the socket that sent a message: it is on disk.")
        .emits(
            &SYNC,
            "What was missed, to a socket that connected with `auth.sync`, before anything live.",
        )
}

/// What `/chat` alone understands and emits.
pub fn table(chat: &Arc<Chat>) -> EventTable {
    EventTable::new(&["/chat"], &["error"])
        .on("typing_start", "Tells the receiver that the sender types; ends by itself.", {
            let chat = chat.clone();
            move |session, payload| typing_start(chat.clone(), session, payload)
        })
        .on("typing_stop", "Tells the receiver that the sender has stopped typing.", {
            let chat = chat.clone();
            move |session, payload| typing_stop(chat.clone(), session, payload)
        })
        .emits(
            &RECEIVE_MESSAGE,
            "A new message, to the receiver's sockets and the sender's other ones.",
        )
        .emits(&USER_TYPING, "Somebody types, or has stopped.")
        .emits(&MESSAGE_READ_RECEIPT, "A message was read, to its sender, once.")
}

/// A surface's own error event where it is clear which surface was meant.
fn failures(namespace: &str, payload: &Value) -> &'static [&'static str] {
    let names = |field| payload.get(field).is_some_and(|value| !value.is_null());
    Kinds::of(namespace).failures(names("roomId"), names("receiverId") || names("senderId"))
}

async fn send_message(
    chat: Arc<Chat>,
    hub: Arc<Hub>,
    session: Arc<Session>,
    payload: SendMessagePayload,
) -> Result<MessageSent> {
    let (wanted, temp_id) = payload.parse(Kinds::of(session.namespace))?;
    // Clients of rooms take `receive_message` for the answer, unless they named a `tempId`.
    let confirms = matches!(wanted.to, Addressee::User(_)) || temp_id.is_some();
    let message = chat.send_message(&session, wanted).await?;
    let sent = MessageSent { message, temp_id };
    if confirms {
        hub.send(&session, &MESSAGE_SENT, &sent);
    }
    Ok(sent)
}

async fn typing_start(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: TypingPayload,
) -> Result<Done> {
    chat.start_typing(&session, Addressee::User(payload.parse()?)).await?;
    Ok(Done {})
}

async fn typing_stop(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: TypingPayload,
) -> Result<Done> {
    chat.stop_typing(&session, Addressee::User(payload.parse()?)).await?;
    Ok(Done {})
}

async fn message_read(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: MessageReadPayload,
) -> Result<Done> {
    chat.read_message(session.caller, Kinds::of(session.namespace), payload.parse()?).await?;
    Ok(Done {})
}

async fn sync(chat: Arc<Chat>, session: Arc<Session>, payload: SyncPayload) -> Result<Synced> {
    chat.sync(session.caller, Kinds::of(session.namespace), &payload.parse()?).await
}

async fn sync_on_connect(chat: Arc<Chat>, hub: Arc<Hub>, session: Arc<Session>, auth: Value) {
    let Some(asked) = SyncPayload::of_handshake(&auth) else { return };
    let kinds = Kinds::of(session.namespace);
    let synced = match asked {
        Ok(asked) => chat.sync(session.caller, kinds, &asked).await,
        Err(error) => Err(error),
    };
    match synced {
        Ok(synced) => hub.send_first(&session, &SYNC, &synced),
        Err(error) => {
            for name in kinds.failures(false, true) {
                let failure = ServerEvent::reliable(name, EVERYWHERE);
                hub.send_first(&session, &failure, &Failure::from(&error));
            }
        }
    }
}
