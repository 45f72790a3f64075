//! Accounts, login sessions and tokens on MongoDB.

mod accounts;
mod tokens;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::{Collection, Database};

pub(crate) use self::accounts::{AccountRow, EMAIL_UNIQUE, USERS};
use self::accounts::{Counter, USERNAME_UNIQUE};
use self::tokens::{LoginRow, RefreshRow, ResetRow};
use super::{AuthStore, InsertedAccount};
use crate::auth::model::{Account, Ban, Login, LoginName, NewAccount, RefreshToken, TokenHash};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{LoginId, UserId};
use crate::store::mongo::index::{index, partial_index, partial_unique_index, unique_index};
use crate::store::mongo::{Mongo, MongoMigration};

/// The steps of the accounts' schema.
pub const MIGRATIONS: &[MongoMigration] = &[
    MongoMigration {
        domain: "auth",
        version: 1,
        apply: |database| Box::pin(create_indexes(database)),
    },
    MongoMigration { domain: "auth", version: 2, apply: |database| Box::pin(index_bans(database)) },
];

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    let numbered = doc! { "driverNumber": { "$exists": true } };
    database
        .collection::<AccountRow>(USERS)
        .create_indexes([
            unique_index(USERNAME_UNIQUE, doc! { "usernameKey": 1 }),
            unique_index(EMAIL_UNIQUE, doc! { "emailKey": 1 }),
            partial_unique_index("driverNumber_unique", doc! { "driverNumber": 1 }, numbered),
        ])
        .await?;
    database
        .collection::<LoginRow>(tokens::LOGINS)
        .create_index(index("user", doc! { "userId": 1 }))
        .await?;
    database
        .collection::<RefreshRow>(tokens::REFRESH_TOKENS)
        .create_indexes([
            index("expiry", doc! { "expiresAt": 1 }),
            index("login_expiry", doc! { "loginId": 1, "expiresAt": 1 }),
        ])
        .await?;
    database
        .collection::<ResetRow>(tokens::RESET_TOKENS)
        .create_index(index("expiry", doc! { "expiresAt": 1 }))
        .await?;
    Ok(())
}

async fn index_bans(database: Database) -> mongodb::error::Result<()> {
    let banned = doc! { "ban": { "$exists": true } };
    database
        .collection::<AccountRow>(USERS)
        .create_index(partial_index("banned", doc! { "usernameKey": 1, "ban.at": 1 }, banned))
        .await?;
    database
        .collection::<ResetRow>(tokens::RESET_TOKENS)
        .create_index(index("user", doc! { "userId": 1 }))
        .await?;
    Ok(())
}

/// [`AuthStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoAuthStore {
    users: Collection<AccountRow>,
    counters: Collection<Counter>,
    logins: Collection<LoginRow>,
    refresh_tokens: Collection<RefreshRow>,
    reset_tokens: Collection<ResetRow>,
}

impl MongoAuthStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self {
            users: db.collection(USERS),
            counters: db.collection("counters"),
            logins: db.collection(tokens::LOGINS),
            refresh_tokens: db.collection(tokens::REFRESH_TOKENS),
            reset_tokens: db.collection(tokens::RESET_TOKENS),
        }
    }
}

#[async_trait]
impl AuthStore for MongoAuthStore {
    async fn insert_account(&self, account: NewAccount) -> Result<InsertedAccount> {
        accounts::insert_account(self, account).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        accounts::find_account(self, doc! { "_id": id }).await
    }

    async fn account_by_login(&self, name: &LoginName) -> Result<Option<Account>> {
        let filter = match name {
            LoginName::Username(key) => doc! { "usernameKey": key },
            LoginName::Email(key) => doc! { "emailKey": key },
        };
        accounts::find_account(self, filter).await
    }

    async fn account_of_driver(&self, number: i64) -> Result<Option<Account>> {
        accounts::find_account(self, doc! { "driverNumber": number }).await
    }

    async fn drivers(&self, after: i64, limit: u32) -> Result<Vec<Account>> {
        accounts::drivers(self, after, limit).await
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<()> {
        accounts::set_password(self, id, password_hash).await
    }

    async fn set_ban(&self, id: UserId, ban: Option<&Ban>) -> Result<Option<Account>> {
        accounts::set_ban(self, id, ban).await
    }

    async fn banned(&self, after: &str, limit: u32) -> Result<Vec<Account>> {
        accounts::banned(self, after, limit).await
    }

    async fn erase_account(&self, id: UserId) -> Result<()> {
        accounts::erase(self, id).await?;
        tokens::remove_all(self, id).await
    }

    async fn insert_login(&self, login: &Login) -> Result<()> {
        tokens::insert_login(self, login).await
    }

    async fn login(&self, id: LoginId) -> Result<Option<Login>> {
        tokens::login(self, id).await
    }

    async fn logins(&self, user: UserId, after: Option<LoginId>, limit: u32) -> Result<Vec<Login>> {
        tokens::logins(self, user, after, limit).await
    }

    async fn end_login(&self, id: LoginId, now: Timestamp) -> Result<bool> {
        tokens::end_login(self, id, now).await
    }

    async fn end_logins(&self, user: UserId, now: Timestamp) -> Result<Vec<LoginId>> {
        tokens::end_logins(self, user, now).await
    }

    async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<()> {
        tokens::insert_refresh_token(self, token).await
    }

    async fn use_refresh_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>> {
        tokens::use_refresh_token(self, hash, now).await
    }

    async fn insert_reset_token(
        &self,
        hash: TokenHash,
        user: UserId,
        expires_at: Timestamp,
    ) -> Result<()> {
        tokens::insert_reset_token(self, hash, user, expires_at).await
    }

    async fn remove_reset_tokens(&self, user: UserId) -> Result<()> {
        tokens::remove_reset_tokens(self, user).await
    }

    async fn take_reset_token(&self, hash: TokenHash, now: Timestamp) -> Result<Option<UserId>> {
        tokens::take_reset_token(self, hash, now).await
    }

    async fn remove_expired(&self, now: Timestamp) -> Result<()> {
        tokens::remove_expired(self, now).await
    }
}
