//! What is kept of a person, as the document of an export shows it.

use serde::Serialize;

use crate::auth::model::{Account, Ban, Login};
use crate::caller::Role;
use crate::chat::message_wire::DELETED;
use crate::chat::model::{ConversationHead, MessageType, RoomRead, StoredMessage};
use crate::clock::Timestamp;
use crate::drivers::model::Fix;
use crate::ids::{ConversationId, LoginId, MessageId, RoomId, UserId};
use crate::money::Money;
use crate::orders::model::Order;
use crate::orders::wire::OrderView;
use crate::rooms::model::{Membership, RoomRole};
use crate::text::Description;

/// An account without its hash.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountView<'a> {
    id: UserId,
    username: &'a str,
    email: &'a str,
    name: Option<&'a str>,
    image: Option<&'a str>,
    role: Role,
    driver_number: Option<i64>,
    created_at: Timestamp,
    ban: Option<BanView<'a>>,
}

/// A ban without who banned: that is theirs.
#[derive(Serialize)]
struct BanView<'a> {
    at: Timestamp,
    reason: Option<&'a str>,
}

impl<'a> From<&'a Ban> for BanView<'a> {
    fn from(ban: &'a Ban) -> Self {
        Self { at: ban.at, reason: ban.reason.as_ref().map(Description::as_str) }
    }
}

impl<'a> From<&'a Account> for AccountView<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            id: account.id,
            username: &account.username,
            email: &account.email,
            name: account.name.as_deref(),
            image: account.image.as_deref(),
            role: account.role,
            driver_number: account.driver_number,
            created_at: account.created_at,
            ban: account.ban.as_deref().map(BanView::from),
        }
    }
}

/// A login session without its tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginView {
    pub(super) id: LoginId,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl From<&Login> for LoginView {
    fn from(login: &Login) -> Self {
        Self { id: login.id, created_at: login.created_at, ended_at: login.ended_at }
    }
}

/// A room that the user is in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MembershipView<'a> {
    id: RoomId,
    name: &'a str,
    description: Option<&'a str>,
    is_private: bool,
    role: RoomRole,
    joined_at: Timestamp,
}

impl<'a> From<&'a Membership> for MembershipView<'a> {
    fn from(Membership { room, member, .. }: &'a Membership) -> Self {
        Self {
            id: room.id,
            name: room.name.as_str(),
            description: room.description.as_ref().map(|text| text.as_str()),
            is_private: room.is_private,
            role: room.role_of(member),
            joined_at: member.joined_at,
        }
    }
}

/// A one-to-one conversation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversationView {
    id: ConversationId,
    peer_id: UserId,
    updated_at: Timestamp,
}

impl ConversationView {
    pub(super) fn new(head: &ConversationHead, user: UserId) -> Self {
        Self { id: head.id, peer_id: head.peer_of(user), updated_at: head.updated_at }
    }
}

/// A message of either kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageView<'a> {
    id: MessageId,
    conversation_id: ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    seq: i64,
    sender_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_id: Option<UserId>,
    content: &'a str,
    message_type: MessageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_deleted: bool,
}

impl<'a> From<&'a StoredMessage> for MessageView<'a> {
    fn from(message: &'a StoredMessage) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation,
            room_id: message.room(),
            seq: message.seq,
            sender_id: message.sender,
            receiver_id: message.receiver,
            content: if message.is_deleted() { DELETED } else { message.content.as_str() },
            message_type: message.message_type,
            client_msg_id: message.client_msg_id.as_ref().map(|key| key.as_str()),
            created_at: message.created_at,
            read_at: message.read_at,
            is_deleted: message.is_deleted(),
        }
    }
}

/// Messages of a room, by `seq`, that the user read at once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadView {
    room_id: RoomId,
    first_seq: i64,
    last_seq: i64,
    read_at: Timestamp,
}

impl From<&RoomRead> for ReadView {
    fn from(read: &RoomRead) -> Self {
        let stretch = read.stretch;
        let (first_seq, last_seq) = (stretch.first, stretch.last);
        Self { room_id: read.room, first_seq, last_seq, read_at: read.read_at }
    }
}

/// An order, and who receives it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnOrder {
    #[serde(flatten)]
    order: OrderView,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_phone: Option<String>,
}

impl From<&Order> for OwnOrder {
    fn from(order: &Order) -> Self {
        let contact = order.contents.contact.as_ref();
        let name = contact.and_then(|contact| contact.name.as_ref());
        let phone = contact.and_then(|contact| contact.phone.as_ref());
        Self {
            order: OrderView::new(order, None),
            contact_name: name.map(|name| name.as_str().to_owned()),
            contact_phone: phone.map(|phone| phone.as_str().to_owned()),
        }
    }
}

/// A position.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FixView {
    latitude: f64,
    longitude: f64,
    accuracy: Option<f64>,
    heading: Option<f64>,
    speed: Option<f64>,
    battery_level: Option<f64>,
    timestamp: Timestamp,
    received_at: Timestamp,
}

impl From<&Fix> for FixView {
    fn from(fix: &Fix) -> Self {
        Self {
            latitude: fix.point.latitude(),
            longitude: fix.point.longitude(),
            accuracy: fix.accuracy,
            heading: fix.heading,
            speed: fix.speed,
            battery_level: fix.battery,
            timestamp: fix.at,
            received_at: fix.received_at,
        }
    }
}

/// What a driver earned on one day, UTC.
#[derive(Serialize)]
pub(super) struct DayView {
    pub(super) date: String,
    pub(super) total: Money,
    pub(super) orders: u64,
}
