//! Rooms, memberships and invites on SQLite.
