//! What the handle promises to every domain.

use std::path::Path;
use std::sync::{Arc, Barrier};

use futures_util::{future, poll};
use rusqlite::{Connection, params};

use super::scratch::{Directory, Scratch};
use super::{Embedded, OpenError};
use crate::error::{Code, Error, Result};
use crate::store::Migration;

const NOTES: &[Migration] = &[
    Migration {
        domain: "notes",
        version: 1,
        sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
    },
    Migration {
        domain: "notes",
        version: 2,
        sql: "CREATE TABLE lines (
                  note INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED
              ) STRICT",
    },
];

fn note(text: &str) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + use<> {
    let text = text.to_owned();
    move |db| db.execute("INSERT INTO notes (text) VALUES (?1)", [text]).map(drop)
}

async fn notes(db: &Embedded) -> Vec<String> {
    db.read(|db| {
        let mut statement = db.prepare_cached("SELECT text FROM notes ORDER BY text")?;
        statement.query_map([], |row| row.get(0))?.collect()
    })
    .await
    .unwrap()
}

/// A write that lasts until somebody else waits at the gate.
async fn held(db: &Embedded, gate: &Arc<Barrier>) -> Result<()> {
    let gate = Arc::clone(gate);
    db.write(move |db| {
        gate.wait();
        note("held")(db)
    })
    .await
}

/// Then a group has been taken off it, and what is queued from now on is the next.
async fn wait_for_an_empty_queue(db: &Embedded) {
    while db.writer.waiting() > 0 {
        tokio::task::yield_now().await;
    }
}

fn code<T>(result: &Result<T>) -> Option<Code> {
    result.as_ref().err().map(|error| error.code)
}

#[tokio::test]
async fn a_reopened_file_has_what_was_written() {
    let directory = Directory::new();
    let db = Embedded::open(&directory.file(), &NOTES[..1]).unwrap();
    db.write(note("kept")).await.unwrap();
    db.close().await;
    let db = Embedded::open(&directory.file(), NOTES).unwrap();
    assert_eq!(notes(&db).await, ["kept"]);
    db.close().await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let directory = Directory::new();
    Embedded::open(&directory.file(), NOTES).unwrap().close().await;
    let refused = Embedded::open(&directory.file(), &NOTES[..1]).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 2, known: 1, .. }), "{refused}");
    let refused = Embedded::open(&directory.file(), &[]).err().unwrap();
    assert!(refused.to_string().contains("notes is at 2, this one knows 0"), "{refused}");
}

#[tokio::test]
async fn a_failed_step_leaves_the_version_before_it() {
    let directory = Directory::new();
    let broken = Migration { sql: "CREATE TABLE extra (a TEXT); SELECT nonsense", ..NOTES[1] };
    let refused = Embedded::open(&directory.file(), &[NOTES[0], broken]).err().unwrap();
    assert!(matches!(refused, OpenError::Migration { version: 2, .. }), "{refused}");
    let db = Embedded::open(&directory.file(), NOTES).unwrap();
    assert!(db.read(|db| db.prepare("SELECT * FROM extra").map(drop)).await.is_err());
}

#[test]
fn a_hole_in_the_steps_is_refused() {
    let directory = Directory::new();
    let refused = Embedded::open(&directory.file(), &NOTES[1..]).err().unwrap();
    assert!(matches!(refused, OpenError::MissingStep { found: 0, version: 2, .. }), "{refused}");
}

/// Where the process that [`a_second_process_is_refused`] starts finds the file.
const FILE_OF_ANOTHER: &str = "WAGGLE_TEST_FILE_OF_ANOTHER";

#[tokio::test]
async fn a_second_process_is_refused() {
    if let Ok(file) = std::env::var(FILE_OF_ANOTHER) {
        let refused = Embedded::open(Path::new(&file), NOTES).err();
        assert!(matches!(refused, Some(OpenError::InUse { .. })), "{refused:?}");
        return;
    }
    let directory = Directory::new();
    let db = Embedded::open(&directory.file(), NOTES).unwrap();
    let refused = Embedded::open(&directory.file(), NOTES).err().unwrap();
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    let second = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::embedded::tests::a_second_process_is_refused"])
        .env(FILE_OF_ANOTHER, directory.file())
        .output()
        .await
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    assert!(String::from_utf8_lossy(&second.stdout).contains("1 passed"));
    db.close().await;
    assert!(Embedded::open(&directory.file(), NOTES).is_ok());
}

#[tokio::test]
async fn a_panic_ends_neither_writer_nor_reader() {
    let db = Scratch::new(NOTES);
    let (written, kept) = tokio::join!(
        db.write::<()>(|db| {
            db.execute("INSERT INTO notes (text) VALUES ('half')", [])?;
            panic!("a defect in a write");
        }),
        db.write(note("kept")),
    );
    assert_eq!((code(&written), kept), (Some(Code::Internal), Ok(())));
    for _ in 0..20 {
        let read = db.read::<()>(|_| panic!("a defect in a read")).await;
        assert_eq!(code(&read), Some(Code::Internal));
    }
    assert_eq!(notes(&db).await, ["kept"]);
}

