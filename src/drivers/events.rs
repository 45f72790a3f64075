//! The socket events of drivers.

use std::sync::Arc;

use super::requests::{AvailabilityPayload, LocationPayload};
use super::service::{Drivers, must_drive};
use super::wire::{Availability, PONG, Pong};
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

async fn ping(hub: Arc<Hub>, session: Arc<Session>, _: Nothing) -> Result<Pong> {
    must_drive(session.caller)?;
    let pong = Pong { timestamp: hub.clock().now() };
    hub.send(&session, &PONG, &pong);
    Ok(pong)
}
