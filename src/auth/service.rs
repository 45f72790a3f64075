//! The rules of accounts, login sessions and tokens (CONTRACT §2).

mod bans;
mod check;
mod demo;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use super::mail::Mailer;
use super::model::{Account, LoginName, NewAccount, User};
use super::passwords::Passwords;
use super::requests::{LogIn, LoggedIn, Register};
use super::store::{AuthStore, InsertedAccount};
use super::tokens::Tokens;
use crate::caller::Role;
use crate::clock::Clock;
use crate::config::{Config, FirstAdmin, Secrets};
use crate::error::{Error, FieldError, Result};
use crate::ids::{LoginId, UserId};
use crate::limits::Limits;
use crate::presence::service::Presence;
use crate::realtime::hub::Hub;

use bans::must_not_be_banned;
use check::LoginState;

/// Accounts and login sessions kept at hand, so that no message and no connect costs a query.
const CACHED: usize = 100_000;

/// Accounts, login sessions and tokens.
pub struct Auth {
    store: Arc<dyn AuthStore>,
    hub: Arc<Hub>,
    presence: Arc<Presence>,
    limits: Arc<Limits>,
    mailer: Arc<Mailer>,
    tokens: Tokens,
    passwords: Passwords,
    accounts: Cache<UserId, Arc<Account>>,
    logins: Cache<LoginId, LoginState>,
    /// Bans and their ends, one after the other: what is remembered is what was stored last.
    banning: Mutex<()>,
    clock: Clock,
    access_ttl: Duration,
    refresh_ttl: Duration,
    reset_ttl: Duration,
    public_url: String,
}

/// What [`Auth`] stands on.
pub struct Parts {
    /// Where accounts are kept.
    pub store: Arc<dyn AuthStore>,
    /// The way to sockets.
    pub hub: Arc<Hub>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// The rate limits.
    pub limits: Arc<Limits>,
    /// The way to mailboxes.
    pub mailer: Mailer,
    /// What tokens are signed with.
    pub secrets: Secrets,
}

impl Auth {
    /// The service, as configured.
    pub fn new(parts: Parts, config: &Config) -> Arc<Self> {
        let clock = parts.hub.clock().clone();
        Arc::new(Self {
            store: parts.store,
            presence: parts.presence,
            limits: parts.limits,
            mailer: Arc::new(parts.mailer),
            tokens: Tokens::new(&parts.secrets, &clock),
            passwords: Passwords::new(config.accounts.bcrypt_cost),
            accounts: Cache::new(CACHED),
            logins: Cache::new(CACHED),
            banning: Mutex::default(),
            hub: parts.hub,
            clock,
            access_ttl: config.tokens.access_ttl,
            refresh_ttl: config.tokens.refresh_ttl,
            reset_ttl: config.tokens.reset_ttl,
            public_url: config.listen.public_url.trim_end_matches('/').to_owned(),
        })
    }

    /// Stores a new account and logs it in.
    ///
    /// # Errors
    /// `conflict` when the name or the address is taken.
    pub async fn register(&self, wanted: Register) -> Result<LoggedIn> {
        let account = self.insert(wanted).await?;
        tracing::info!(user = %account.id, role = account.role.word(), "registered");
        self.open_login(&account, self.access_ttl).await
    }

    async fn insert(&self, wanted: Register) -> Result<Account> {
        let Register { username, email, password, name, image, role } = wanted;
        let password_hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let id = UserId::generate(now);
        let account =
            NewAccount { id, username, email, name, image, role, password_hash, created_at: now };
        match self.store.insert_account(account).await? {
            InsertedAccount::Stored(account) => Ok(account),
            InsertedAccount::UsernameTaken => Err(taken("username")),
            InsertedAccount::EmailTaken => Err(taken("email")),
        }
    }

    /// Logs an account in.
    ///
    /// # Errors
    /// The same `unauthenticated`, after the same work, for a wrong name and a wrong password;
    /// `forbidden` with the right one of a banned account; `rate_limited` after too many failures.
    pub async fn login(&self, claim: LogIn) -> Result<LoggedIn> {
        self.login_for(claim, self.access_ttl, |_| Ok(())).await
    }

