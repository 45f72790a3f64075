//! The socket events of rooms. `send_message` and `message_read` are in `events`: one-to-one chat
//! has them too.

use std::sync::Arc;

use super::model::Addressee;
use super::requests::{MarkMessagesReadPayload, RoomTypingPayload};
use super::room_wire::{
    JOINED_ROOM, JoinedRoom, MESSAGE_RECEIPT, MESSAGES_READ, Marked, ROOM_MESSAGE, ROOM_TYPING,
};
use super::service::Chat;
use crate::error::Result;
use crate::presence::model::USER_STATUS;
use crate::realtime::events::{Done, ErrorEvent, EventTable, ServerEvent};
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;
use crate::rooms::event_wire::{LEFT_ROOM, LeftRoom, ROOM_UPDATED, USER_JOINED, USER_LEFT};
use crate::rooms::requests::RoomPayload;

const MESSAGE_ERROR: ServerEvent<ErrorEvent> = ServerEvent::reliable("message_error", &["/rooms"]);
const JOIN_ROOM_ERROR: ServerEvent<ErrorEvent> =
    ServerEvent::reliable("join_room_error", &["/rooms"]);

/// What `/rooms` alone understands and emits.
pub fn table(chat: &Arc<Chat>, hub: &Arc<Hub>) -> EventTable {
    let with = || chat.clone();
    EventTable::new(&["/rooms"], &["message_error"])
        .on("join_room", "Lets a member's socket into the room and marks all there as read.", {
            let (chat, hub) = (with(), hub.clone());
            move |session, payload| join_room(chat.clone(), hub.clone(), session, payload)
        })
        .failing_as(&["join_room_error"])
        .on("leave_room", "Lets a socket out of the room; the membership stays.", {
            let chat = with();
            move |session, payload| leave_room(chat.clone(), session, payload)
        })
        .on("typing", "Tells the others in the room that one types, or has stopped.", {
            let chat = with();
            move |session, payload| typing(chat.clone(), session, payload)
        })
        .on("mark_messages_read", "Marks messages of a room as read.", {
            let chat = with();
            move |session, payload| mark_messages_read(chat.clone(), session, payload)
        })
        .emits(&JOINED_ROOM, "To the socket that joined a room.")
        .emits(&LEFT_ROOM, "To a socket that left a room, or was taken out of it.")
        .emits(&ROOM_MESSAGE, "A new message, to every socket in the room.")
        .emits(&ROOM_TYPING, "Somebody in the room types, or has stopped.")
        .emits(&MESSAGE_RECEIPT, "A message was read, to the room and the reader, once.")
        .emits(&MESSAGES_READ, "Messages were read, to the room and the reader, once.")
        .emits(&USER_JOINED, "Somebody came into the room, to the others in it.")
        .emits(&USER_LEFT, "Somebody left the room, to the others in it.")
        .emits(&ROOM_UPDATED, "The room has another name or owner.")
        .emits(&USER_STATUS, "Somebody came online or went offline.")
        .emits(&MESSAGE_ERROR, "An event failed, other than `join_room`.")
        .emits(&JOIN_ROOM_ERROR, "A `join_room` failed.")
}

async fn join_room(
    chat: Arc<Chat>,
    hub: Arc<Hub>,
    session: Arc<Session>,
    payload: RoomPayload,
) -> Result<JoinedRoom> {
    let joined = chat.join_room(&session, payload.parse()?).await?;
    hub.send(&session, &JOINED_ROOM, &joined);
    Ok(joined)
}

async fn leave_room(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: RoomPayload,
) -> Result<LeftRoom> {
    chat.leave_room(&session, payload.parse()?).await
}

async fn typing(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: RoomTypingPayload,
) -> Result<Done> {
    let (room, is_typing) = payload.parse()?;
    match is_typing {
        true => chat.start_typing(&session, Addressee::Room(room)).await?,
        false => chat.stop_typing(&session, Addressee::Room(room)).await?,
    }
    Ok(Done {})
}

async fn mark_messages_read(
    chat: Arc<Chat>,
    session: Arc<Session>,
    payload: MarkMessagesReadPayload,
) -> Result<Marked> {
    let (room, messages) = payload.parse()?;
    let message_count = chat.read_messages(session.caller, room, &messages).await?;
    Ok(Marked { message_count })
}
