//! The directory of users on SQLite. It has no tables of its own: the accounts are
//! [`crate::auth::store::embedded`]'s, and so is the mapping of their rows.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{ChangedProfile, UserStore};
use crate::auth::model::Account;
use crate::auth::store::embedded::accounts;
use crate::error::Result;
use crate::ids::UserId;
use crate::store::embedded::Embedded;
use crate::users::model::{ProfileChange, UserQuery};

/// The directory of users in the embedded database.
#[derive(Clone)]
pub struct EmbeddedUserStore(Embedded);

impl EmbeddedUserStore {
    /// On a database that was opened with [`crate::auth::store::embedded::MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl UserStore for EmbeddedUserStore {
    async fn accounts(&self, query: &UserQuery) -> Result<Vec<Account>> {
        let query = query.clone();
        self.0.read(move |db| find(db, &query)).await
    }

    async fn change_profile(&self, id: UserId, change: &ProfileChange) -> Result<ChangedProfile> {
        let change = change.clone();
        self.0.write(move |db| self::change(db, id, change)).await
    }
}

/// `instr` and not `LIKE`: every character of a search stands for itself.
fn find(db: &Connection, query: &UserQuery) -> rusqlite::Result<Vec<Account>> {
    db.prepare_cached(concat!(
        "SELECT ",
        accounts::columns!(),
        " FROM accounts
          WHERE username_key > ?1 AND username_key < '~'
            AND (?2 IS NULL OR instr(username_key, ?2) > 0 OR instr(name_key, ?2) > 0)
          ORDER BY username_key LIMIT ?3"
    ))?
    .query_map(
        params![query.after.as_deref().unwrap_or_default(), query.search, query.limit],
        accounts::from_row,
    )?
    .collect()
}

fn change(db: &Connection, id: UserId, change: ProfileChange) -> rusqlite::Result<ChangedProfile> {
    let Some(mut account) = accounts::by_id(db, id)? else { return Ok(ChangedProfile::Missing) };
    if let Some(email) = change.email {
        if accounts::email_is_taken(db, &email.key(), id)? {
            return Ok(ChangedProfile::EmailTaken);
        }
        db.prepare_cached("UPDATE accounts SET email_key = ?2 WHERE id = ?1")?
            .execute(params![id, email.key()])?;
        account.email = email.as_str().to_owned();
    }
    account.name = change.name.unwrap_or(account.name);
    account.image = change.image.unwrap_or(account.image);
    db.prepare_cached(
        "UPDATE accounts SET email = ?2, name = ?3, name_key = ?4, image = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id,
        account.email,
        account.name,
        accounts::name_key(account.name.as_deref()),
        account.image,
    ])?;
    Ok(ChangedProfile::Changed(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::model::NewAccount;
    use crate::auth::store::embedded::{EmbeddedAuthStore, MIGRATIONS};
    use crate::auth::store::{AuthStore, InsertedAccount};
    use crate::caller::Role;
    use crate::clock::Timestamp;
    use crate::store::embedded::scratch::Scratch;

    const NOW: Timestamp = Timestamp::from_millis(1_705_314_600_123);

    async fn register(db: &Scratch, username: &str, name: &str) -> Account {
        let account = NewAccount {
            id: UserId::generate(NOW),
            username: username.parse().unwrap(),
            email: format!("{username}@example.com").parse().unwrap(),
            name: Some(name.to_owned()),
            image: None,
            role: Role::User,
            password_hash: String::new(),
            created_at: NOW,
        };
        match EmbeddedAuthStore::new((*db).clone()).insert_account(account).await.unwrap() {
            InsertedAccount::Stored(account) => account,
            taken => panic!("{taken:?}"),
        }
    }

    async fn found(db: &Scratch, search: &str) -> Vec<String> {
        let search = Some(search.to_owned());
        let query = UserQuery { search, after: None, limit: 10 };
        let accounts = EmbeddedUserStore::new((*db).clone()).accounts(&query).await.unwrap();
        accounts.into_iter().map(|account| account.username).collect()
    }

    #[tokio::test]
    async fn a_search_takes_every_character_as_itself() {
        let db = Scratch::new(MIGRATIONS);
        register(&db, "Under_score", "100% Élodie").await;
        register(&db, "underXscore", "1000 \\ Bob").await;
        assert_eq!(found(&db, "r_s").await, ["Under_score"]);
        assert_eq!(found(&db, "0%").await, ["Under_score"]);
        assert_eq!(found(&db, "\\").await, ["underXscore"]);
        assert_eq!(found(&db, "élo").await, ["Under_score"]);
        assert_eq!(found(&db, "under").await, ["Under_score", "underXscore"]);
    }

    #[tokio::test]
    async fn a_changed_name_is_found_and_the_old_one_is_not() {
        let db = Scratch::new(MIGRATIONS);
        let account = register(&db, "alice", "Old").await;
        let name = Some(Some("NEW".to_owned()));
        let change = ProfileChange { name, ..ProfileChange::default() };
        let store = EmbeddedUserStore::new((*db).clone());
        let changed = store.change_profile(account.id, &change).await.unwrap();
        let ChangedProfile::Changed(changed) = changed else { panic!("{changed:?}") };
        assert_eq!((changed.name.as_deref(), changed.email), (Some("NEW"), account.email));
        assert_eq!((found(&db, "new").await.len(), found(&db, "old").await.len()), (1, 0));
    }
}
