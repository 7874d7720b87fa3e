//! Calls that run where they are made, on what they borrow.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

const INSERT: &str = "INSERT INTO ext_notes_items (name) VALUES (?)";

fn named<'a>(sql: &str, name: &'a str) -> Query<'a> {
    Query {
        params: vec![Param {
            name: None,
            value: Value::Text(name.into()),
        }],
        ..query(sql)
    }
}

/// A database with a table, whose connections are open and rest: what another thread
/// has run gives its connection back a moment after the answer.
async fn at_rest() -> Fixture {
    let notes = Fixture::new();
    exec(&notes, ITEMS).await;
    let read = query("SELECT 1");
    notes.db.run(0, 0, read, None, By::This).await.unwrap();
    notes
}

async fn exec(notes: &Fixture, sql: &str) {
    let sql = sql.to_owned();
    notes.db.exec(0, 0, sql, By::This).await.unwrap();
}

/// The first cells of the rows, as they are handed over.
fn rows_of(notes: &Fixture, tx: u64, query: &Query<'_>) -> Option<Vec<String>> {
    let mut seen = Vec::new();
    let mut on_row = |row: &Row<'_>| {
        match row.cells().next() {
            Some(Cell::Text(text)) => seen.push(String::from_utf8_lossy(text).into_owned()),
            other => seen.push(format!("{other:?}")),
        }
        Flow::Next
    };
    let run = notes.db.run_at_once(0, tx, query, Some(&mut on_row))?;
    run.unwrap();
    Some(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_write_and_read_at_once() {
    let notes = at_rest().await;
    let name = String::from("a");
    let insert = named(INSERT, &name);
    let done = notes.db.run_at_once(0, 0, &insert, None).unwrap().unwrap();
    assert_eq!((done.changes, done.last_insert_rowid), (1, 1));
    let all = query("SELECT name FROM ext_notes_items ORDER BY id");
    assert_eq!(rows_of(&notes, 0, &all).unwrap(), ["a"]);
    let returning = named(&format!("{INSERT} RETURNING name"), "b");
    assert_eq!(rows_of(&notes, 0, &returning).unwrap(), ["b"]);
    let missing = Query {
        on: On::ReaderThenWriter,
        ..query("SELECT name FROM ext_notes_items WHERE id = 9")
    };
    assert_eq!(rows_of(&notes, 0, &missing).unwrap(), [""; 0]);
    let on_reader = Query {
        on: On::Reader,
        ..query("DELETE FROM ext_notes_items")
    };
    let refused = notes.db.run_at_once(0, 0, &on_reader, None).unwrap();
    assert_eq!(refused.unwrap_err().code, "read-only");
    let twice = notes.db.run_at_once(0, 0, &insert, None).unwrap();
    assert_eq!(twice.unwrap_err().status, Status::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_wait_is_not_begun() {
    let notes = at_rest().await;
    let tx = notes
        .db
        .begin(0, outermost(None), By::Runtime)
        .await
        .unwrap();
    let insert = named(INSERT, "a");
    assert!(notes.db.run_at_once(0, 0, &insert, None).is_none());
    assert!(
        notes
            .db
            .batch_at_once(0, 0, std::slice::from_ref(&insert))
            .is_none()
    );
    let inside = notes.db.run_at_once(0, tx, &insert, None).unwrap();
    assert_eq!(inside.unwrap().changes, 1);
    let all = query("SELECT name FROM ext_notes_items");
    assert_eq!(rows_of(&notes, tx, &all).unwrap(), ["a"]);
    notes.db.roll_back(tx, By::Runtime).await.unwrap();
    let over = notes.db.run_at_once(0, tx, &insert, None).unwrap();
    assert_eq!(over.unwrap_err().status, Status::GONE);
    assert_eq!(notes.count().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_all_or_nothing_at_once() {
    let notes = at_rest().await;
    let first = named(INSERT, "a");
    let same = |name| Query {
        sql: first.sql.clone(),
        ..named(INSERT, name)
    };
    // The same statement before and after a change of the schema.
    let queries = [
        first.clone(),
        same("b"),
        query("ALTER TABLE ext_notes_items ADD COLUMN more"),
        same("c"),
    ];
    let done = notes.db.batch_at_once(0, 0, &queries).unwrap().unwrap();
    let rowids = done.iter().map(|done| done.last_insert_rowid);
    assert_eq!(rowids.collect::<Vec<_>>(), [1, 2, 2, 3]);
    let failed = notes.db.batch_at_once(0, 0, &[same("d"), same("d")]);
    let error = failed.unwrap().unwrap_err();
    assert_eq!(error.status, Status::CONFLICT);
    assert!(error.message.starts_with("statement 1 of the batch: "));
    assert_eq!(notes.count().await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_columns_follow_the_schema() {
    let notes = at_rest().await;
    exec(&notes, "INSERT INTO ext_notes_items (name) VALUES ('a')").await;
    let all = Query {
        on: On::Writer,
        ..query("SELECT * FROM ext_notes_items")
    };
    let names = || {
        let mut names = Vec::new();
        let mut on_row = |row: &Row<'_>| {
            names = row.names().iter().map(ToString::to_string).collect();
            Flow::Next
        };
        let run = notes.db.run_at_once(0, 0, &all, Some(&mut on_row));
        run.unwrap().unwrap();
        names
    };
    assert_eq!(names(), ["id", "name"]);
    exec(&notes, "ALTER TABLE ext_notes_items ADD COLUMN more").await;
    assert_eq!(names(), ["id", "name", "more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_its_caller_alone() {
    let notes = at_rest().await;
    let all = query("SELECT count(*) FROM ext_notes_items");
    let mut on_row = |_: &Row<'_>| -> Flow { panic!("of a row") };
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        notes.db.run_at_once(0, 0, &all, Some(&mut on_row))
    }));
    assert!(panicked.is_err());
    assert_eq!(notes.count().await, "0");
}
