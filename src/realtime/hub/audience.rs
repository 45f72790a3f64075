//! Audiences: sets of sockets with a name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::ids::{LoginId, OrderId, RoomId, UserId};
use crate::realtime::session::{Session, SessionNo};

/// Locks that share the work; a power of two.
const SHARDS: usize = 32;

/// A set of sockets: of a user, of a login session, of everyone, or whatever a domain names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Audience {
    kind: &'static str,
    id: [u8; 12],
}

impl Audience {
    /// Every connected socket.
    pub const EVERYONE: Self = Self { kind: "everyone", id: [0; 12] };

    /// The audience of a thing, by what kind of thing it is and its id.
    pub const fn of(kind: &'static str, id: [u8; 12]) -> Self {
        Self { kind, id }
    }

    /// The room of which it is the audience, if it is one's.
    pub(in crate::realtime) fn room(self) -> Option<RoomId> {
        let room = RoomId::from_bytes(self.id);
        (room.audience() == self).then_some(room)
    }

    fn shard(self) -> usize {
        let counter = usize::from(self.id[11]) ^ (usize::from(self.id[0]) << 2);
        (counter ^ self.kind.len()) % SHARDS
    }
}

impl UserId {
    /// All sockets of the user.
    pub const fn audience(self) -> Audience {
        Audience::of("user", self.bytes())
    }
}

impl LoginId {
    /// All sockets of the login session.
    pub const fn audience(self) -> Audience {
        Audience::of("login", self.bytes())
    }
}

impl RoomId {
    /// All sockets that are in the room now.
    pub const fn audience(self) -> Audience {
        Audience::of("room", self.bytes())
    }
}

impl OrderId {
    /// All sockets that follow the order.
    pub const fn audience(self) -> Audience {
        Audience::of("order", self.bytes())
    }
}

type Members = HashMap<SessionNo, Arc<Session>>;

/// Who belongs to which audience.
#[derive(Default)]
pub(super) struct Audiences {
    shards: [Mutex<HashMap<Audience, Members>>; SHARDS],
}

impl Audiences {
    fn shard(&self, audience: Audience) -> MutexGuard<'_, HashMap<Audience, Members>> {
        self.shards[audience.shard()].lock().expect("no panic under this lock")
    }

    pub(super) fn insert(&self, audience: Audience, session: &Arc<Session>) {
        self.shard(audience).entry(audience).or_default().insert(session.no, session.clone());
    }

    pub(super) fn remove(&self, audience: Audience, no: SessionNo) {
        let mut shard = self.shard(audience);
        if let Some(members) = shard.get_mut(&audience) {
            members.remove(&no);
            if members.is_empty() {
                shard.remove(&audience);
            }
        }
    }

    pub(super) fn count(&self, audience: Audience) -> usize {
        self.shard(audience).get(&audience).map_or(0, HashMap::len)
    }

    pub(super) fn member(&self, audience: Audience, no: SessionNo) -> Option<Arc<Session>> {
        self.shard(audience).get(&audience)?.get(&no).cloned()
    }

    /// The sockets of any of these audiences, once each.
    pub(super) fn sessions(&self, audiences: &[Audience]) -> Vec<Arc<Session>> {
        let mut found = Vec::new();
        for audience in audiences {
            if let Some(members) = self.shard(*audience).get(audience) {
                found.extend(members.values().cloned());
            }
        }
        if audiences.len() > 1 {
            found.sort_unstable_by_key(|session| session.no);
            found.dedup_by_key(|session| session.no);
        }
        found
    }
}
