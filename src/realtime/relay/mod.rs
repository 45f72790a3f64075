//! The way to other nodes. At most once by design: what must not be lost is in the database and
//! comes back by `sync` (DESIGN §3).

pub mod local;

use std::fmt;

use super::hub::{Audience, Except, Outgoing};
use super::session::{End, SessionNo};
use crate::clock::Timestamp;
use crate::ids::{LoginId, RoomId, UserId};

/// What one node tells the others.
#[derive(Debug, Clone)]
pub enum Envelope {
    /// An event for the sockets of some audiences.
    Event {
        /// Who gets it.
        to: Vec<Audience>,
        /// Without whom.
        except: Except,
        /// The event, serialized once.
        event: Outgoing,
    },
    /// Something every node must do.
    Command(Command),
}

/// What every node must do when one says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// End the sockets of this login session, and refuse its tokens.
    EndLogin(LoginId),
    /// End these sockets.
    EndSockets {
        /// Which.
        of: Sockets,
        /// What their clients hear.
        why: End,
    },
    /// The sockets of this login session may live until then.
    ExtendLogin(LoginId, Timestamp),
    /// What is remembered of this account is out of date.
    ForgetAccount(UserId),
    /// What is remembered of this room and its members is out of date.
    ForgetRoom(RoomId),
    /// The sockets of a user are no longer in a room: the membership ends.
    LeaveRoom {
        /// Which room.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// Whether somebody else wanted it.
        removed: bool,
    },
    /// No socket is in this room any more: it is gone.
    CloseRoom(RoomId),
    /// Of an audience of which one socket at a time may be connected, anywhere, only the newest
    /// stays.
    ReplaceSockets {
        /// Which sockets.
        of: Audience,
        /// The one that stays.
        newest: SessionNo,
    },
}

/// Sockets by what they are, not by what they hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// One.
    One(SessionNo),
    /// All of a user.
    Of(UserId),
}

impl fmt::Display for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(no) => write!(f, "{no}"),
            Self::Of(user) => write!(f, "all of {user}"),
        }
    }
}

/// Carries envelopes to the other nodes. Local delivery has happened before.
pub trait Relay: Send + Sync {
    /// What start-up calls it.
    fn name(&self) -> &'static str;
    /// Whether there can be other nodes at all.
    fn reaches_others(&self) -> bool;
    /// Sends an envelope on its way; never waits, never fails in front of the caller.
    fn publish(&self, envelope: &Envelope);
}
