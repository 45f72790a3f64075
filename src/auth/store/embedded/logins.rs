//! Login sessions and the tokens that belong to them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::auth::model::{Login, RefreshToken, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{LoginId, UserId};

pub(super) fn insert(db: &Connection, login: &Login) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO logins (id, user, created_at, ended_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![login.id, login.user, login.created_at, login.ended_at])
    .map(drop)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Login> {
    Ok(Login { id: row.get(0)?, user: row.get(1)?, created_at: row.get(2)?, ended_at: row.get(3)? })
}

pub(super) fn by_id(db: &Connection, id: LoginId) -> rusqlite::Result<Option<Login>> {
    db.prepare_cached("SELECT id, user, created_at, ended_at FROM logins WHERE id = ?1")?
        .query_row([id], from_row)
        .optional()
}

pub(super) fn of_user(
    db: &Connection,
    user: UserId,
    after: Option<LoginId>,
    limit: u32,
) -> rusqlite::Result<Vec<Login>> {
    db.prepare_cached(
        "SELECT id, user, created_at, ended_at FROM logins
         WHERE user = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?
    .query_map(params![user, after.unwrap_or(LoginId::from_bytes([0; 12])), limit], from_row)?
    .collect()
}

/// Removes every login session of a user, and all tokens.
pub(super) fn remove_all(db: &Connection, user: UserId) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM reset_tokens WHERE user = ?1",
        "DELETE FROM refresh_tokens WHERE login IN (SELECT id FROM logins WHERE user = ?1)",
        "DELETE FROM logins WHERE user = ?1",
    ] {
        db.prepare_cached(sql)?.execute([user])?;
    }
    Ok(())
}

pub(super) fn end(db: &Connection, id: LoginId, now: Timestamp) -> rusqlite::Result<bool> {
    db.prepare_cached("UPDATE logins SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id, now])
        .map(|changed| changed > 0)
}

pub(super) fn end_all(
    db: &Connection,
    user: UserId,
    now: Timestamp,
) -> rusqlite::Result<Vec<LoginId>> {
    db.prepare_cached(
        "UPDATE logins SET ended_at = ?2 WHERE user = ?1 AND ended_at IS NULL RETURNING id",
    )?
    .query_map(params![user, now], |row| row.get(0))?
    .collect()
}

pub(super) fn insert_refresh_token(db: &Connection, token: &RefreshToken) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO refresh_tokens (hash, login, used_at, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (hash) DO NOTHING",
    )?
    .execute(params![token.hash, token.login, token.used_at, token.expires_at])
    .map(drop)
}

/// Marks the token as used and gives it as it was before.
pub(super) fn use_refresh_token(
    db: &Connection,
    hash: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<RefreshToken>> {
    let from_row = |row: &Row<'_>| {
        Ok(RefreshToken {
            hash: row.get(0)?,
            login: row.get(1)?,
            used_at: row.get(2)?,
            expires_at: row.get(3)?,
        })
    };
    let before = db
        .prepare_cached(
            "SELECT hash, login, used_at, expires_at FROM refresh_tokens WHERE hash = ?1",
        )?
        .query_row([hash], from_row)
        .optional()?;
    db.prepare_cached(
        "UPDATE refresh_tokens SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL",
    )?
    .execute(params![hash, now])?;
    Ok(before)
}

pub(super) fn insert_reset_token(
    db: &Connection,
    hash: TokenHash,
    user: UserId,
    expires_at: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO reset_tokens (hash, user, expires_at) VALUES (?1, ?2, ?3)")?
        .execute(params![hash, user, expires_at])
        .map(drop)
}

pub(super) fn remove_reset_tokens(db: &Connection, user: UserId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM reset_tokens WHERE user = ?1")?.execute([user]).map(drop)
}

/// Removes the token, and says whose it was if it was still good.
pub(super) fn take_reset_token(
    db: &Connection,
    hash: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<UserId>> {
    let taken: Option<(UserId, Timestamp)> = db
        .prepare_cached("DELETE FROM reset_tokens WHERE hash = ?1 RETURNING user, expires_at")?
        .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(taken.filter(|(_, expires_at)| *expires_at >= now).map(|(user, _)| user))
}

/// Removes expired tokens, and the login sessions whose last token that was. A session that has
/// no token *yet* stays: it may be about to get its first.
pub(super) fn remove_expired(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM reset_tokens WHERE expires_at < ?1")?.execute([now])?;
    let logins: Vec<LoginId> = db
        .prepare_cached("DELETE FROM refresh_tokens WHERE expires_at < ?1 RETURNING login")?
        .query_map([now], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut unreachable = db.prepare_cached(
        "DELETE FROM logins WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE login = ?1)",
    )?;
    for login in logins {
        unreachable.execute([login])?;
    }
    Ok(())
}
