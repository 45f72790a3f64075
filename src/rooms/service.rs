//! The rules of rooms: who is in them, who may what, and who is there now (CONTRACT §5).
//!
//! Not here: messages. They are chat's, which asks here who belongs to a room.

mod attending;
mod erasing;
mod given;
mod inviting;
mod joining;
mod managing;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::attendance::Attendance;
use super::invites::InviteTokens;
use super::model::{Member, Membership, Room, RoomRole};
use super::store::RoomStore;
use super::wire::RoomView;
use crate::auth::service::Auth;
use crate::clock::Clock;
use crate::config::Secrets;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::limits::Limits;
use crate::presence::service::Presence;
use crate::realtime::hub::Hub;
use crate::realtime::relay::Command;

pub use given::GivenRooms;

/// Rooms that are remembered with their members.
const REMEMBERED: usize = 20_000;
/// Members that are remembered, over all rooms; some 80 bytes each.
const REMEMBERED_MEMBERS: u64 = 1_000_000;
/// Parts of that memory. Each has its share, which must have room for the largest room.
const SHARDS: usize = 16;
/// Members of one room.
const MOST_MEMBERS: usize = 10_000;
/// Rooms of one user.
const MOST_ROOMS: usize = 1000;
/// Users who join at the same time without waiting for each other, at most.
const TURNS: usize = 64;

/// Who knows how far a room's conversation has come; told by the domain that does.
#[async_trait]
pub trait Positions: Send + Sync {
    /// The last `seq` of the room, 0 without messages.
    async fn last_seq(&self, room: RoomId) -> Result<i64>;
}

/// What the service stands on.
pub struct Parts {
    /// Rooms, memberships, invites.
    pub store: Arc<dyn RoomStore>,
    /// Accounts, for names.
    pub auth: Arc<Auth>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// The way to everybody.
    pub hub: Arc<Hub>,
    /// Limits.
    pub limits: Arc<Limits>,
    /// What invites are signed with.
    pub secrets: Secrets,
    /// How long somebody whose last socket was lost still counts as in the room.
    pub grace: Duration,
}

/// Rooms.
pub struct Rooms {
    store: Arc<dyn RoomStore>,
    auth: Arc<Auth>,
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Clock,
    grace: Duration,
    invites: InviteTokens,
    known: Cache<RoomId, Arc<Occupied>, ByMembers>,
    /// Memberships that are being ended: they count for nothing, stored or not.
    ending: Mutex<HashSet<(RoomId, UserId)>>,
    /// Counts the ends of memberships, under the lock of `ending`: what was found out before one
    /// may not be true after it.
    ends: AtomicU64,
    /// Turns of those who join, by user: what one of them does at once comes one after the other,
    /// so that an invite is used once.
    turns: [tokio::sync::Mutex<()>; TURNS],
    attendance: Attendance,
    positions: OnceLock<Arc<dyn Positions>>,
    given: OnceLock<Arc<dyn GivenRooms>>,
    this: Weak<Self>,
}

/// A room with its members, as it was when it was looked up.
pub struct Occupied {
    /// The room.
    pub room: Room,
    /// Its members, those who came first first.
    pub members: Vec<Member>,
    by_user: HashMap<UserId, usize>,
}

impl Occupied {
    fn new((room, members): (Room, Vec<Member>)) -> Self {
        let by_user = members.iter().enumerate().map(|(at, member)| (member.user, at)).collect();
        Self { room, members, by_user }
    }

    /// The member with this id.
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.by_user.get(&user).map(|at| &self.members[*at])
    }

    /// That somebody made the room, who may then change it.
    fn must_be_made(&self) -> Result<()> {
        match self.room.of_order {
            Some(_) => Err(Error::forbidden("The room belongs to an order")),
            None => Ok(()),
        }
    }

    fn role(&self, user: UserId) -> Option<RoomRole> {
        self.member(user).map(|member| self.room.role_of(member))
    }

    fn view(&self, user: UserId) -> RoomView {
        RoomView::new(&self.room, self.members.len() as u64, self.role(user))
    }
}

#[derive(Clone)]
struct ByMembers;

impl Weighter<RoomId, Arc<Occupied>> for ByMembers {
    fn weight(&self, _: &RoomId, occupied: &Arc<Occupied>) -> u64 {
        occupied.members.len() as u64 + 5
    }
}