#[tokio::test]
async fn one_failing_write_undoes_nothing_of_its_group() {
    let db = Scratch::new(NOTES);
    let results = tokio::join!(
        db.write(note("a")),
        db.write(|db| {
            note("half")(db)?;
            note("a")(db)
        }),
        db.write(note("b")),
    );
    assert_eq!((results.0, code(&results.1), results.2), (Ok(()), Some(Code::Internal), Ok(())));
    assert_eq!(notes(&db).await, ["a", "b"]);
}

#[tokio::test]
async fn a_write_that_fails_alone_leaves_nothing_behind() {
    let db = Scratch::new(NOTES);
    let failed = db.write(|db| {
        note("half")(db)?;
        note("half")(db)
    });
    assert_eq!(code(&failed.await), Some(Code::Internal));
    let ended = db.write(|db| db.execute_batch("COMMIT")).await;
    assert_eq!(code(&ended), Some(Code::Internal));
    assert_eq!(db.write(note("next")).await, Ok(()));
    assert_eq!(notes(&db).await, ["next"]);
}

#[tokio::test]
async fn a_failed_commit_fails_its_whole_group_and_not_the_next() {
    let db = Scratch::new(NOTES);
    let gate = Arc::new(Barrier::new(2));
    let mut first = Box::pin(held(&db, &gate));
    assert!(poll!(&mut first).is_pending());
    wait_for_an_empty_queue(&db).await;
    let mut group = Box::pin(future::join(
        db.write(note("good")),
        db.write(|db| db.execute("INSERT INTO lines VALUES (999)", []).map(drop)),
    ));
    assert!(poll!(&mut group).is_pending());
    gate.wait();
    let (first, (good, bad)) = (first.await, group.await);
    assert_eq!(first, Ok(()));
    assert_eq!((code(&good), code(&bad)), (Some(Code::Internal), Some(Code::Internal)));
    assert_eq!(db.write(note("next")).await, Ok(()));
    assert_eq!(notes(&db).await, ["held", "next"]);
}

#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_space() {
    let db = Scratch::new(NOTES);
    let limit = |pages: u32| {
        db.write(move |db| {
            db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        })
    };
    let long = || "x".repeat(200_000);
    limit(10).await.unwrap();
    assert_eq!(code(&db.write(note(&long())).await), Some(Code::Unavailable));
    assert_eq!(db.write(note("small")).await, Ok(()));
    limit(1_000_000).await.unwrap();
    assert_eq!(db.write(note(&long())).await, Ok(()));
}

#[tokio::test]
async fn closing_finishes_what_was_accepted_and_refuses_the_rest() {
    let directory = Directory::new();
    let db = Embedded::open(&directory.file(), NOTES).unwrap();
    let mut accepted = Vec::new();
    for count in 0..600 {
        let mut write = Box::pin({
            let db = db.clone();
            async move { db.write(note(&format!("{count:03}"))).await }
        });
        assert!(poll!(&mut write).is_pending());
        accepted.push(write);
    }
    tokio::join!(db.close(), db.close());
    assert!(future::join_all(accepted).await.iter().all(Result::is_ok));
    let refused = [db.write(note("late")).await, db.read(|_| Ok(())).await, db.ping().await];
    assert_eq!(refused.map(|result| code(&result)), [Some(Code::Unavailable); 3]);
    assert!(!directory.file().with_extension("db-wal").exists());
    let db = Embedded::open(&directory.file(), NOTES).unwrap();
    assert_eq!(notes(&db).await.len(), 600);
}

#[tokio::test]
async fn a_write_nobody_waits_for_any_more_is_not_begun() {
    let db = Scratch::new(NOTES);
    let gate = Arc::new(Barrier::new(2));
    let mut first = Box::pin(held(&db, &gate));
    assert!(poll!(&mut first).is_pending());
    wait_for_an_empty_queue(&db).await;
    let mut left = Box::pin(db.write(note("left")));
    assert!(poll!(&mut left).is_pending());
    drop(left);
    gate.wait();
    first.await.unwrap();
    assert_eq!(db.write(note("kept")).await, Ok(()));
    assert_eq!(notes(&db).await, ["held", "kept"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_move_while_a_write_is_under_way() {
    let db = Scratch::new(NOTES);
    let before = tokio::time::Instant::now();
    for count in 0..20 {
        db.write(note(&count.to_string())).await.unwrap();
    }
    assert_eq!(notes(&db).await.len(), 20);
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
}

#[tokio::test]
async fn readers_cannot_write() {
    let db = Scratch::new(NOTES);
    let refused = db.read(|db| db.execute("DELETE FROM notes", params![])).await;
    assert!(matches!(refused, Err(Error { code: Code::Internal, .. })));
}
