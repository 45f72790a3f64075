//! The accept loop: HTTP/1.1 over guarded connections, with limits on their number, on the time a
//! request's head may take, and on the time a peer may refuse to read (FACTS §0.9, §1.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::connection::{Connection, Counted};
use super::guard::{Guarded, Reading};
use super::slots::{Anonymity, Place, Share, Slots};
use super::tls::{Tls, TlsError};
use crate::config::{AddressRange, SocketConfig, TlsConfig};

/// Bytes that may wait in the kernel for one peer: enough for a burst, little enough that a peer
/// which stops reading is noticed soon.
const KERNEL_SEND_BUFFER: usize = 256 * 1024;

/// So many connections are accepted in a row, then everybody else has a turn.
const IN_A_ROW: usize = 16;

/// Listening sockets, and the tasks that serve what they accept.
pub struct Acceptor {
    addresses: Vec<SocketAddr>,
    tls: Option<Tls>,
    proxies: Arc<[AddressRange]>,
    /// Cancelled: no new connections, and open ones close after the answer under way.
    stop: CancellationToken,
    /// Cancelled: every connection is cut.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Acceptor {
    /// Binds every port, and reads the certificate where there is one; port 0 is chosen by the
    /// system.
    ///
    /// # Errors
    /// The first port that cannot be bound; a certificate that cannot be used.
    pub async fn bind(
        host: IpAddr,
        ports: &[u16],
        tls: Option<&TlsConfig>,
        proxies: &[AddressRange],
    ) -> Result<(Self, Vec<TcpListener>), ListenError> {
        let tls = tls.map(Tls::new).transpose()?;
        let mut listeners = Vec::new();
        for port in ports {
            let address = SocketAddr::new(host, *port);
            let listener =
                listen(address).await.map_err(|cause| ListenError::Port { address, cause })?;
            listeners.push(listener);
        }
        let addresses =
            listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let (stop, kill, tasks) =
            (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let proxies = proxies.into();
        Ok((Self { addresses, tls, proxies, stop, kill, tasks }, listeners))
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Starts serving `router` on the bound listeners.
    pub fn serve(&self, listeners: Vec<TcpListener>, router: &Router, config: &SocketConfig) {
        if let Some(tls) = self.tls.clone() {
            self.tasks.spawn(tls.keep_current(self.stop.clone()));
        }
        let shared = Arc::new(Shared {
            tls: self.tls.clone(),
            router: router.clone(),
            slots: Arc::new(Slots::new(
                config.max_connections,
                config.max_connections_per_address,
                config.max_unauthenticated,
            )),
            proxies: self.proxies.clone(),
            stall: config.write_stall,
            header_timeout: config.header_timeout,
            stop: self.stop.clone(),
            kill: self.kill.clone(),
            tasks: self.tasks.clone(),
        });
        for listener in listeners {
            self.tasks.spawn(accept(listener, shared.clone()));
        }
    }

    /// Takes no more connections; those open finish the answer they are at.
    pub fn stop_accepting(&self) {
        self.stop.cancel();
    }

    /// Gives answers under way `patience` to end, then cuts every connection.
    pub async fn close(&self, patience: Duration) {
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::debug!(open = self.tasks.len(), "requests are cut off");
        }
        self.kill.cancel();
    }
}

/// Listens on both IP versions where the address is `::`, as Node does, or on IPv4 alone where the
/// machine has no IPv6.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(problem)
            if address.ip() == Ipv6Addr::UNSPECIFIED
                && problem.kind() != io::ErrorKind::AddrInUse =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        listening => listening,
    }
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A port that is taken, or not allowed.
    #[error("cannot listen on {address}: {cause}")]
    Port {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

struct Shared {
    router: Router,
    tls: Option<Tls>,
    slots: Arc<Slots>,
    proxies: Arc<[AddressRange]>,
    stall: Duration,
    header_timeout: Duration,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: TaskTracker,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    for turn in 1.. {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &shared),
            Err(cause) => {
                // Out of file descriptors, mostly: the backlog keeps the clients meanwhile.
                tracing::warn!(%cause, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        if turn % IN_A_ROW == 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
    let Some(place) = shared.slots.place() else { return };
    // Who stands behind a proxy is counted when a request says who it is.
    let address = peer.ip().to_canonical();
    let share = if shared.proxies.iter().any(|proxy| proxy.contains(address)) {
        None
    } else if let Some(share) = shared.slots.share(address) {
        Some(share)
    } else {
        return;
    };
    let socket = SockRef::from(&stream);
    let prepared =
        socket.set_tcp_nodelay(true).and_then(|()| socket.set_send_buffer_size(KERNEL_SEND_BUFFER));
    if let Err(cause) = prepared {
        tracing::debug!(%cause, "a connection ended before it was served");
        return;
    }
    let kill = shared.kill.child_token();
    let anonymity = shared.slots.anonymity(&kill);
    let shared = shared.clone();
    shared.tasks.clone().spawn(async move {
        serve(stream, peer, kill, (place, share, anonymity), &shared).await;
    });
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    kill: CancellationToken,
    (place, share, anonymity): (Place, Option<Share>, Anonymity),
    shared: &Shared,
) {
    let reading = Arc::new(Reading::default());
    let counted = Counted::new(shared.slots.clone(), share, anonymity);
    let connection = Arc::new(Connection::new(peer, kill.clone(), reading.clone(), counted));
    let guard = |stream| Guarded::new(stream, kill, reading, shared.stall, place);
    match &shared.tls {
        None => serve_http(guard(stream), connection, shared).await,
        Some(tls) => {
            if let Some(stream) = tls.accept(stream, guard, &shared.stop).await {
                serve_http(stream, connection, shared).await;
            }
        }
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Arc<Connection>,
    shared: &Shared,
) {
    let peer = connection.peer();
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(connection.clone());
        shared.router.clone().oneshot(request.map(Body::new))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(shared.header_timeout)
        .max_buf_size(64 * 1024);
    let mut serving =
        std::pin::pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shared.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, %peer, "connection ended early");
    }
}
