//! Composition: the one place that knows every domain. [`start`] puts a server together from its
//! configuration, [`Server::stop`] takes it apart in the order that loses nothing.

mod domains;
mod open;
pub mod personal;
mod router;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{Config, Listen, OperationsPort};
use crate::net::server::{Acceptor, ListenError};
use crate::realtime::events::Dispatcher;
use crate::realtime::hub::Hub;
use crate::realtime::relay::local::Local;
use crate::store::Stores;
use crate::store::embedded::{self, BackupError};
use crate::telemetry::{self, tell_strikes};

use domains::Domains;
pub use open::{OpenError, embedded_migrations, mongo_migrations};

/// A running server.
pub struct Server {
    acceptor: Acceptor,
    /// Of the port of those who operate the server, where it is one of its own.
    operations: Option<Acceptor>,
    hub: Arc<Hub>,
    domains: Domains,
    stores: Stores,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store, or a secret in its directory.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A port, or the certificate.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The configuration, found only when it was used.
    #[error("{0}")]
    Config(String),
    /// The first admin could not be created.
    #[error("the first admin could not be created (ADMIN_EMAIL, ADMIN_USERNAME): {0}")]
    Admin(crate::error::Error),
    /// The demo drivers could not be created, or locked out.
    #[error("the demo drivers could not be created or locked out: {0}")]
    Demo(crate::error::Error),
}

/// Starts a server.
///
/// # Errors
/// Whatever keeps it from serving, in words an operator can act on.
pub async fn start(config: &Config) -> Result<Server, StartError> {
    telemetry::metrics();
    let Listen { host, ports, tls, trusted_proxies, .. } = &config.listen;
    let (acceptor, listeners) = Acceptor::bind(*host, ports, tls.as_ref(), trusted_proxies).await?;
    let operations = match config.listen.operations {
        OperationsPort::Own(at) => Some(Acceptor::bind(at.ip(), &[at.port()], None, &[]).await?),
        OperationsPort::Shared | OperationsPort::Off => None,
    };
    let clock = Clock::system();
    let stores = open::stores(config).await?;
    let secrets = open::secrets(config)?;
    let hub = Hub::new(Box::new(Local), config.sockets.parser, &clock);
    let domains = Domains::compose(config, &stores, &secrets, &hub).map_err(StartError::Config)?;
    if let Some(admin) = &config.accounts.admin {
        domains.auth.ensure_admin(admin).await.map_err(StartError::Admin)?;
    }
    let auth = &domains.auth;
    let demo = match config.drivers.demo {
        true => auth.ensure_demo_drivers().await,
        false => auth.lock_demo_drivers().await,
    };
    demo.map_err(StartError::Demo)?;
    domains.start(config, &hub);
    let dispatcher = Dispatcher::new(domains.tables(&hub), &hub, &domains.limits);
    let routers = router::routers(config, &domains, &dispatcher, &stores, &hub);
    acceptor.serve(listeners, &routers.public, &config.sockets);
    let operations = operations.map(|(acceptor, listeners)| {
        acceptor.serve(listeners, &routers.operations, &config.sockets);
        acceptor
    });
    let server = Server { acceptor, operations, hub, domains, stores };
    server.introduce(config);
    Ok(server)
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// MongoDB has tools of its own.
    #[error("the data is in MongoDB: back it up with mongodump (docs/backup.md)")]
    Mongo,
    /// The embedded store.
    #[error(transparent)]
    Embedded(#[from] BackupError),
}

/// Copies the embedded store to a new file, also while a server uses it; gives its size in bytes.
///
/// # Errors
/// In words an operator can act on.
pub fn back_up(config: &Config, to: &Path) -> Result<u64, BackUpError> {
    if config.store.mongodb_uri.is_some() {
        return Err(BackUpError::Mongo);
    }
    Ok(embedded::back_up(&open::database(config), to)?)
}

impl Server {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.acceptor.addresses()
    }

    /// Where those who operate the server find metrics and documents, if that is elsewhere.
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref()?.addresses().first().copied()
    }

    fn introduce(&self, config: &Config) {
        let scheme = if config.listen.tls.is_some() { "https" } else { "http" };
        let url = self.addresses().first();
        let url = url.map(|address| format!("{scheme}://localhost:{}", address.port()));
        let url = url.unwrap_or_default();
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            store = self.stores.name(),
            relay = self.hub.relay_name(),
            env = ?config.env,
            ports = ?self.addresses().iter().map(SocketAddr::port).collect::<Vec<_>>(),
            tls = config.listen.tls.is_some(),
            traces = config.traces.endpoint.as_ref().map(tracing::field::display),
            "waggle is serving"
        );
        let documents = match (config.listen.operations, self.operations_address()) {
            (OperationsPort::Off, _) => String::new(),
            (_, None) => format!(", {url}/docs for the routes and events"),
            (_, Some(at)) => {
                format!(", http://{at}/docs for the routes and events, http://{at}/metrics")
            }
        };
        tracing::info!("open {url}/ to chat{documents}");
    }

    /// Stops: no new sockets, clients are told, what was accepted is finished and written. Each step
    /// has its part of `patience`, and together they leave some: on a machine that is busy each takes
    /// longer than its part.
    pub async fn stop(self, patience: Duration) {
        tracing::info!("stopping");
        // Still answering meanwhile: readiness and new handshakes with 503, polls with their acks.
        self.hub.start_draining();
        self.domains.limits.end_pauses();
        self.hub.drain(patience.mul_f32(0.33)).await;
        let mut closing = pin!(self.domains.close());
        let is_closed = timeout(patience.mul_f32(0.15), &mut closing).await.is_ok();
        // The last acks are in the send buffers; answers under way end meanwhile. Clients are closed
        // with their code in time, even if much is still to be written.
        self.hub.shut_down(patience.mul_f32(0.3)).await;
        if !is_closed {
            closing.await;
        }
        tokio::time::sleep(patience.mul_f32(0.015)).await;
        self.acceptor.stop_accepting();
        self.acceptor.close(patience.mul_f32(0.05)).await;
        if let Some(operations) = &self.operations {
            operations.stop_accepting();
            operations.close(Duration::ZERO).await;
        }
        self.stores.close().await;
        tell_strikes();
        tracing::info!("stopped");
    }
}
