//! Changing orders.

use mongodb::bson::{Bson, Document, doc, serialize_to_bson};
use mongodb::options::ReturnDocument;

use super::notices;
use super::rows::{EntryRow, RejectionRow};
use super::{MongoOrderStore, OFFERED_TO_UNIQUE};
use crate::error::{Error, Result};
use crate::ids::OrderId;
use crate::orders::model::{Change, Notice, Notify, Order, Passed, When};
use crate::orders::store::Changed;
use crate::orders::store::contents::ContentsRow;
use crate::store::mongo::geo::GeoPoint;
use crate::store::mongo::operation::{LIMIT, bounded, duplicate_key, run, to_error};

pub(super) async fn change(
    store: &MongoOrderStore,
    id: OrderId,
    when: &When,
    change: &Change,
) -> Result<Changed> {
    let (must, update) = (filter(id, when, change), update(change));
    let orders = store.orders.clone();
    let changed = bounded(LIMIT, async move {
        orders.find_one_and_update(must, update).return_document(ReturnDocument::After).await
    });
    match changed.await {
        Ok(Some(row)) => Ok(Changed::Done(Box::new(row.into()))),
        Ok(None) => Ok(Changed::Otherwise),
        Err(error) if duplicate_key(&error) == Some(OFFERED_TO_UNIQUE) => Ok(Changed::Busy),
        Err(error) => Err(to_error(&error)),
    }
}

/// Writes over what an order says, unless it has changed meanwhile.
pub(super) async fn redact(store: &MongoOrderStore, order: &Order) -> Result<bool> {
    let must = doc! {
        "_id": order.id,
        "status": order.status.word(),
        "updatedAt": order.updated_at,
        "rejections": { "$size": order.rejections.len() as i64 },
        "history": { "$size": order.history.len() as i64 },
    };
    let rejections: Vec<Bson> =
        order.rejections.iter().map(|one| RejectionRow::from(one).into()).collect();
    let history: Vec<Bson> = order.history.iter().map(|one| EntryRow::from(one).into()).collect();
    let contents = serialize_to_bson(&ContentsRow::<GeoPoint>::from(&order.contents));
    let contents = contents.map_err(Error::internal)?;
    let mut update = doc! {
        "$set": { "contents": contents, "rejections": rejections, "history": history },
    };
    if order.client_order_id.is_none() {
        update.insert("$unset", doc! { "clientOrderId": "" });
    }
    let orders = store.orders.clone();
    let outcome = run(async move { orders.update_one(must, update).await }).await?;
    Ok(outcome.matched_count == 1)
}

fn filter(id: OrderId, when: &When, change: &Change) -> Document {
    // What is null here must be missing there.
    let mut must = doc! {
        "_id": id,
        "status": when.status.word(),
        "driver": when.driver,
        "offeredTo": when.offered_to,
    };
    if let Some(rejection) = &change.rejection {
        must.insert("rejections.driver", doc! { "$ne": rejection.driver });
    }
    if let Notify::Set(notice) = change.notify {
        must.insert("history", doc! { "$size": i64::from(notice.no) - 1 });
    }
    must
}

fn update(change: &Change) -> Document {
    let (mut set, mut unset) = (Document::new(), Document::new());
    set.insert("status", change.status.word());
    set.insert("earnings", change.earnings.minor());
    set.insert("updatedAt", change.at);
    let optional: [(&str, Option<Bson>); 3] = [
        ("driver", change.driver.map(Bson::from)),
        ("offeredTo", change.offered_to.map(Bson::from)),
        ("dispatchAt", change.dispatch_at.map(Bson::from)),
    ];
    for (field, value) in optional {
        match value {
            Some(value) => set.insert(field, value),
            None => unset.insert(field, ""),
        };
    }
    let mut push = Document::new();
    if let Some(rejection) = &change.rejection {
        push.insert("rejections", RejectionRow::from(rejection));
    }
    if let Some(entry) = &change.entry {
        push.insert("history", EntryRow::from(entry));
    }
    let (mut add, mut pull) = (Document::new(), Document::new());
    match change.passed {
        Passed::Keep => {}
        Passed::Add(driver) => drop(add.insert("passed", driver)),
        Passed::Remove(driver) => drop(pull.insert("passed", driver)),
    }
    match change.notify {
        Notify::Keep => {}
        Notify::Set(Notice { driver, no, kind }) => {
            let notice = doc! { "no": i64::from(no), "kind": kind.word() };
            set.insert(notices::field(driver), notice);
            add.insert("untold", driver);
        }
        Notify::Clear(driver) => {
            unset.insert(notices::field(driver), "");
            pull.insert("untold", driver);
        }
    }
    let parts =
        [("$set", set), ("$unset", unset), ("$push", push), ("$addToSet", add), ("$pull", pull)];
    let said = parts.into_iter().filter(|(_, fields)| !fields.is_empty());
    said.map(|(operator, fields)| (operator.to_owned(), fields.into())).collect()
}
