//! The raw WebSockets of the driver app and of the back office: who is let in, and what is special
//! about them (CONTRACT §8). What they carry is in the event tables.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;

use super::requests::DriverRef;
use super::service::{Drivers, must_drive};
use super::wire::{ADMIN_SOCKET, DRIVER_SOCKET};
use crate::caller::{Caller, must_be_admin};
use crate::error::{Error, Result};
use crate::realtime::session::Session;
use crate::realtime::websocket::{Admit, Framing, RawDoors, Surface};

#[derive(Clone)]
struct Sockets {
    drivers: Arc<Drivers>,
    doors: Arc<RawDoors>,
    idle: Duration,
}

/// The raw WebSockets under `/api/v1/ws`. A driver's is closed after `idle` without a frame.
pub fn router(drivers: &Arc<Drivers>, doors: &Arc<RawDoors>, idle: Duration) -> Router {
    Router::new()
        .route("/driver/{driver_id}", get(open_driver))
        .route("/admin", get(open_admin))
        .with_state(Sockets { drivers: drivers.clone(), doors: doors.clone(), idle })
}

async fn open_driver(
    State(sockets): State<Sockets>,
    Path(named): Path<String>,
    mut request: Request,
) -> Response {
    let surface = Surface {
        namespace: DRIVER_SOCKET,
        framing: Framing::Typed,
        idle: Some(sockets.idle),
        auth: None,
    };
    let entrance = DriverEntrance { drivers: sockets.drivers, named };
    sockets.doors.open(&mut request, surface, entrance)
}

async fn open_admin(State(sockets): State<Sockets>, mut request: Request) -> Response {
    let surface =
        Surface { namespace: ADMIN_SOCKET, framing: Framing::Typed, idle: None, auth: None };
    sockets.doors.open(&mut request, surface, AdminEntrance)
}

/// Lets in the driver whom the address names.
struct DriverEntrance {
    drivers: Arc<Drivers>,
    named: String,
}

#[async_trait]
impl Admit for DriverEntrance {
    async fn admit(&self, caller: Caller) -> Result<()> {
        must_drive(caller)?;
        let others = || Error::forbidden("The token is another driver's");
        let named: DriverRef = self.named.parse().map_err(|_| others())?;
        let driver = self.drivers.driver(&named).await?;
        if driver.id == caller.user { Ok(()) } else { Err(others()) }
    }

    fn admitted(&self, session: &Arc<Session>) {
        self.drivers.replace_sockets(session);
    }
}

/// Lets in admins.
struct AdminEntrance;

#[async_trait]
impl Admit for AdminEntrance {
    async fn admit(&self, caller: Caller) -> Result<()> {
        must_be_admin(caller)
    }
}
