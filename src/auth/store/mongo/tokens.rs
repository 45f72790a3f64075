//! Login sessions, and the refresh and reset tokens that belong to them.

use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Binary, Bson, DateTime, doc};
use serde::{Deserialize, Serialize};

use super::MongoAuthStore;
use crate::auth::model::{Login, RefreshToken, TokenHash};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};
use crate::store::mongo::fields::binary;
use crate::store::mongo::operation::{LIMIT, bounded, duplicate_key, run, to_error};

pub(super) const LOGINS: &str = "logins";
pub(super) const REFRESH_TOKENS: &str = "refresh_tokens";
pub(super) const RESET_TOKENS: &str = "reset_tokens";
/// Expired tokens removed at a time, so that no operation is long.
const SWEEP: i64 = 1000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    user_id: ObjectId,
    created_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefreshRow {
    #[serde(rename = "_id")]
    hash: Binary,
    login_id: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<DateTime>,
    expires_at: DateTime,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResetRow {
    #[serde(rename = "_id")]
    hash: Binary,
    user_id: ObjectId,
    expires_at: DateTime,
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self {
            id: row.id.into(),
            user: row.user_id.into(),
            created_at: row.created_at.into(),
            ended_at: row.ended_at.map(Timestamp::from),
        }
    }
}

impl TryFrom<RefreshRow> for RefreshToken {
    type Error = Error;

    fn try_from(row: RefreshRow) -> Result<Self> {
        let hash = row.hash.bytes.try_into();
        Ok(Self {
            hash: hash.map_err(|_| Error::internal("a stored token hash is not 32 bytes long"))?,
            login: row.login_id.into(),
            used_at: row.used_at.map(Timestamp::from),
            expires_at: row.expires_at.into(),
        })
    }
}

pub(super) async fn insert_login(store: &MongoAuthStore, login: &Login) -> Result<()> {
    let row = LoginRow {
        id: login.id.into(),
        user_id: login.user.into(),
        created_at: login.created_at.into(),
        ended_at: login.ended_at.map(DateTime::from),
    };
    let logins = store.logins.clone();
    run(async move { logins.insert_one(row).await }).await?;
    Ok(())
}

pub(super) async fn login(store: &MongoAuthStore, id: LoginId) -> Result<Option<Login>> {
    let logins = store.logins.clone();
    let found = run(async move { logins.find_one(doc! { "_id": id }).await }).await?;
    Ok(found.map(Login::from))
}

pub(super) async fn logins(
    store: &MongoAuthStore,
    user: UserId,
    after: Option<LoginId>,
    limit: u32,
) -> Result<Vec<Login>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut of = doc! { "userId": user };
    of.extend(after.map(|after| ("_id".to_owned(), doc! { "$gt": after }.into())));
    let logins = store.logins.clone();
    let rows: Vec<LoginRow> = run(async move {
        logins.find(of).sort(doc! { "_id": 1 }).limit(limit.into()).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(Login::from).collect())
}

/// Removes every login session of a user, and all tokens. The sessions last: they lead to the
/// tokens, also when this stops half-way.
pub(super) async fn remove_all(store: &MongoAuthStore, user: UserId) -> Result<()> {
    let resets = store.reset_tokens.clone();
    run(async move { resets.delete_many(doc! { "userId": user }).await }).await?;
    loop {
        let some = logins(store, user, None, SWEEP as u32).await?;
        if some.is_empty() {
            return Ok(());
        }
        let ids: Vec<Bson> = some.iter().map(|login| login.id.into()).collect();
        let (tokens, logins) = (store.refresh_tokens.clone(), store.logins.clone());
        run(async move {
            tokens.delete_many(doc! { "loginId": { "$in": &ids } }).await?;
            logins.delete_many(doc! { "_id": { "$in": &ids } }).await
        })
        .await?;
    }
}

pub(super) async fn end_login(store: &MongoAuthStore, id: LoginId, now: Timestamp) -> Result<bool> {
    let open = doc! { "_id": id, "endedAt": Bson::Null };
    let ended = doc! { "$set": { "endedAt": now } };
    let logins = store.logins.clone();
    let outcome = run(async move { logins.update_one(open, ended).await }).await?;
    Ok(outcome.modified_count == 1)
}

