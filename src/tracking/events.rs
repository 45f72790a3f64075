//! The socket events of following orders.

use std::sync::Arc;

use super::fleet::FLEET_LOCATION;
use super::service::Tracking;
use super::wire::{DRIVER_LOCATION, Tracked};
use crate::drivers::wire::{ADMIN_SOCKET, ADMIN_SOCKET_AT};
use crate::error::Result;
use crate::orders::requests::OrderPayload;
use crate::realtime::events::{Done, EventTable};
use crate::realtime::session::Session;

/// What `/orders` and `/` understand and emit of following.
pub fn table(tracking: &Arc<Tracking>) -> EventTable {
    EventTable::new(&["/orders"], &["orderError"])
        .on("trackOrder", "Follows an order: how far it comes, where its driver is.", {
            let tracking = tracking.clone();
            move |session, payload| track(tracking.clone(), session, payload)
        })
        .on("untrackOrder", "Follows an order no longer.", {
            let tracking = tracking.clone();
            move |session, payload| untrack(tracking.clone(), session, payload)
        })
        .emits(&DRIVER_LOCATION, "Where the driver of an order is, to those who follow it.")
}

/// What the raw WebSocket of the back office emits of drivers.
pub fn admin_table() -> EventTable {
    EventTable::new(&[ADMIN_SOCKET], &["error"])
        .at(ADMIN_SOCKET_AT.0, ADMIN_SOCKET_AT.1)
        .emits(&FLEET_LOCATION, "A driver is somewhere, or at something else.")
}

async fn track(
    tracking: Arc<Tracking>,
    session: Arc<Session>,
    payload: OrderPayload,
) -> Result<Tracked> {
    tracking.count(session.caller)?;
    tracking.track(&session, payload.parse()?).await
}

async fn untrack(
    tracking: Arc<Tracking>,
    session: Arc<Session>,
    payload: OrderPayload,
) -> Result<Done> {
    tracking.untrack(&session, payload.parse()?).await?;
    Ok(Done {})
}
