//! Accounts, login sessions and tokens on SQLite.

pub(crate) mod accounts;
mod logins;

use async_trait::async_trait;
use rusqlite::params;

use super::{AuthStore, InsertedAccount};
use crate::auth::model::{Account, Ban, Login, LoginName, NewAccount, RefreshToken, TokenHash};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{LoginId, UserId};
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The tables of accounts, login sessions and tokens.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        domain: "auth",
        version: 1,
        sql: "
        CREATE TABLE accounts (
            id            BLOB PRIMARY KEY,
            username      TEXT NOT NULL,
            username_key  TEXT NOT NULL UNIQUE,
            email         TEXT NOT NULL,
            email_key     TEXT NOT NULL UNIQUE,
            name          TEXT,
            name_key      TEXT,
            image         TEXT,
            role          TEXT NOT NULL,
            driver_number INTEGER UNIQUE,
            password_hash TEXT NOT NULL,
            created_at    INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE logins (
            id         BLOB PRIMARY KEY,
            user       BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            ended_at   INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX logins_open ON logins (user) WHERE ended_at IS NULL;

        CREATE TABLE refresh_tokens (
            hash       BLOB PRIMARY KEY,
            login      BLOB NOT NULL,
            used_at    INTEGER,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX refresh_tokens_login ON refresh_tokens (login);
        CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

        CREATE TABLE reset_tokens (
            hash       BLOB PRIMARY KEY,
            user       BLOB NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX reset_tokens_expiry ON reset_tokens (expires_at);",
    },
    Migration {
        domain: "auth",
        version: 2,
        sql: "
        ALTER TABLE accounts ADD COLUMN banned_at INTEGER;
        ALTER TABLE accounts ADD COLUMN banned_by BLOB;
        ALTER TABLE accounts ADD COLUMN ban_reason TEXT;
        CREATE INDEX accounts_banned ON accounts (username_key) WHERE banned_at IS NOT NULL;
        CREATE INDEX reset_tokens_user ON reset_tokens (user);",
    },
];

/// Accounts, login sessions and tokens in the embedded database.
#[derive(Clone)]
pub struct EmbeddedAuthStore(Embedded);

impl EmbeddedAuthStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl AuthStore for EmbeddedAuthStore {
    async fn insert_account(&self, account: NewAccount) -> Result<InsertedAccount> {
        self.0.write(move |db| accounts::insert(db, account)).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        self.0.read(move |db| accounts::by_id(db, id)).await
    }

    async fn account_by_login(&self, name: &LoginName) -> Result<Option<Account>> {
        const BY_USERNAME: &str =
            concat!("SELECT ", accounts::columns!(), " FROM accounts WHERE username_key = ?1");
        const BY_EMAIL: &str =
            concat!("SELECT ", accounts::columns!(), " FROM accounts WHERE email_key = ?1");
        let (sql, key) = match name {
            LoginName::Username(key) => (BY_USERNAME, key.clone()),
            LoginName::Email(key) => (BY_EMAIL, key.clone()),
        };
        self.0.read(move |db| accounts::one(db, sql, [key])).await
    }

    async fn account_of_driver(&self, number: i64) -> Result<Option<Account>> {
        const BY_NUMBER: &str =
            concat!("SELECT ", accounts::columns!(), " FROM accounts WHERE driver_number = ?1");
        self.0.read(move |db| accounts::one(db, BY_NUMBER, [number])).await
    }

    async fn drivers(&self, after: i64, limit: u32) -> Result<Vec<Account>> {
        const AFTER: &str = concat!(
            "SELECT ",
            accounts::columns!(),
            " FROM accounts WHERE driver_number > ?1 AND username_key < '~'
             ORDER BY driver_number LIMIT ?2"
        );
        self.0.read(move |db| accounts::many(db, AFTER, params![after, limit])).await
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<()> {
        let password_hash = password_hash.to_owned();
        self.0
            .write(move |db| {
                db.prepare_cached("UPDATE accounts SET password_hash = ?2 WHERE id = ?1")?
                    .execute(params![id, password_hash])
                    .map(drop)
            })
            .await
    }

    async fn set_ban(&self, id: UserId, ban: Option<&Ban>) -> Result<Option<Account>> {
        let ban = ban.cloned();
        self.0.write(move |db| accounts::set_ban(db, id, ban.as_ref())).await
    }

    async fn banned(&self, after: &str, limit: u32) -> Result<Vec<Account>> {
        const AFTER: &str = concat!(
            "SELECT ",
            accounts::columns!(),
            " FROM accounts WHERE username_key > ?1 AND banned_at IS NOT NULL
              ORDER BY username_key LIMIT ?2"
        );
        let after = after.to_owned();
        self.0.read(move |db| accounts::many(db, AFTER, params![after, limit])).await
    }

    async fn erase_account(&self, id: UserId) -> Result<()> {
        self.0
            .write(move |db| {
                accounts::erase(db, id)?;
                logins::remove_all(db, id)
            })
            .await
    }

    async fn insert_login(&self, login: &Login) -> Result<()> {
        let login = login.clone();
        self.0.write(move |db| logins::insert(db, &login)).await
    }

    async fn login(&self, id: LoginId) -> Result<Option<Login>> {
        self.0.read(move |db| logins::by_id(db, id)).await
    }

    async fn logins(&self, user: UserId, after: Option<LoginId>, limit: u32) -> Result<Vec<Login>> {
        self.0.read(move |db| logins::of_user(db, user, after, limit)).await
    }

    async fn end_login(&self, id: LoginId, now: Timestamp) -> Result<bool> {
        self.0.write(move |db| logins::end(db, id, now)).await
    }

    async fn end_logins(&self, user: UserId, now: Timestamp) -> Result<Vec<LoginId>> {
        self.0.write(move |db| logins::end_all(db, user, now)).await
    }

    async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<()> {
        let token = token.clone();
        self.0.write(move |db| logins::insert_refresh_token(db, &token)).await
    }

    async fn use_refresh_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>> {
        self.0.write(move |db| logins::use_refresh_token(db, hash, now)).await
    }

    async fn insert_reset_token(
        &self,
        hash: TokenHash,
        user: UserId,
        expires_at: Timestamp,
    ) -> Result<()> {
        self.0.write(move |db| logins::insert_reset_token(db, hash, user, expires_at)).await
    }

    async fn remove_reset_tokens(&self, user: UserId) -> Result<()> {
        self.0.write(move |db| logins::remove_reset_tokens(db, user)).await
    }

    async fn take_reset_token(&self, hash: TokenHash, now: Timestamp) -> Result<Option<UserId>> {
        self.0.write(move |db| logins::take_reset_token(db, hash, now)).await
    }

    async fn remove_expired(&self, now: Timestamp) -> Result<()> {
        self.0.write(move |db| logins::remove_expired(db, now)).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future;

    use super::*;
    use crate::caller::Role;
    use crate::store::embedded::scratch::Scratch;

    const NOW: Timestamp = Timestamp::from_millis(1_705_314_600_123);

    fn driver(count: usize) -> NewAccount {
        NewAccount {
            id: UserId::generate(NOW),
            username: format!("Driver{count}").parse().unwrap(),
            email: format!("driver{count}@Example.com").parse().unwrap(),
            name: None,
            image: None,
            role: Role::Driver,
            password_hash: "hash".to_owned(),
            created_at: NOW,
        }
    }

    #[tokio::test]
    async fn drivers_registered_at_once_get_the_numbers_from_1_on() {
        let db = Scratch::new(MIGRATIONS);
        let store = EmbeddedAuthStore::new(db.clone());
        let inserted = future::join_all((0..30).map(|count| store.insert_account(driver(count))));
        let mut numbers = Vec::new();
        for inserted in inserted.await {
            let Ok(InsertedAccount::Stored(account)) = inserted else { panic!("{inserted:?}") };
            assert_eq!(store.account(account.id).await.unwrap(), Some(account.clone()));
            numbers.extend(account.driver_number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_login_outlives_its_tokens_only_until_the_last_has_expired() {
        let db = Scratch::new(MIGRATIONS);
        let store = EmbeddedAuthStore::new(db.clone());
        let user = UserId::generate(NOW);
        let at = |seconds: u64| NOW + std::time::Duration::from_secs(seconds);
        let [used, fresh] = [0, 1].map(|_| Login {
            id: LoginId::generate(NOW),
            user,
            created_at: NOW,
            ended_at: None,
        });
        for login in [&used, &fresh] {
            store.insert_login(login).await.unwrap();
        }
        for expiry in [1, 2] {
            let token = RefreshToken {
                hash: [expiry; 32],
                login: used.id,
                used_at: None,
                expires_at: at(expiry.into()),
            };
            store.insert_refresh_token(&token).await.unwrap();
        }
        store.remove_expired(at(2)).await.unwrap();
        assert_eq!(store.use_refresh_token([1; 32], at(2)).await.unwrap(), None);
        assert!(store.login(used.id).await.unwrap().is_some());
        store.remove_expired(at(3)).await.unwrap();
        assert_eq!(store.login(used.id).await.unwrap(), None);
        assert!(store.login(fresh.id).await.unwrap().is_some(), "its first token is yet to come");
    }
}
