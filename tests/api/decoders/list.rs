//! What is read from strangers: each event's payload and each body of REST, from bytes to the checked request. The
//! property tests and the fuzz targets both read this list.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use waggle::admin::requests as admin;
use waggle::auth::requests as auth;
use waggle::chat::requests as chat;
use waggle::clock::Timestamp;
use waggle::drivers::{requests as drivers, v1 as app};
use waggle::error::{Error, ErrorBody, Result, from_json, from_value};
use waggle::orders::{requests as orders, v1 as office};
use waggle::presence::model as presence;
use waggle::rooms::requests as rooms;
use waggle::tracking::watch::wire as watch;
use waggle::users::model as users;

type Check<T> = Box<dyn Fn(&T) -> Result<()>>;

/// One of them.
pub(crate) struct Decoder {
    /// The name of the type in the documents.
    pub(crate) name: String,
    /// The names of its fields.
    pub(crate) fields: Vec<String>,
    /// Of an event, whose payload is JSON already.
    pub(crate) of_value: Check<Value>,
    /// Of a body.
    pub(crate) of_bytes: Check<Vec<u8>>,
}

fn decoder<T, U>(check: impl Fn(T) -> Result<U> + Copy + 'static) -> Decoder
where
    T: DeserializeOwned + ToSchema + 'static,
{
    let schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
    let fields = schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys());
    Decoder {
        name: T::name().into_owned(),
        fields: fields.cloned().collect(),
        of_value: Box::new(move |value| from_value(value.clone()).and_then(check).map(drop)),
        of_bytes: Box::new(move |bytes| from_json(bytes).and_then(check).map(drop)),
    }
}

/// All of them. What is checked by code that is not public is tested beside that code too.
pub(crate) fn decoders() -> Vec<Decoder> {
    let now = Timestamp::from_millis(1_747_758_600_000);
    vec![
        decoder(|body: auth::RegisterBody| auth::Register::try_from(body)),
        decoder(|body: auth::LoginBody| auth::LogIn::try_from(body)),
        decoder(Ok::<auth::RefreshBody, Error>),
        decoder(Ok::<auth::LogoutBody, Error>),
        decoder(Ok::<auth::ForgotPasswordBody, Error>),
        decoder(Ok::<auth::ResetPasswordBody, Error>),
        decoder(Ok::<auth::ExtendSocket, Error>),
        decoder(|body: users::ProfileBody| users::ProfileChange::try_from(body)),
        decoder(admin::BanBody::parse),
        decoder(|payload: chat::SendMessagePayload| payload.parse(chat::Kinds::of("/"))),
        decoder(chat::MessageReadPayload::parse),
        decoder(chat::MarkMessagesReadPayload::parse),
        decoder(chat::TypingPayload::parse),
        decoder(chat::RoomTypingPayload::parse),
        decoder(chat::SyncPayload::parse),
        decoder(presence::UserIds::parse),
        decoder(rooms::CreateRoomBody::parse),
        decoder(rooms::ChangeRoomBody::parse),
        decoder(rooms::InviteBody::parse),
        decoder(rooms::ChangeRoleBody::parse),
        decoder(rooms::RoomPayload::parse),
        decoder(orders::PlaceOrderBody::parse),
        decoder(orders::OrderPayload::parse),
        decoder(orders::ReasonPayload::parse),
        decoder(orders::ReasonBody::parse),
        decoder(orders::UpdateStatusPayload::parse),
        decoder(orders::StatusBody::parse),
        decoder(orders::AssignBody::parse),
        decoder(Ok::<office::CreateOrderBody, Error>),
        decoder(office::NameOrder::parse),
        decoder(office::PoolBody::parse),
        decoder(drivers::AvailabilityPayload::parse),
        decoder(move |payload: drivers::LocationPayload| payload.parse(now)),
        decoder(move |batch: drivers::LocationBatch| batch.parse(now)),
        decoder(app::OnlineBody::parse),
        decoder(move |place: watch::LatLong| place.parse(now)),
        decoder(watch::WatchPayload::parse),
        decoder(Ok::<watch::AuthPayload, Error>),
    ]
}

/// Bytes that a client may be made to receive for a bad request, whatever it sent.
const MOST_OF_AN_ERROR: usize = 64 * 1024;

/// Whether a decoder answered as it may: with a request, or with an error of the client's that is no larger than it
/// needs to be.
pub(crate) fn is_an_answer(outcome: &Result<()>) -> bool {
    let Err(error) = outcome else { return true };
    let shown = serde_json::to_string(&Shown { error: error.into() }).expect("an error is JSON");
    matches!(error.code.word(), "validation_failed" | "malformed")
        && shown.len() <= MOST_OF_AN_ERROR
}

#[derive(Serialize)]
struct Shown<'a> {
    error: ErrorBody<'a>,
}
