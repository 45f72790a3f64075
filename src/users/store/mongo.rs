//! The directory of users on MongoDB: the documents that the accounts' store inserts.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::{ChangedProfile, UserStore};
use crate::auth::model::Account;
use crate::auth::store::mongo::{AccountRow, EMAIL_UNIQUE, USERS};
use crate::error::Result;
use crate::ids::UserId;
use crate::store::mongo::Mongo;
use crate::store::mongo::operation::{LIMIT, bounded, duplicate_key, run, to_error};
use crate::users::model::{ProfileChange, UserQuery};

/// [`UserStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoUserStore {
    users: Collection<AccountRow>,
}

impl MongoUserStore {
    /// The store in this database, whose schema must be up to date (the accounts' migrations).
    pub fn new(db: &Mongo) -> Self {
        Self { users: db.collection(USERS) }
    }
}

#[async_trait]
impl UserStore for MongoUserStore {
    async fn accounts(&self, query: &UserQuery) -> Result<Vec<Account>> {
        // To the database, 0 means no limit, and what no name can hold is a broken expression.
        if query.limit == 0 || query.search.as_deref().is_some_and(is_no_part_of_a_name) {
            return Ok(Vec::new());
        }
        let (filter, limit) = (filter(query), i64::from(query.limit));
        let users = self.users.clone();
        let rows: Vec<AccountRow> = run(async move {
            users
                .find(filter)
                .sort(doc! { "usernameKey": 1 })
                .limit(limit)
                .await?
                .try_collect()
                .await
        })
        .await?;
        Ok(rows.into_iter().map(Account::from).collect())
    }

    async fn change_profile(&self, id: UserId, change: &ProfileChange) -> Result<ChangedProfile> {
        let users = self.users.clone();
        let update = update(change);
        let changed = bounded(LIMIT, async move {
            if update.is_empty() {
                return users.find_one(doc! { "_id": id }).await;
            }
            users
                .find_one_and_update(doc! { "_id": id }, update)
                .return_document(ReturnDocument::After)
                .await
        });
        match changed.await {
            Ok(Some(row)) => Ok(ChangedProfile::Changed(row.into())),
            Ok(None) => Ok(ChangedProfile::Missing),
            Err(error) if duplicate_key(&error) == Some(EMAIL_UNIQUE) => {
                Ok(ChangedProfile::EmailTaken)
            }
            Err(error) => Err(to_error(&error)),
        }
    }
}

fn filter(query: &UserQuery) -> Document {
    // The keys of erased accounts begin with this sign, and names with a letter, which is less.
    let mut names = doc! { "$lt": "~" };
    if let Some(after) = &query.after {
        names.insert("$gt", after);
    }
    let mut filter = doc! { "usernameKey": names };
    if let Some(part) = &query.search {
        let part = doc! { "$regex": literally(part), "$options": "i" };
        filter.insert("$or", vec![doc! { "usernameKey": &part }, doc! { "name": &part }]);
    }
    filter
}

fn is_no_part_of_a_name(text: &str) -> bool {
    text.contains('\0') || text.len() > 1000
}

/// A regular expression that finds just this text.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn update(change: &ProfileChange) -> Document {
    let (mut set, mut unset) = (Document::new(), Document::new());
    for (field, value) in [("name", &change.name), ("image", &change.image)] {
        match value {
            Some(Some(value)) => drop(set.insert(field, value)),
            Some(None) => drop(unset.insert(field, "")),
            None => {}
        }
    }
    if let Some(email) = &change.email {
        set.insert("email", email.as_str());
        set.insert("emailKey", email.key());
    }
    let parts = [("$set", set), ("$unset", unset)];
    parts
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(k, v)| (k.to_owned(), v.into()))
        .collect()
}