impl Rooms {
    /// Rooms of the accounts of `parts.auth`.
    pub fn new(parts: Parts) -> Arc<Self> {
        let clock = parts.hub.clock().clone();
        Arc::new_cyclic(|this| Self {
            invites: InviteTokens::new(&parts.secrets, &clock),
            known: Cache::with_options(
                OptionsBuilder::new()
                    .estimated_items_capacity(REMEMBERED)
                    .weight_capacity(REMEMBERED_MEMBERS)
                    .shards(SHARDS)
                    .build()
                    .expect("both capacities are given"),
                ByMembers,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            ending: Mutex::default(),
            ends: AtomicU64::new(0),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            attendance: Attendance::default(),
            positions: OnceLock::new(),
            given: OnceLock::new(),
            store: parts.store,
            auth: parts.auth,
            presence: parts.presence,
            hub: parts.hub,
            limits: parts.limits,
            grace: parts.grace,
            clock,
            this: this.clone(),
        })
    }

    /// Says, once, who knows how far conversations have come.
    pub fn ask_for_positions(&self, positions: Arc<dyn Positions>) {
        if self.positions.set(positions).is_err() {
            tracing::error!("the positions of rooms were set twice");
        }
    }

    fn ending(&self) -> MutexGuard<'_, HashSet<(RoomId, UserId)>> {
        self.ending.lock().expect("no panic under this lock")
    }

    /// A room with its members, without asking the database where it is remembered.
    async fn occupied(&self, room: RoomId) -> Result<Option<Arc<Occupied>>> {
        let load = async {
            let found = self.find(room).await.map_err(Some)?.ok_or(None)?;
            let occupied = Occupied::new(found);
            if occupied.member(occupied.room.owner).is_some() {
                return Ok(Arc::new(occupied));
            }
            // A node ended between the departure of an owner and what follows from it.
            let settled = self.settle_owner(room).await.map_err(Some)?.ok_or(None)?;
            Ok(Arc::new(settled))
        };
        match self.known.get_or_insert_async(&room, load).await {
            Ok(occupied) => Ok(Some(occupied)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// A room, and what `user` is in it.
    ///
    /// # Errors
    /// `not_found` for a room that does not exist or that is private and not theirs, `forbidden`
    /// for a public one that they are not in.
    pub async fn member(&self, room: RoomId, user: UserId) -> Result<(Arc<Occupied>, Member)> {
        let occupied = self.occupied(room).await?.ok_or_else(no_room)?;
        match occupied.member(user).copied() {
            Some(member) if !self.ending().contains(&(room, user)) => Ok((occupied, member)),
            _ if occupied.room.is_private => Err(no_room()),
            _ => Err(Error::forbidden("Only members of the room can do this")),
        }
    }

    /// As [`Rooms::member`], for those who may do what `least` may.
    async fn with_role(
        &self,
        room: RoomId,
        user: UserId,
        least: RoomRole,
    ) -> Result<(Arc<Occupied>, Member)> {
        let (occupied, member) = self.member(room, user).await?;
        occupied.must_be_made()?;
        if occupied.room.role_of(&member) >= least {
            return Ok((occupied, member));
        }
        Err(Error::forbidden(match least {
            RoomRole::Owner => "Only the owner of the room can do this",
            _ => "Only the owner and the admins of the room can do this",
        }))
    }

    fn forget(&self, room: RoomId) {
        self.hub.command(Command::ForgetRoom(room));
    }

    /// The memberships of a user: rooms, and since when.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>> {
        let mut memberships = self.store.rooms_of(user).await?;
        if let Some(given) = self.given.get() {
            memberships.extend(given.rooms_of(user).await?);
            memberships.sort_by_key(|one| std::cmp::Reverse(one.room.created_at));
        }
        let ending = self.ending();
        memberships.retain(|membership| !ending.contains(&(membership.room.id, user)));
        Ok(memberships)
    }

    /// Everybody who shares a room with `user`.
    pub async fn contacts(&self, user: UserId) -> Result<HashSet<UserId>> {
        let mut contacts = HashSet::new();
        for membership in self.memberships(user).await? {
            let occupied = self.occupied(membership.room.id).await?;
            let members = occupied.iter().flat_map(|occupied| &occupied.members);
            contacts.extend(members.map(|member| member.user).filter(|one| *one != user));
        }
        Ok(contacts)
    }
}

fn no_room() -> Error {
    Error::not_found("There is no such room")
}
