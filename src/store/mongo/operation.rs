//! One operation on the database: bounded in time, its failure turned into a word for clients.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error as DriverError, ErrorKind, RETRYABLE_WRITE_ERROR, WriteFailure};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Error, Result};

/// As many operations at once as the driver has connections. It looks at who waits for one of them
/// one by one, twice a second where nothing else happens, and those who waited in vain stay in its
/// queue: after an outage they would keep everybody out for minutes. So the waiting is done here.
static AT_ONCE: OnceLock<Semaphore> = OnceLock::new();
/// Connections of the driver, unless the URI says otherwise.
pub(super) const CONNECTIONS: u32 = 10;

/// Sets how many operations run at once, for all databases of the process. Later calls do nothing.
pub(super) fn run_at_once(most: u32) {
    // The driver takes 0 for no bound.
    let most = if most == 0 { Semaphore::MAX_PERMITS } else { most as usize };
    AT_ONCE.get_or_init(|| Semaphore::new(most));
}

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

/// Runs an operation within `limit`, which is [`LIMIT`] at most; the driver's error, for those who
/// must look into it. After a time-out the outcome is unknown: the operation may still happen.
pub(crate) async fn bounded<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
) -> Result<T, DriverError> {
    // The driver asks that its futures are not dropped half-way, so they run in their own task. But
    // it has no time-out for an answer: over a line that died without a word an operation would keep
    // its connection for ever, and ten of those are all there are. Dropped, it has it closed.
    let deadline = Instant::now() + LIMIT;
    let work = async move {
        let turns = AT_ONCE.get_or_init(|| Semaphore::new(CONNECTIONS as usize));
        let _turn = turns.acquire().await.map_err(DriverError::custom)?;
        // Who has waited in vain stays out of the driver's queue.
        if Instant::now() >= deadline {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        work.await
    };
    let work = tokio::spawn(timeout_at(deadline, work));
    match timeout(limit, work).await {
        Ok(Ok(Ok(outcome))) => outcome,
        Ok(Err(ended)) => Err(DriverError::custom(ended.to_string())),
        Ok(Ok(Err(_))) | Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
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
            None => return not_replicated(&reply),
            Some(first) => refused(first)?,
        }
    }
    Err(DriverError::custom(format!("upserts into {collection} keep colliding")))
}

/// Why one update of several was refused; `Ok` when it has lost to another upsert. A primary that
/// steps down meanwhile says so for each of them, not for the command.
fn refused(write_error: &Bson) -> mongodb::error::Result<()> {
    match write_error.as_document().and_then(|error| error.get_i32("code").ok()) {
        Some(DUPLICATE_KEY) => Ok(()),
        Some(code) if OUTAGE_CODES.contains(&code) => Err(std::io::ErrorKind::NotConnected.into()),
        _ => Err(DriverError::custom(format!("an update was refused: {write_error}"))),
    }
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

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_nobody_waits_for_any_more_ends_and_lets_its_connection_go() {
        let connection = std::sync::Arc::new(());
        let held = connection.clone();
        let never = async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(())
        };
        let outcome = bounded(Duration::from_secs(3), never).await;
        assert!(is_outage(&outcome.unwrap_err()));
        assert_eq!(std::sync::Arc::strong_count(&connection), 2, "it may still end well");
        tokio::time::sleep(LIMIT).await;
        assert_eq!(std::sync::Arc::strong_count(&connection), 1);
    }

    #[test]
    fn an_update_that_a_primary_refuses_while_it_steps_down_is_an_outage() {
        let of = |code: i32| refused(&doc! { "index": 0, "code": code, "errmsg": "…" }.into());
        assert!(of(DUPLICATE_KEY).is_ok());
        assert!(is_outage(&of(189).unwrap_err()));
        assert!(!is_outage(&of(121).unwrap_err()), "it fails its validation");
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
