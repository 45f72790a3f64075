//! Rooms, memberships and invites on MongoDB.