    /// As [`Auth::login`], with an access token that holds for `ttl`, for those whom `permit` lets
    /// in; whom it does not, they learn only with the right password.
    pub async fn login_for(
        &self,
        claim: LogIn,
        ttl: Duration,
        permit: impl Fn(&Account) -> Result<()> + Send,
    ) -> Result<LoggedIn> {
        let LogIn { name, password } = claim;
        let found = self.store.account_by_login(&name).await?;
        let found = found.filter(|account| !account.is_erased());
        let key = found.as_ref().map_or_else(|| name_key(&name), |account| account.id.to_string());
        // Counted before the password is checked, so that guesses at the same time all count.
        self.limits.login_failures.check(&key)?;
        self.limits.login_failures.count(&key);
        let hash = found.as_ref().map(|account| account.password_hash.clone());
        let matches = self.passwords.matches(password, hash).await?;
        let wrong = || Error::unauthenticated("The name or the password is wrong");
        let account = found.filter(|_| matches).ok_or_else(wrong)?;
        self.limits.login_failures.forgive(&key);
        must_not_be_banned(&account)?;
        permit(&account)?;
        let logged_in = self.open_login(&account, ttl).await?;
        // A reset or a ban meanwhile ended every session but this one.
        let now = self
            .store
            .account(account.id)
            .await?
            .filter(|now| now.password_hash == account.password_hash && now.ban == account.ban);
        if now.is_none() {
            self.end_logins(account.id).await?;
            return Err(wrong());
        }
        Ok(logged_in)
    }

    /// Creates the first admin, unless the account is there already.
    pub async fn ensure_admin(&self, admin: &FirstAdmin) -> Result<()> {
        let known = self.store.account_by_login(&LoginName::Email(admin.email.key())).await?;
        if let Some(account) = known {
            if account.role != Role::Admin {
                tracing::warn!(user = %account.id, "ADMIN_EMAIL belongs to an account that is no admin");
            }
            return Ok(());
        }
        let FirstAdmin { username, email, password } = admin.clone();
        let account = self
            .insert(Register {
                username,
                email,
                password,
                name: None,
                image: None,
                role: Role::Admin,
            })
            .await?;
        tracing::info!(user = %account.id, "the first admin was created");
        Ok(())
    }

    /// An account by id, from the cache where it is there.
    pub async fn account(&self, id: UserId) -> Result<Option<Arc<Account>>> {
        let load = async {
            let found = self.store.account(id).await.map_err(Some)?;
            found.map(Arc::new).ok_or(None)
        };
        match self.accounts.get_or_insert_async(&id, load).await {
            Ok(account) => Ok(Some(account)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// The account of the driver with this number.
    pub async fn account_of_driver(&self, number: i64) -> Result<Option<Arc<Account>>> {
        Ok(self.store.account_of_driver(number).await?.map(Arc::new))
    }

    /// The accounts of drivers with a number after this one, the lowest numbers first.
    pub async fn drivers(&self, after: i64, limit: u32) -> Result<Vec<Account>> {
        self.store.drivers(after, limit).await
    }

    /// The account with this username, given as its key.
    pub async fn account_named(&self, key: &str) -> Result<Option<Arc<Account>>> {
        let name = LoginName::Username(key.to_owned());
        Ok(self.store.account_by_login(&name).await?.map(Arc::new))
    }

    /// An account as its owner sees it.
    pub async fn user(&self, account: &Account) -> Result<User> {
        let mut users = self.users(std::slice::from_ref(account)).await?;
        users.pop().ok_or_else(|| Error::internal("one account gave no user"))
    }

    /// Accounts as a list shows them.
    pub async fn users(&self, accounts: &[Account]) -> Result<Vec<User>> {
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let statuses = self.presence.statuses(&ids).await?;
        let users = accounts.iter().zip(statuses).map(|(account, status)| User {
            id: account.id,
            username: account.username.clone(),
            email: account.email.clone(),
            name: account.name.clone(),
            image: account.image.clone(),
            role: account.role,
            driver_number: account.driver_number,
            is_online: status.is_online,
            last_seen: status.last_seen.unwrap_or(account.created_at),
            created_at: account.created_at,
        });
        Ok(users.collect())
    }
}

fn taken(field: &'static str) -> Error {
    let details = vec![FieldError { field: field.into(), message: "is taken".into() }];
    Error { details, ..Error::conflict(format!("The {field} is taken")) }
}

fn name_key(name: &LoginName) -> String {
    match name {
        LoginName::Username(key) | LoginName::Email(key) => key.clone(),
    }
}