pub(super) async fn end_logins(
    store: &MongoAuthStore,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<LoginId>> {
    let logins = store.logins.clone();
    let ended = run(async move {
        let open: Vec<LoginRow> = logins
            .find(doc! { "userId": user, "endedAt": Bson::Null })
            .await?
            .try_collect()
            .await?;
        let ids: Vec<ObjectId> = open.iter().map(|row| row.id).collect();
        let still_open = doc! { "_id": { "$in": &ids }, "endedAt": Bson::Null };
        logins.update_many(still_open, doc! { "$set": { "endedAt": now } }).await?;
        Ok(ids)
    });
    Ok(ended.await?.into_iter().map(LoginId::from).collect())
}

pub(super) async fn insert_refresh_token(
    store: &MongoAuthStore,
    token: &RefreshToken,
) -> Result<()> {
    let row = RefreshRow {
        hash: binary(&token.hash),
        login_id: token.login.into(),
        used_at: token.used_at.map(DateTime::from),
        expires_at: token.expires_at.into(),
    };
    let tokens = store.refresh_tokens.clone();
    match bounded(LIMIT, async move { tokens.insert_one(row).await }).await {
        Ok(_) => Ok(()),
        Err(error) if duplicate_key(&error).is_some() => Ok(()),
        Err(error) => Err(to_error(&error)),
    }
}

pub(super) async fn use_refresh_token(
    store: &MongoAuthStore,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Option<RefreshToken>> {
    let first_use = vec![doc! { "$set": { "usedAt": { "$ifNull": ["$usedAt", now] } } }];
    let tokens = store.refresh_tokens.clone();
    // The document comes back as it was before, which is what tells the first use from the rest.
    let before = run(async move {
        tokens.find_one_and_update(doc! { "_id": binary(&hash) }, first_use).await
    })
    .await?;
    before.map(RefreshToken::try_from).transpose()
}

pub(super) async fn insert_reset_token(
    store: &MongoAuthStore,
    hash: TokenHash,
    user: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    let row = ResetRow { hash: binary(&hash), user_id: user.into(), expires_at: expires_at.into() };
    let tokens = store.reset_tokens.clone();
    run(async move { tokens.insert_one(row).await }).await?;
    Ok(())
}

pub(super) async fn remove_reset_tokens(store: &MongoAuthStore, user: UserId) -> Result<()> {
    let tokens = store.reset_tokens.clone();
    run(async move { tokens.delete_many(doc! { "userId": user }).await }).await?;
    Ok(())
}

pub(super) async fn take_reset_token(
    store: &MongoAuthStore,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Option<UserId>> {
    let good = doc! { "_id": binary(&hash), "expiresAt": { "$gt": now } };
    let tokens = store.reset_tokens.clone();
    let taken = run(async move { tokens.find_one_and_delete(good).await }).await?;
    Ok(taken.map(|row| row.user_id.into()))
}

pub(super) async fn remove_expired(store: &MongoAuthStore, now: Timestamp) -> Result<()> {
    let resets = store.reset_tokens.clone();
    run(async move { resets.delete_many(doc! { "expiresAt": { "$lt": now } }).await }).await?;
    while remove_some_expired(store, now).await? {}
    Ok(())
}

/// Removes a handful of expired refresh tokens and the login sessions that had only such; whether
/// there was anything to remove.
async fn remove_some_expired(store: &MongoAuthStore, now: Timestamp) -> Result<bool> {
    let (tokens, logins) = (store.refresh_tokens.clone(), store.logins.clone());
    run(async move {
        let expired: Vec<RefreshRow> = tokens
            .find(doc! { "expiresAt": { "$lt": now } })
            .limit(SWEEP)
            .await?
            .try_collect()
            .await?;
        let of: Vec<ObjectId> = expired.iter().map(|token| token.login_id).collect();
        let reached = tokens
            .distinct("loginId", doc! { "loginId": { "$in": &of }, "expiresAt": { "$gte": now } })
            .await?;
        // Logins first: if this stops half-way, the tokens still lead here the next time.
        logins.delete_many(doc! { "_id": { "$in": of, "$nin": reached } }).await?;
        let hashes: Vec<Bson> = expired.into_iter().map(|token| token.hash.into()).collect();
        let any = !hashes.is_empty();
        tokens.delete_many(doc! { "_id": { "$in": hashes } }).await?;
        Ok(any)
    })
    .await
}
