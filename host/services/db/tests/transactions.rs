//! Transactions: all or nothing, and over with what they were opened for.

use std::sync::{Mutex, mpsc};

use super::*;
use crate::services::db::group::GROUP_TIME;
use crate::services::op::Ops;

/// How long anything is waited for.
const LIMIT: Duration = Duration::from_secs(30);

/// A cause that lasts until it is cancelled.
fn cause(notes: &Fixture) -> u64 {
    let ops = Ops::new(Handle::current(), notes.context.clone());
    let mut id = 0;
    let forever = std::future::pending::<Result<(), ServiceError>>();
    ops.start(|op| id = op, forever, |_| ()).unwrap();
    id
}

async fn end(notes: &Fixture, cause: u64) {
    Causes::of_process().cancel(&notes.context, cause).unwrap();
    while Causes::of_process().find(&notes.context, cause).is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const INSERT: &str = "INSERT INTO ext_notes_items (name) VALUES ('x')";

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_all_or_nothing() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let insert = "INSERT INTO ext_notes_items (name) VALUES ('x')";
    let begin = || notes.db.begin(0, outermost(None), By::Runtime);

    let tx = begin().await.unwrap();
    notes.run(tx, insert).await.unwrap();
    assert_eq!(notes.count().await, "0", "others do not see it");
    notes.db.roll_back(tx, By::Runtime).await.unwrap();
    assert_eq!(
        notes.run(tx, insert).await.unwrap_err().status,
        Status::GONE
    );
    assert_eq!(notes.count().await, "0");

    let tx = begin().await.unwrap();
    notes.run(tx, insert).await.unwrap();
    let spec = TxSpec {
        parent: tx,
        deadline: None,
    };
    let nested = notes.db.begin(0, spec, By::Runtime).await.unwrap();
    let outer = notes.run(tx, "SELECT 1").await.unwrap_err();
    assert_eq!(outer.code, "nested-transaction-open");
    notes
        .run(nested, "DELETE FROM ext_notes_items")
        .await
        .unwrap();
    notes.db.roll_back(nested, By::Runtime).await.unwrap();
    notes.db.commit(tx, By::Runtime).await.unwrap();
    assert_eq!(notes.count().await, "1");

    // A statement that ends the transaction ends it for the plugin as well.
    let tx = begin().await.unwrap();
    let or_rollback = "INSERT OR ROLLBACK INTO ext_notes_items (name) VALUES ('x')";
    assert_eq!(
        notes.run(tx, or_rollback).await.unwrap_err().status,
        Status::CONFLICT
    );
    assert_eq!(
        notes.db.commit(tx, By::Runtime).await.unwrap_err().status,
        Status::GONE
    );
    // And the writer is free.
    notes.run(0, "DELETE FROM ext_notes_items").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_with_its_time_and_its_plugin() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let insert = "INSERT INTO ext_notes_items (name) VALUES ('x')";
    let spec = outermost(Some(Duration::from_millis(30)));
    let tx = notes.db.begin(0, spec, By::Runtime).await.unwrap();
    notes.run(tx, insert).await.unwrap();
    // Waits for the writer, which the deadline frees.
    notes
        .run(0, "INSERT INTO ext_notes_items (name) VALUES ('y')")
        .await
        .unwrap();
    let error = notes.run(tx, insert).await.unwrap_err();
    assert!(error.message.contains("30 ms"), "{error}");
    assert_eq!(notes.count().await, "1");

    let tx = notes
        .db
        .begin(0, outermost(None), By::Runtime)
        .await
        .unwrap();
    notes.context.enter(Phase::Stopped);
    notes.run(0, "DELETE FROM ext_notes_items").await.unwrap();
    let error = notes.run(tx, insert).await.unwrap_err();
    assert!(error.message.contains("stopped"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_with_its_cause() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let cause = cause(&notes);
    let begin = || notes.db.begin(cause, outermost(None), By::Runtime);
    let tx = begin().await.unwrap();
    notes.run(tx, INSERT).await.unwrap();
    let beside = notes
        .db
        .run(cause, 0, query(INSERT), None, By::Runtime)
        .await;
    assert_eq!(beside.unwrap_err().code, "own-transaction-open");
    end(&notes, cause).await;
    notes.run(0, INSERT).await.unwrap();
    let error = notes.run(tx, INSERT).await.unwrap_err();
    assert!(error.message.contains("has ended"), "{error}");
    // What has ended before counts as none.
    let tx = begin().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    notes.run(tx, "DELETE FROM ext_notes_items").await.unwrap();
    notes.db.commit(tx, By::Runtime).await.unwrap();
    assert_eq!(notes.count().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_sqlite_has_ended_holds_the_writer_no_longer() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    notes.run(0, INSERT).await.unwrap();
    let cause = cause(&notes);
    let begin = notes.db.begin(cause, outermost(None), By::Runtime);
    let tx = begin.await.unwrap();
    let or_rollback = "INSERT OR ROLLBACK INTO ext_notes_items (name) VALUES ('x')";
    notes.run(tx, or_rollback).await.unwrap_err();
    // Though its id was not given back.
    let delete = query("DELETE FROM ext_notes_items");
    let beside = notes.db.run(cause, 0, delete, None, By::Runtime).await;
    beside.unwrap();
    end(&notes, cause).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_from_inside_on_row_ends_nothing() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let begin = notes.db.begin(0, outermost(None), By::Runtime);
    let tx = begin.await.unwrap();
    notes.run(tx, INSERT).await.unwrap();
    let (db, runtime) = (notes.db.clone(), Handle::current());
    let rows = RowSink::new(Box::new(move |_| {
        let commit = db.commit(tx, By::This);
        let refused = runtime.block_on(commit).unwrap_err();
        assert_eq!(refused.status, Status::MISPLACED);
        Flow::Next
    }));
    let select = query("SELECT * FROM ext_notes_items");
    let read = notes.db.run(0, tx, select, Some(rows), By::Runtime);
    read.await.unwrap();
    notes.db.commit(tx, By::Runtime).await.unwrap();
    assert_eq!(notes.count().await, "1");
}

/// Two threads may block here: one for the transaction, one for everybody else.
#[test]
fn calls_that_wait_for_their_transaction_hold_no_thread() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().max_blocking_threads(2).build();
    runtime.unwrap().block_on(async {
        let notes = Fixture::new();
        notes.exec(ITEMS).await.unwrap();
        let begin = notes.db.begin(0, outermost(None), By::Runtime);
        let tx = begin.await.unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let rows = RowSink::new(Box::new(move |_| {
            let _ = begun.take().map(|begun| begun.send(()));
            // For longer than the others are waited for.
            let _ = released.recv_timeout(LIMIT * 2);
            Flow::Next
        }));
        let call = |sql, rows| {
            let db = notes.db.clone();
            tokio::spawn(async move { db.run(0, tx, query(sql), rows, By::Runtime).await })
        };
        let mut calls = vec![call("SELECT 1", Some(rows))];
        has_begun.await.unwrap();
        calls.extend([INSERT; 3].map(|sql| call(sql, None)));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let other = tokio::task::spawn_blocking(|| ());
        let free = tokio::time::timeout(LIMIT, other).await;
        free.expect("a blocking thread is free").unwrap();
        drop(release);
        for call in calls {
            let _ = call.await;
        }
    });
}

/// The writer is held, so that all wait and could then share one commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_quick_write_does_not_wait_for_many_slow_ones() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let begin = notes.db.begin(0, outermost(None), By::Runtime);
    let tx = begin.await.unwrap();
    let submit = |work| {
        let (ticket, waiting) = ticket();
        let write = Job::Write(Box::new(Write { work, ticket }));
        let writer = &notes.db.database.writer;
        writer.submit(write, By::Runtime).unwrap();
        waiting.answer(Instant::now() + LIMIT)
    };
    let quick = submit(Work::Statement {
        query: query(INSERT),
        rows: None,
    });
    let slow = submit(Work::Own(Box::new(|_| {
        std::thread::sleep(GROUP_TIME);
        Ok(())
    })));
    let (acknowledge, acknowledged) = mpsc::channel();
    let acknowledged = Mutex::new(acknowledged);
    let last = submit(Work::Own(Box::new(move |_| {
        let answer = acknowledged.lock().unwrap().recv_timeout(LIMIT);
        answer.map_err(|_| ServiceError::busy("the quick one waits for this one"))
    })));
    notes.db.commit(tx, By::Runtime).await.unwrap();
    quick.await.unwrap();
    // It fails where the last one has given up, which says so.
    let _ = acknowledge.send(());
    slow.await.unwrap();
    last.await.unwrap();
    assert_eq!(notes.count().await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_of_rows_is_bound_by_the_statements_deadline() {
    let notes = Fixture::new();
    let numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100) \
                   SELECT x FROM n";
    let rows = RowSink::new(Box::new(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Flow::Next
    }));
    let short = Query::plain(numbers, Duration::from_millis(100));
    let read = notes.db.run(0, 0, short, Some(rows), By::Runtime);
    assert_eq!(read.await.unwrap_err().code, "statement-deadline");
}
