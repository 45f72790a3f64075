//! Connecting: TCP from one of several local addresses, the WebSocket upgrade, the Engine.IO and Socket.IO handshakes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::Url;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::packet::{Kind, namespace_prefix};
use super::{Client, LeanClient, RawClient};

/// The longest a connect may take, from TCP to the joined namespace.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of read buffer of a client: small, because there are ten thousand.
const READ_BUFFER: usize = 4 * 1024;
/// Where Socket.IO is, over WebSocket alone.
const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// Opens clients of one server.
pub struct Dialer {
    server: SocketAddr,
    /// Name and port.
    host: String,
    namespace: Arc<str>,
    /// The first of the local addresses, and how many follow each other.
    first: Ipv4Addr,
    sources: u32,
    dialed: AtomicU32,
}

impl Dialer {
    /// For the server at `url`, in `namespace`, from `sources` local addresses if the server is local.
    pub async fn new(url: &Url, namespace: &str, sources: u8) -> Result<Self> {
        let host = url.host_str().with_context(|| format!("no host in {url}"))?;
        let port = url.port_or_known_default().with_context(|| format!("no port in {url}"))?;
        let found: Vec<_> = lookup_host((host, port))
            .await
            .with_context(|| format!("looking up {host}"))?
            .collect();
        let server = *found
            .iter()
            .find(|at| at.is_ipv4())
            .or(found.first())
            .with_context(|| format!("no {host}"))?;
        Ok(Self {
            server,
            host: format!("{host}:{port}"),
            namespace: namespace_prefix(namespace).into(),
            first: Ipv4Addr::LOCALHOST,
            sources: u32::from(sources),
            dialed: AtomicU32::new(0),
        })
    }

    /// The same in another namespace, from other local addresses: `sources` of them from `first` on.
    pub fn variant(&self, namespace: &str, first: Ipv4Addr, sources: u32) -> Self {
        Self {
            server: self.server,
            host: self.host.clone(),
            namespace: namespace_prefix(namespace).into(),
            first,
            sources,
            dialed: AtomicU32::new(0),
        }
    }

    /// Name and port of the server.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What stands before the body of each packet of the namespace.
    pub fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    /// A client of the user with this token, joined to the namespace.
    pub async fn connect(&self, token: &str) -> Result<Client> {
        timeout(CONNECT_TIMEOUT, self.handshake(token))
            .await
            .map_err(|_| anyhow!("not connected within {CONNECT_TIMEOUT:?}"))?
            .with_context(|| format!("connecting to {}", self.server))
    }

    /// The same, for one who will hear very much.
    pub async fn connect_lean(&self, token: &str) -> Result<LeanClient> {
        timeout(CONNECT_TIMEOUT, self.lean_handshake(token))
            .await
            .map_err(|_| anyhow!("not connected within {CONNECT_TIMEOUT:?}"))?
            .with_context(|| format!("connecting to {}", self.server))
    }

    /// A WebSocket at this path, without Socket.IO.
    pub async fn connect_raw(&self, path: &str) -> Result<RawClient> {
        timeout(CONNECT_TIMEOUT, self.open(path))
            .await
            .map_err(|_| anyhow!("not connected within {CONNECT_TIMEOUT:?}"))?
            .with_context(|| format!("connecting to {}", self.server))
    }

    async fn open(&self, path: &str) -> Result<RawClient> {
        let stream = self.tcp().await.context("opening TCP")?;
        RawClient::upgrade(stream, &self.host, path).await
    }

    async fn handshake(&self, token: &str) -> Result<Client> {
        let socket = self.upgrade().await?;
        let mut client =
            Client { socket, namespace: Arc::clone(&self.namespace), next_ack: 1, pong_due: false };
        expect(&mut client, Kind::Open).await?;
        client.write(self.join(token)).await?;
        expect(&mut client, Kind::Connected).await?;
        Ok(client)
    }

    async fn lean_handshake(&self, token: &str) -> Result<LeanClient> {
        let mut client = LeanClient::new(self.open(PATH).await?, Arc::clone(&self.namespace));
        client.expect(Kind::Open).await?;
        client.write(&self.join(token)).await?;
        client.expect(Kind::Connected).await?;
        Ok(client)
    }

    /// The packet that joins the namespace.
    pub fn join(&self, token: &str) -> String {
        format!("40{}{}", self.namespace, serde_json::json!({ "token": token }))
    }

    async fn upgrade(&self) -> Result<WebSocketStream<TcpStream>> {
        let stream = self.tcp().await.context("opening TCP")?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        let url = format!("ws://{}{PATH}", self.host);
        let (socket, _) =
            client_async_with_config(url, stream, Some(config)).await.context("upgrading")?;
        Ok(socket)
    }

    /// A TCP connection, from the address whose turn it is.
    pub async fn tcp(&self) -> Result<TcpStream> {
        let socket = if self.server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if self.server.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let turn = self.dialed.fetch_add(1, Ordering::Relaxed) % self.sources;
            let source = Ipv4Addr::from_bits(self.first.to_bits() + turn);
            socket.bind((source, 0).into()).with_context(|| format!("binding {source}"))?;
        }
        socket.set_nodelay(true)?;
        Ok(socket.connect(self.server).await?)
    }
}

impl LeanClient {
    /// Reads up to the packet that this step of the handshake waits for. Events that come with it are dropped.
    async fn expect(&mut self, kind: Kind) -> Result<()> {
        let (mut found, mut refused) = (false, None);
        while !found {
            self.read(|packet, body| {
                found |= packet.kind == kind;
                refused =
                    refused.take().or((packet.kind == Kind::Refused).then(|| body.to_owned()));
            })
            .await?;
            if let Some(reason) = &refused {
                bail!("refused: {reason}");
            }
        }
        Ok(())
    }
}

/// Reads up to the packet that this step of the handshake waits for.
async fn expect(client: &mut Client, kind: Kind) -> Result<()> {
    loop {
        let (packet, frame) = client.read().await?;
        match packet.kind {
            found if found == kind => return Ok(()),
            Kind::Ping => client.write("3".to_owned()).await?,
            Kind::Refused => bail!("refused: {}", &frame[packet.body..]),
            Kind::Ended => bail!("ended before it was connected"),
            _ => {}
        }
    }
}
