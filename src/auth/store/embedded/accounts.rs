//! The one mapping between accounts and their rows, shared with the directory of users.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::auth::model::{Account, Ban, ERASED, LOCKED, NewAccount, erased_key};
use crate::auth::store::InsertedAccount;
use crate::caller::Role;
use crate::ids::UserId;
use crate::store::embedded::word;
use crate::text::Description;

/// The columns that [`from_row`] reads, in its order, as a literal for `concat!`.
macro_rules! columns {
    () => {
        "id, username, email, name, image, role, driver_number, password_hash, created_at, \
         banned_at, banned_by, ban_reason"
    };
}
pub(crate) use columns;

/// The account in a row of [`columns`].
pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        username: row.get(1)?,
        email: row.get(2)?,
        name: row.get(3)?,
        image: row.get(4)?,
        role: word(row, 5)?,
        driver_number: row.get(6)?,
        password_hash: row.get(7)?,
        created_at: row.get(8)?,
        ban: ban_from_row(row)?,
    })
}

fn ban_from_row(row: &Row<'_>) -> rusqlite::Result<Option<Box<Ban>>> {
    let Some(at) = row.get(9)? else { return Ok(None) };
    let reason: Option<String> = row.get(11)?;
    let reason = reason.map(Description::from_stored);
    Ok(Some(Box::new(Ban { at, by: row.get(10)?, reason })))
}

/// The account with this id.
pub(crate) fn by_id(db: &Connection, id: UserId) -> rusqlite::Result<Option<Account>> {
    one(db, concat!("SELECT ", columns!(), " FROM accounts WHERE id = ?1"), [id])
}

/// The account that `sql` selects the [`columns`] of.
pub(super) fn one(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Option<Account>> {
    db.prepare_cached(sql)?.query_row(params, from_row).optional()
}

/// The accounts that `sql` selects the [`columns`] of.
pub(super) fn many(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<Account>> {
    db.prepare_cached(sql)?.query_map(params, from_row)?.collect()
}

/// Bans the account or lifts its ban, and gives it as it is then.
pub(super) fn set_ban(
    db: &Connection,
    id: UserId,
    ban: Option<&Ban>,
) -> rusqlite::Result<Option<Account>> {
    let reason = ban.and_then(|ban| ban.reason.as_ref()).map(Description::as_str);
    db.prepare_cached(
        "UPDATE accounts SET banned_at = ?2, banned_by = ?3, ban_reason = ?4 WHERE id = ?1",
    )?
    .execute(params![id, ban.map(|ban| ban.at), ban.map(|ban| ban.by), reason])?;
    by_id(db, id)
}

/// Whether this address belongs to an account other than `but`.
pub(crate) fn email_is_taken(db: &Connection, key: &str, but: UserId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM accounts WHERE email_key = ?1 AND id <> ?2")?
        .exists(params![key, but])
}

/// What a display name is searched by: itself without regard to case, in every script.
pub(crate) fn name_key(name: Option<&str>) -> Option<String> {
    name.map(str::to_lowercase)
}

/// Inserts an account. Looking first and then writing is safe where one thread writes.
pub(super) fn insert(db: &Connection, new: NewAccount) -> rusqlite::Result<InsertedAccount> {
    let taken = db
        .prepare_cached("SELECT 1 FROM accounts WHERE username_key = ?1")?
        .exists([new.username.key()])?;
    if taken {
        return Ok(InsertedAccount::UsernameTaken);
    }
    if email_is_taken(db, &new.email.key(), new.id)? {
        return Ok(InsertedAccount::EmailTaken);
    }
    let driver_number = match new.role {
        Role::Driver => Some(next_driver_number(db)?),
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO accounts (id, username, username_key, email, email_key, name, name_key,
                               image, role, driver_number, password_hash, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        new.id,
        new.username.as_str(),
        new.username.key(),
        new.email.as_str(),
        new.email.key(),
        new.name,
        name_key(new.name.as_deref()),
        new.image,
        new.role.word(),
        driver_number,
        new.password_hash,
        new.created_at,
    ])?;
    Ok(InsertedAccount::Stored(Account {
        id: new.id,
        username: new.username.as_str().to_owned(),
        email: new.email.as_str().to_owned(),
        name: new.name,
        image: new.image,
        role: new.role,
        driver_number,
        password_hash: new.password_hash,
        created_at: new.created_at,
        ban: None,
    }))
}

/// Takes everything from an account that is somebody's.
pub(super) fn erase(db: &Connection, id: UserId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE accounts SET username = ?2, username_key = ?3, email = '', email_key = ?3,
             name = NULL, name_key = NULL, image = NULL, password_hash = ?4,
             banned_at = NULL, banned_by = NULL, ban_reason = NULL
         WHERE id = ?1",
    )?
    .execute(params![id, ERASED, erased_key(id), LOCKED])
    .map(drop)
}

fn next_driver_number(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(driver_number), 0) + 1 FROM accounts")?
        .query_row([], |row| row.get(0))
}
