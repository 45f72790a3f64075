//! What happens in rooms when an account is erased: its memberships end as if it had left.

use super::Rooms;
use crate::error::Result;
use crate::ids::UserId;

impl Rooms {
    /// Ends every membership of a user, and the invites that the user made there. Rooms of the
    /// user are passed on, or closed where nobody else is in them. Repeatable: where another
    /// process has done it, this node lets go of what it remembers.
    ///
    /// # Errors
    /// Those of the store; the memberships that have ended stay so.
    pub async fn erase(&self, user: UserId) -> Result<()> {
        for membership in self.store.rooms_of(user).await? {
            let room = membership.room.id;
            self.revoke_invites_of(room, user).await?;
            self.end_membership(room, user, false).await?;
        }
        self.known.retain(|_, occupied| occupied.member(user).is_none());
        Ok(())
    }
}
