//! One operation on the database: bounded in time, its failure turned into a word for clients.

use std::future::Future;
use std::time::Duration;

use mongodb::Database;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error as DriverError, ErrorKind, RETRYABLE_WRITE_ERROR, WriteFailure};

use crate::error::{Error, Result};

/// The longest an operation may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// A unique index refused a document.
const DUPLICATE_KEY: i32 = 11000;
/// Not primary, stepping down, shutting down, unreachable, out of time, not replicated in time:
/// what the driver's specification lists as retryable, and the codes of time limits (50, 64).
const OUTAGE_CODES: [i32; 17] =
    [6, 7, 50, 64, 89, 91, 134, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436, 317];

/// Runs an operation within [`LIMIT`].
///
/// # Errors
/// `unavailable` when the database cannot be reached or is too slow, else `internal`.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
) -> Result<T> {
    bounded(LIMIT, work).await.map_err(|error| to_error(&error))
}

/// Runs an operation within `limit`; the driver's error, for those who must look into it. After a
/// time-out the outcome is unknown: the operation may still happen.
pub(crate) async fn bounded<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
) -> Result<T, DriverError> {
    // The driver asks that its futures are never dropped half-way, so they run in their own task.
    match tokio::time::timeout(limit, tokio::spawn(work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(ended)) => Err(DriverError::custom(ended.to_string())),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// What a client hears of a driver's error, which is logged here.
pub(crate) fn to_error(error: &DriverError) -> Error {
    if is_outage(error) {
        tracing::warn!(cause = %error.kind, "the database cannot be reached");
        Error::unavailable("The database cannot be reached")
    } else {
        Error::internal(&error.kind)
    }
}

/// Whether the database was out of reach, as opposed to refusing what was asked. What a write
/// that failed like this did is unknown.
pub(crate) fn is_outage(error: &DriverError) -> bool {
    let code = match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Shutdown
        | ErrorKind::Write(WriteFailure::WriteConcernError(_)) => return true,
        ErrorKind::InsertMany(failure) => return failure.write_concern_error.is_some(),
        ErrorKind::Command(failure) => failure.code,
        _ => 0,
    };
    OUTAGE_CODES.contains(&code) || error.contains_label(RETRYABLE_WRITE_ERROR)
}

/// The unique index that refused a single write, if that is what happened.
pub(crate) fn duplicate_key(error: &DriverError) -> Option<&str> {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(refused)) => {
            refused_index(refused.code, &refused.message)
        }
        // What findAndModify answers.
        ErrorKind::Command(refused) => refused_index(refused.code, &refused.message),
        _ => None,
    }
}

/// The unique index named by a write error. The driver has no field for it, and its place in
/// the text is before anything that a user wrote.
pub(crate) fn refused_index(code: i32, message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(" index: ")?;
    rest.split(' ').next().filter(|_| code == DUPLICATE_KEY)
}

/// What a write waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// That it is in the journals of a majority.
    Durable,
    /// That the primary has it in memory.
    Applied,
}

/// Runs many single-document updates `{q, u, upsert?}` as one command, each on its own.
///
/// # Errors
/// The first of them that failed for another reason than two upserts at once, whose loser is
/// tried again here.
pub(crate) async fn update_each(
    database: Database,
    collection: &'static str,
    updates: Vec<Document>,
    wait: Wait,
) -> mongodb::error::Result<()> {
    let concern = match wait {
        Wait::Durable => doc! { "w": "majority", "j": true },
        Wait::Applied => doc! { "w": 1 },
    };
    let command = doc! {
        "update": collection, "updates": updates, "ordered": false, "writeConcern": concern,
    };
    for _ in 0..3 {
        let reply = database.run_command(command.clone()).await?;
        match reply.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
            Some(first) if !is_duplicate(first) => {
                return Err(DriverError::custom(format!("an update was refused: {first}")));
            }
            Some(_) => {}
            None => return not_replicated(&reply),
        }
    }
    Err(DriverError::custom(format!("upserts into {collection} keep colliding")))
}

fn is_duplicate(write_error: &mongodb::bson::Bson) -> bool {
    let code = write_error.as_document().and_then(|error| error.get_i32("code").ok());
    code == Some(DUPLICATE_KEY)
}

fn not_replicated(reply: &Document) -> mongodb::error::Result<()> {
    match reply.get("writeConcernError") {
        None => Ok(()),
        Some(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_does_not_end_is_unavailable() {
        let outcome = run(std::future::pending::<mongodb::error::Result<()>>()).await;
        assert_eq!(outcome.unwrap_err().code, Code::Unavailable);
    }

    #[tokio::test]
    async fn what_the_database_refuses_is_internal() {
        let outcome = run(async { Err::<(), _>(DriverError::custom("no")) }).await;
        assert_eq!(outcome.unwrap_err().code, Code::Internal);
    }

    #[test]
    fn the_refusing_index_is_read_from_the_servers_text() {
        let text = "E11000 duplicate key error collection: db.messages index: once dup key: \
                    { senderId: 1, clientMsgId: \" index: other \" }";
        assert_eq!(refused_index(11000, text), Some("once"));
        assert_eq!(refused_index(121, text), None);
    }
}
