//! Accounts, and the numbers of drivers.

use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::options::ReturnDocument;
use serde::{Deserialize, Serialize};

use super::MongoAuthStore;
use crate::auth::model::{Account, Ban, ERASED, LOCKED, NewAccount, erased_key};
use crate::auth::store::InsertedAccount;
use crate::caller::Role;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::store::mongo::operation::{LIMIT, bounded, duplicate_key, run, to_error};
use crate::text::Description;

/// Where accounts are.
pub(crate) const USERS: &str = "users";
/// Keeps usernames unique.
pub(super) const USERNAME_UNIQUE: &str = "usernameKey_unique";
/// Keeps addresses unique.
pub(crate) const EMAIL_UNIQUE: &str = "emailKey_unique";

/// An account as a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    username: String,
    username_key: String,
    email: String,
    email_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_number: Option<i64>,
    password_hash: String,
    created_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    ban: Option<BanRow>,
}

/// A ban, within the account's document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BanRow {
    by: ObjectId,
    at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<BanRow> for Ban {
    fn from(row: BanRow) -> Self {
        let reason = row.reason.map(Description::from_stored);
        Self { by: row.by.into(), at: row.at.into(), reason }
    }
}

impl AccountRow {
    fn new(account: NewAccount, driver_number: Option<i64>) -> Self {
        Self {
            id: account.id.into(),
            username_key: account.username.key(),
            username: account.username.as_str().to_owned(),
            email_key: account.email.key(),
            email: account.email.as_str().to_owned(),
            name: account.name,
            image: account.image,
            role: account.role,
            driver_number,
            password_hash: account.password_hash,
            created_at: account.created_at.into(),
            ban: None,
        }
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id.into(),
            username: row.username,
            email: row.email,
            name: row.name,
            image: row.image,
            role: row.role,
            driver_number: row.driver_number,
            password_hash: row.password_hash,
            created_at: row.created_at.into(),
            ban: row.ban.map(|ban| Box::new(ban.into())),
        }
    }
}

/// The last number given out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Counter {
    #[serde(rename = "_id")]
    name: String,
    last: i64,
}

pub(super) async fn insert_account(
    store: &MongoAuthStore,
    account: NewAccount,
) -> Result<InsertedAccount> {
    // Asked first so that a name that is taken uses up no driver's number.
    if let Some(taken) = taken(store, &account).await? {
        return Ok(taken);
    }
    let number = match account.role {
        Role::Driver => Some(next_driver_number(store).await?),
        Role::User | Role::Restaurant | Role::Admin => None,
    };
    let row = AccountRow::new(account.clone(), number);
    let users = store.users.clone();
    let inserted = bounded(LIMIT, async move { users.insert_one(&row).await.map(|_| row) }).await;
    match inserted {
        Ok(row) => Ok(InsertedAccount::Stored(row.into())),
        // Somebody was faster; both values may be taken by now, and the name is told first.
        Err(error) if duplicate_key(&error).is_some() => match taken(store, &account).await? {
            Some(taken) => Ok(taken),
            None => Err(Error::internal(&error.kind)),
        },
        Err(error) => Err(to_error(&error)),
    }
}

pub(super) async fn drivers(
    store: &MongoAuthStore,
    after: i64,
    limit: u32,
) -> Result<Vec<Account>> {
    let after = doc! { "driverNumber": { "$gt": after }, "usernameKey": { "$lt": "~" } };
    page(store, after, doc! { "driverNumber": 1 }, limit).await
}

pub(super) async fn banned(
    store: &MongoAuthStore,
    after: &str,
    limit: u32,
) -> Result<Vec<Account>> {
    let after = doc! { "usernameKey": { "$gt": after }, "ban": { "$exists": true } };
    page(store, after, doc! { "usernameKey": 1 }, limit).await
}

async fn page(
    store: &MongoAuthStore,
    filter: Document,
    order: Document,
    limit: u32,
) -> Result<Vec<Account>> {
    let users = store.users.clone();
    let rows: Vec<AccountRow> = run(async move {
        users.find(filter).sort(order).limit(limit.into()).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(Account::from).collect())
}

async fn taken(store: &MongoAuthStore, account: &NewAccount) -> Result<Option<InsertedAccount>> {
    let (username, email) = (account.username.key(), account.email.key());
    if find_account(store, doc! { "usernameKey": username }).await?.is_some() {
        return Ok(Some(InsertedAccount::UsernameTaken));
    }
    let found = find_account(store, doc! { "emailKey": email }).await?;
    Ok(found.map(|_| InsertedAccount::EmailTaken))
}

async fn next_driver_number(store: &MongoAuthStore) -> Result<i64> {
    let counters = store.counters.clone();
    let counter = run(async move {
        counters
            .find_one_and_update(doc! { "_id": "driverNumber" }, doc! { "$inc": { "last": 1_i64 } })
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await
    })
    .await?;
    counter.map(|counter| counter.last).ok_or_else(|| Error::internal("no counter after $inc"))
}

pub(super) async fn find_account(
    store: &MongoAuthStore,
    filter: Document,
) -> Result<Option<Account>> {
    let users = store.users.clone();
    let found = run(async move { users.find_one(filter).await }).await?;
    Ok(found.map(Account::from))
}

pub(super) async fn set_password(
    store: &MongoAuthStore,
    id: UserId,
    password_hash: &str,
) -> Result<()> {
    let users = store.users.clone();
    let change = doc! { "$set": { "passwordHash": password_hash } };
    run(async move { users.update_one(doc! { "_id": id }, change).await }).await?;
    Ok(())
}

pub(super) async fn set_ban(
    store: &MongoAuthStore,
    id: UserId,
    ban: Option<&Ban>,
) -> Result<Option<Account>> {
    let change = match ban {
        Some(Ban { by, at, reason: None }) => doc! { "$set": { "ban": { "by": by, "at": at } } },
        Some(Ban { by, at, reason: Some(reason) }) => {
            doc! { "$set": { "ban": { "by": by, "at": at, "reason": reason.as_str() } } }
        }
        None => doc! { "$unset": { "ban": "" } },
    };
    let users = store.users.clone();
    let changed = run(async move {
        users
            .find_one_and_update(doc! { "_id": id }, change)
            .return_document(ReturnDocument::After)
            .await
    });
    Ok(changed.await?.map(Account::from))
}

/// Takes everything from an account that is somebody's.
pub(super) async fn erase(store: &MongoAuthStore, id: UserId) -> Result<()> {
    let users = store.users.clone();
    let key = erased_key(id);
    let change = doc! {
        "$set": {
            "username": ERASED, "usernameKey": &key, "email": "", "emailKey": &key,
            "passwordHash": LOCKED,
        },
        "$unset": { "name": "", "image": "", "ban": "" },
    };
    run(async move { users.update_one(doc! { "_id": id }, change).await }).await?;
    Ok(())
}
