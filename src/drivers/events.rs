//! The socket events of drivers.

use std::sync::Arc;

use super::requests::{AvailabilityPayload, LocationPayload};
use super::service::{Drivers, must_drive};
use super::wire::{
    ADMIN_SOCKET, ADMIN_SOCKET_AT, Availability, CONNECTED, Connected, DRIVER_SOCKET,
    DRIVER_SOCKET_AT, PONG, Pong,
};
use crate::error::Result;
use crate::realtime::events::{Done, EventTable, Nothing};
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;

/// What `/orders` and `/` understand and emit of drivers.
pub fn table(drivers: &Arc<Drivers>, hub: &Arc<Hub>) -> EventTable {
    EventTable::new(&["/orders"], &["orderError"])
        .on("setAvailability", "Says whether the driver is offered new orders.", {
            let drivers = drivers.clone();
            move |session, payload| set_availability(drivers.clone(), session, payload)
        })
        .on("location_update", "Says where the driver is; acknowledged when on disk.", {
            let (drivers, hub) = (drivers.clone(), hub.clone());
            move |session, payload| location_update(drivers.clone(), hub.clone(), session, payload)
        })
        .on("ping", "Asks for `pong`.", {
            let hub = hub.clone();
            move |session, payload| ping(hub.clone(), session, payload)
        })
        .emits(&PONG, "The answer to `ping`.")
}

/// What the driver app's raw WebSocket understands and emits of drivers (seed 002).
pub fn socket_table(drivers: &Arc<Drivers>, hub: &Arc<Hub>) -> EventTable {
    EventTable::new(&[DRIVER_SOCKET], &["error"])
        .at(DRIVER_SOCKET_AT.0, DRIVER_SOCKET_AT.1)
        .on("location_update", "Says where the driver is; on disk within a second.", {
            let (drivers, hub) = (drivers.clone(), hub.clone());
            move |session, payload| report_location(drivers.clone(), hub.clone(), session, payload)
        })
        .on("ping", "Asks for `pong`.", {
            let hub = hub.clone();
            move |session, payload| ping(hub.clone(), session, payload)
        })
        .on_connect({
            let drivers = drivers.clone();
            move |session, _| greet(drivers.clone(), session)
        })
        .emits(&CONNECTED, "The socket is connected; comes first.")
        .emits(&PONG, "The answer to `ping`.")
}

/// What the raw WebSocket of the back office understands and emits that is of no domain.
pub fn admin_table(hub: &Arc<Hub>) -> EventTable {
    EventTable::new(&[ADMIN_SOCKET], &["error"])
        .at(ADMIN_SOCKET_AT.0, ADMIN_SOCKET_AT.1)
        .on("ping", "Asks for `pong`.", {
            let hub = hub.clone();
            move |session, payload| pong(hub.clone(), session, payload)
        })
        .on_connect({
            let hub = hub.clone();
            move |session, _| {
                let connected = Connected { driver_id: None, server_time: hub.clock().now() };
                hub.send_first(&session, &CONNECTED, &connected);
                std::future::ready(())
            }
        })
        .emits(&CONNECTED, "The socket is connected; comes first.")
        .emits(&PONG, "The answer to `ping`.")
}

async fn set_availability(
    drivers: Arc<Drivers>,
    session: Arc<Session>,
    payload: AvailabilityPayload,
) -> Result<Availability> {
    must_drive(session.caller)?;
    drivers.count(session.caller)?;
    let available = payload.parse()?;
    drivers.set_availability(session.caller, available).await?;
    Ok(Availability { available })
}

async fn location_update(
    drivers: Arc<Drivers>,
    hub: Arc<Hub>,
    session: Arc<Session>,
    payload: LocationPayload,
) -> Result<Done> {
    must_drive(session.caller)?;
    drivers.update_location(session.caller, payload.parse(hub.clock().now())?).await?;
    Ok(Done {})
}

async fn report_location(
    drivers: Arc<Drivers>,
    hub: Arc<Hub>,
    session: Arc<Session>,
    payload: LocationPayload,
) -> Result<Done> {
    drivers.report_location(session.caller, payload.parse(hub.clock().now())?).await?;
    Ok(Done {})
}

async fn greet(drivers: Arc<Drivers>, session: Arc<Session>) {
    if let Err(error) = drivers.greet(&session).await {
        tracing::warn!(%error, driver = %session.caller.user, "a driver was not greeted, cut");
        session.cut();
    }
}

async fn ping(hub: Arc<Hub>, session: Arc<Session>, payload: Nothing) -> Result<Pong> {
    must_drive(session.caller)?;
    pong(hub, session, payload).await
}

async fn pong(hub: Arc<Hub>, session: Arc<Session>, _: Nothing) -> Result<Pong> {
    let pong = Pong { timestamp: hub.clock().now() };
    hub.send(&session, &PONG, &pong);
    Ok(pong)
}
