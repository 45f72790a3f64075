//! A line between two who talk over TCP, which delays, throttles, swallows and cuts as a test says
//! while it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::random_range;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Bytes that travel together; as many such pieces may be under way in one direction.
const PIECE: usize = 4096;
const UNDER_WAY: usize = 32;

/// How the line is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Line {
    /// How much later each byte arrives.
    pub(crate) delay: Duration,
    /// Bytes per second, of each connection in each direction.
    pub(crate) rate: Option<u32>,
    /// Bytes to the server vanish. A connection that has lost some is dead in that direction for
    /// ever, and nobody is told.
    pub(crate) deaf: bool,
    /// The same of bytes to the client.
    pub(crate) mute: bool,
    /// Each connection is cut at a random byte among so many.
    pub(crate) cut_among: Option<usize>,
}

/// How a connection is cut, seen from both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Reset,
    Close,
}

/// The line; everything on it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    line: watch::Sender<Line>,
    cut: watch::Sender<Option<Cut>>,
    cuts: AtomicUsize,
}

impl Proxy {
    /// A good line to a port of this machine.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Shared>::default();
        let (mut accepting, watched) = (JoinSet::new(), shared.clone());
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                connections.spawn(carry(client, server, watched.clone()));
            }
        });
        Self { port, shared, _accepting: accepting }
    }

    /// Changes the line, for the connections there are as well.
    pub(crate) fn set(&self, line: Line) {
        self.shared.line.send_replace(line);
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self, how: Cut) {
        self.shared.cut.send_replace(Some(how));
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, port: u16, shared: Arc<Shared>) {
    let (line, mut cut) = (shared.line.subscribe(), shared.cut.subscribe());
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    client.set_nodelay(true).and(server.set_nodelay(true)).unwrap();
    let how = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let up = pump(from_client, to_server, line.clone(), |line| line.deaf);
        let down = pump(from_server, to_client, line, |line| line.mute);
        tokio::select! {
            ended = async { tokio::try_join!(up, down) } => ended.err().flatten(),
            told = cut.changed() => told.ok().and_then(|()| *cut.borrow()),
        }
    };
    shared.cuts.fetch_add(usize::from(how.is_some()), Ordering::SeqCst);
    let linger = (how == Some(Cut::Reset)).then_some(Duration::ZERO);
    let _ = [&client, &server].map(|end| SockRef::from(end).set_linger(linger));
}

/// Carries one direction to its end. `Err` ends the other one as well, and says how if it is a cut.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    line: watch::Receiver<Line>,
    swallows: fn(&Line) -> bool,
) -> Result<(), Option<Cut>> {
    let (put, mut take) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async {
        let (mut piece, mut dead) = ([0; PIECE], false);
        loop {
            let count = from.read(&mut piece).await.map_err(|_| None)?;
            dead |= swallows(&line.borrow());
            if count == 0 && dead {
                std::future::pending::<()>().await;
            } else if count == 0 {
                drop(put);
                break Ok(());
            } else if !dead {
                let due = Instant::now() + line.borrow().delay;
                put.send((due, piece[..count].to_vec())).await.map_err(|_| None)?;
            }
        }
    };
    let writing = async {
        let mut left = None;
        while let Some((due, piece)) = take.recv().await {
            sleep_until(due).await;
            let Line { rate, cut_among, .. } = *line.borrow();
            if let Some(among) = cut_among {
                let left = left.get_or_insert_with(|| random_range(1..=among));
                if piece.len() >= *left {
                    let _ = to.write_all(&piece[..*left]).await;
                    return Err(Some(if *left % 2 == 0 { Cut::Reset } else { Cut::Close }));
                }
                *left -= piece.len();
            }
            if let Some(rate) = rate {
                sleep(Duration::from_secs(1) * piece.len() as u32 / rate).await;
            }
            to.write_all(&piece).await.map_err(|_| None)?;
        }
        to.shutdown().await.map_err(|_| None)
    };
    tokio::try_join!(reading, writing).map(drop)
}
