//! Transactions: what ends them, and how.

use std::pin::Pin;

use exthost_abi::Status;

use super::{drive, poll, refusing, scripted};
use crate::export::fake::{Fake, REQUEST};
use crate::prelude::*;

#[test]
fn what_nobody_waits_for_any_more_is_given_back() {
    let (fake, db) = scripted(&[]);
    fake.state().uncancellable = true;
    let (mut begin, mut prepare) = (db.begin(), db.prepare("SELECT"));
    assert!(poll(Pin::new(&mut begin)).is_pending());
    assert!(poll(Pin::new(&mut prepare)).is_pending());
    drop((begin, prepare));
    while fake.complete() > 0 {}
    let asked = fake.take();
    assert_eq!(
        asked,
        ["begin in 0", "prepare SELECT", "close 5", "rollback 3"]
    );
}

#[test]
fn a_transaction_commits_and_nests() {
    let (fake, db) = scripted(&[]);
    let work = db.transaction(async |tx| {
        tx.run("outer", ()).await?;
        tx.transaction(async |inner| inner.exec("inner").await)
            .await?;
        tx.fire("note.created", &1).await
    });
    let id = drive(fake, work).unwrap();
    assert_eq!(id.to_string(), "msg_1");
    let asked = fake.take();
    assert_eq!(asked[0], "begin in 0");
    assert!(
        asked[1].ends_with(": outer") && !asked[1].contains("tx 0:"),
        "{asked:?}"
    );
    assert!(
        asked[2].starts_with("begin in ") && asked[2] != "begin in 0",
        "{asked:?}"
    );
    assert!(asked[3].ends_with(": inner"), "{asked:?}");
    assert!(asked[4].starts_with("commit "), "{asked:?}");
    assert!(
        asked[5].ends_with("note.created application/json 1"),
        "{asked:?}"
    );
    assert!(
        asked[6].starts_with("commit ") && asked[6] != asked[4],
        "{asked:?}"
    );
    assert_eq!(asked.len(), 7);
}

#[test]
fn a_transaction_that_fails_is_rolled_back() {
    let (fake, db) = refusing("bad", Status::CONFLICT, "unique");
    let error = drive(fake, db.transaction(async |tx| tx.exec("bad").await)).unwrap_err();
    assert!(error.is_conflict());
    let asked = fake.take();
    assert!(asked.last().unwrap().starts_with("rollback "), "{asked:?}");
    assert_eq!(asked.len(), 3);

    let failed = db.blocking_transaction(|tx| tx.exec("bad").wait());
    assert!(failed.is_err());
    let asked = fake.take();
    assert!(asked.last().unwrap().starts_with("rollback "), "{asked:?}");
    assert_eq!(fake.complete(), 0);
}

#[test]
fn a_commit_that_fails_is_not_undone_twice() {
    let (fake, db) = refusing("commit", Status::FULL, "full");
    let failed = drive(fake, db.transaction(async |_| Ok(())));
    assert_eq!(
        failed.unwrap_err().status(),
        StatusCode::INSUFFICIENT_STORAGE
    );
    assert_eq!(fake.complete(), 0);
    assert_eq!(fake.take(), ["begin in 0", "commit 2"]);
}

#[test]
fn a_transaction_that_panics_or_is_dropped_is_rolled_back() {
    let (fake, db) = scripted(&[]);
    let rolled_back = || {
        fake.complete();
        fake.take().last().unwrap().starts_with("rollback ")
    };

    let panics = || db.blocking_transaction(|_| -> Result<()> { panic!("asked to") });
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    assert!(rolled_back());

    drop(db.begin().wait().unwrap());
    assert!(rolled_back());

    // A commit that nobody asks the host for.
    drop(db.begin().wait().unwrap().commit());
    assert!(rolled_back());

    let mut work = Box::pin(db.transaction(async |tx| tx.exec("never").await));
    assert!(poll(work.as_mut()).is_pending());
    fake.complete();
    assert!(poll(work.as_mut()).is_pending());
    drop(work);
    assert!(rolled_back());
}

#[test]
fn a_migration_is_no_part_of_a_transaction() {
    let (_, db) = scripted(&[]);
    let tx = db.begin().wait().unwrap();
    assert!(tx.migrate(&[(1, "a")]).wait().is_err());
}

struct Notes {
    db: Db,
}

impl Plugin for Notes {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.post("create", create);
        router.post("nested", nested);
        router.post("closure", |notes: State<Notes>| async move {
            notes.db.transaction(async |tx| tx.exec("c").await).await
        });
        router.post("blocking", |notes: State<Notes>| {
            notes.db.blocking_transaction(|tx| tx.exec("b").wait())
        });
        Ok(Notes { db: services.db() })
    }
}

async fn create(notes: State<Notes>) -> Result<String> {
    let name = String::from("a");
    let changes = notes
        .db
        .transaction(async |tx| {
            let result = tx.run("INSERT ?", &name).await?;
            tx.fire("note.created", &name).await?;
            Ok(result.changes)
        })
        .await?;
    Ok(format!("{changes} {name}"))
}

/// Takes the database and a transaction alike.
async fn count(db: &Db, table: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM {table}");
    Ok(db.get(&sql, ()).await?.unwrap_or_default())
}

async fn nested(notes: State<Notes>) -> Result<String> {
    let db = notes.db;
    let counts = db
        .transaction(async move |tx| {
            let inner = tx
                .transaction(async |inner| count(inner, "t").await)
                .await?;
            Ok((inner, count(tx, "t").await?))
        })
        .await?;
    Ok(format!("{counts:?} {}", count(&db, "t").await?))
}

/// Serves one request to its end, and says what the host saw.
fn serve(fake: &Fake, pattern: &str) -> Vec<String> {
    assert_eq!(fake.request(pattern, ""), Status::OK);
    while fake.poll() > 0 {
        assert!(fake.complete() > 0, "it waits for nothing");
    }
    fake.take()
}

#[test]
fn handlers_use_transactions() {
    let (fake, _) = Fake::host(crate::export::door::<Notes>());
    fake.take();
    let seen = serve(fake, "create");
    assert_eq!(seen[0], "begin in 0");
    assert!(
        seen[1].starts_with(&format!("run cause {REQUEST} on 0 tx ")),
        "{seen:?}"
    );
    assert!(seen[3].starts_with("commit "), "{seen:?}");
    assert_eq!(seen[4], "respond 77: 200 1 a");
    assert_eq!(
        serve(fake, "nested").last().unwrap(),
        "respond 77: 200 (0, 0) 0"
    );
    assert_eq!(serve(fake, "closure").last().unwrap(), "respond 77: 204 ");
    assert_eq!(serve(fake, "blocking").last().unwrap(), "respond 77: 204 ");
}

#[test]
fn a_client_that_leaves_takes_its_transaction_along() {
    let (fake, _) = Fake::host(crate::export::door::<Notes>());
    fake.request("create", "");
    fake.complete();
    assert_eq!(fake.poll(), 1);
    fake.take();
    // What the host does with a task whose request has ended.
    fake.release();
    fake.complete();
    let seen = fake.take();
    assert!(seen.last().unwrap().starts_with("rollback "), "{seen:?}");
    assert!(
        !seen.iter().any(|line| line.starts_with("run ")),
        "{seen:?}"
    );
}
