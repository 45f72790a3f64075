//! The frames of seed 000's WebSocket.

use std::sync::Arc;

use super::service::Watching;
use super::wire::{AuthPayload, LOCATION, LOCATION_SOCKET, LatLong, OFFLINE, WatchPayload};
use crate::error::{Error, Fields, Result};
use crate::realtime::events::{Done, EventTable};
use crate::realtime::session::Session;

/// What the raw WebSocket at `/` understands and emits.
pub fn table(watching: &Arc<Watching>) -> EventTable {
    EventTable::new(&[LOCATION_SOCKET], &["error"])
        .at("/", "A raw WebSocket for one driver's dashboard; frames are flat: `{type, …}` from the client, the payload alone from the server, errors `{error, code}`.")
        .on("auth", "Says who the client is; must come first. No answer means yes.", {
            let watching = watching.clone();
            move |session, payload| authenticate(watching.clone(), session, payload)
        })
        .on("locationUpdate", "Says where the driver is.", {
            let watching = watching.clone();
            move |session, payload| update_location(watching.clone(), session, payload)
        })
        .on("watch", "Watches a driver: where they are, at once and from here on.", {
            let watching = watching.clone();
            move |session, payload| watch(watching.clone(), session, payload)
        })
        .on("unwatch", "Watches a driver no longer.", {
            let watching = watching.clone();
            move |session, payload| unwatch(watching.clone(), session, payload)
        })
        .emits(&LOCATION, "Where a watched driver is; the frame is the payload.")
        .emits(&OFFLINE, "A watched driver is offline; the frame is the payload.")
}

async fn authenticate(
    watching: Arc<Watching>,
    session: Arc<Session>,
    payload: AuthPayload,
) -> Result<Done> {
    let mut fields = Fields::new();
    let token = fields.require("token", payload.token, Ok::<_, Error>);
    watching.authenticate_again(&session, &fields.into_result(token)?).await?;
    Ok(Done {})
}

async fn update_location(
    watching: Arc<Watching>,
    session: Arc<Session>,
    payload: LatLong,
) -> Result<Done> {
    let drivers = watching.drivers();
    drivers.report_location(session.caller, payload.parse(drivers.now())?).await?;
    Ok(Done {})
}

async fn watch(
    watching: Arc<Watching>,
    session: Arc<Session>,
    payload: WatchPayload,
) -> Result<Done> {
    watching.watch(&session, &payload.parse()?).await?;
    Ok(Done {})
}

async fn unwatch(
    watching: Arc<Watching>,
    session: Arc<Session>,
    payload: WatchPayload,
) -> Result<Done> {
    watching.unwatch(&session, &payload.parse()?).await?;
    Ok(Done {})
}
