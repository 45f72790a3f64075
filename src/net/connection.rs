//! One TCP connection, as handlers see it in the request's extensions.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

pub use super::guard::Pause;
use super::guard::Reading;
use super::slots::{Anonymity, Share, Slots};

/// One TCP connection.
pub struct Connection {
    peer: SocketAddr,
    kill: CancellationToken,
    reading: Arc<Reading>,
    counted: Counted,
}

/// Among whose connections one counts.
pub(super) struct Counted {
    slots: Arc<Slots>,
    /// Behind a proxy it is another client's with each request.
    share: Mutex<Option<Share>>,
    /// Until somebody has shown a token that holds.
    anonymity: Mutex<Option<Anonymity>>,
}

impl Counted {
    /// Among those of an address, where it is known already, and of unknown clients.
    pub(super) fn new(slots: Arc<Slots>, share: Option<Share>, anonymity: Anonymity) -> Self {
        Self { slots, share: Mutex::new(share), anonymity: Mutex::new(Some(anonymity)) }
    }
}

impl Connection {
    pub(super) const fn new(
        peer: SocketAddr,
        kill: CancellationToken,
        reading: Arc<Reading>,
        counted: Counted,
    ) -> Self {
        Self { peer, kill, reading, counted }
    }

    /// Who is at the other end; a proxy, perhaps.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Counts the connection among those of `address`, the client behind it, and no other's any
    /// more; `false` when that one has too many.
    pub fn count_for(&self, address: IpAddr) -> bool {
        let mut share = self.counted.share.lock().expect("no panic while counting");
        if share.as_ref().is_none_or(|share| !share.is_of(address)) {
            *share = None;
            *share = self.counted.slots.share(address);
        }
        share.is_some()
    }

    /// Somebody has shown a token that holds: the connection counts among those of unknown clients
    /// no more.
    pub fn recognise(&self) {
        self.counted.anonymity.lock().expect("no panic while counting").take();
    }

    /// Ends the connection at once, whatever it is used for. A JS client takes that for a lost
    /// network and reconnects.
    pub fn cut(&self) {
        self.kill.cancel();
    }

    /// Takes no more bytes from the peer, until this and every other pause has ended.
    pub fn pause_reading(&self) -> Pause {
        self.reading.pause()
    }

    /// Whether bytes are not taken just now.
    pub fn is_paused(&self) -> bool {
        self.reading.is_paused()
    }
}
