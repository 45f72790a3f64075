//! The rules of the directory: who is listed, and what may be changed of oneself.

use std::sync::Arc;

use super::model::{ProfileChange, UserPage, UserQuery};
use super::store::{ChangedProfile, UserStore};
use crate::auth::model::{Account, User};
use crate::auth::service::Auth;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::page;
use crate::realtime::hub::Hub;
use crate::realtime::relay::Command;

/// The directory of users.
pub struct Users {
    store: Arc<dyn UserStore>,
    auth: Arc<Auth>,
    hub: Arc<Hub>,
}

impl Users {
    /// The directory of the accounts of `auth`.
    pub fn new(store: Arc<dyn UserStore>, auth: &Arc<Auth>, hub: &Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { store, auth: auth.clone(), hub: hub.clone() })
    }

    /// The caller.
    pub async fn me(&self, caller: Caller) -> Result<User> {
        let account = self.auth.account(caller.user).await?;
        let account = account.ok_or_else(|| Error::not_found("The account is gone"))?;
        self.auth.user(&account).await
    }

    /// Changes the caller's profile.
    ///
    /// # Errors
    /// `conflict` when the new address is taken.
    pub async fn change_profile(&self, caller: Caller, change: &ProfileChange) -> Result<User> {
        match self.store.change_profile(caller.user, change).await? {
            ChangedProfile::Changed(account) => {
                self.hub.command(Command::ForgetAccount(caller.user));
                self.auth.user(&account).await
            }
            ChangedProfile::Missing => Err(Error::not_found("The account is gone")),
            ChangedProfile::EmailTaken => Err(Error::conflict("The email is taken")),
        }
    }

    /// Users by a part of their username or display name, without regard to case.
    pub async fn matching(&self, search: &str, limit: u32) -> Result<Vec<Account>> {
        let search = Some(search.to_lowercase());
        self.store.accounts(&UserQuery { search, after: None, limit }).await
    }

    /// A page of the directory, by username, without the caller.
    pub async fn list(&self, caller: Caller, mut query: UserQuery) -> Result<UserPage> {
        let wanted = query.limit as usize;
        // One for the caller, who is left out, and one to see whether there is more.
        query.limit += 2;
        let mut accounts = self.store.accounts(&query).await?;
        accounts.retain(|account| account.id != caller.user);
        let more = accounts.len() > wanted;
        accounts.truncate(wanted);
        let last = accounts.last().filter(|_| more);
        let next_cursor = last.map(|account| page::cursor(account.username.to_ascii_lowercase()));
        Ok(UserPage { users: self.auth.users(&accounts).await?, next_cursor })
    }
}
