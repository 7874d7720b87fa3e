//! The database as a generation uses it, without a plugin.

mod at_once;
mod faults;
mod file;
mod migrations;
mod slow;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use exthost_abi::Status;
use tokio::runtime::Handle;

use super::*;
use crate::config::{DbLimits, Limits};
use crate::name::PluginName;
use crate::services::context::Phase;

/// A plugin's database in a folder of its own.
struct Fixture {
    db: Arc<Db>,
    databases: Databases,
    context: Arc<PluginContext>,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with(DbLimits::default())
    }

    fn with(limits: DbLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::over(folder, limits)
    }

    fn over(folder: tempfile::TempDir, limits: DbLimits) -> Self {
        let runtime = Handle::current();
        let others = DbSettings {
            limits,
            ..DbSettings::default()
        };
        let settings = DatabasesSettings {
            memory_bytes_max: None,
            others,
            ..DatabasesSettings::default()
        };
        let databases = Databases::new(folder.path().to_owned(), settings);
        let name = PluginName::parse("notes").unwrap();
        let database = databases.of(&name);
        let context = PluginContext::new(name, 1, Limits::default(), Vec::new());
        let context = Arc::new(context);
        let db = Arc::new(Db::new(runtime, context.clone(), database));
        Fixture {
            db,
            databases,
            context,
            folder,
        }
    }

    async fn exec(&self, sql: &str) -> Result<(), ServiceError> {
        self.db.exec(0, 0, sql.to_owned(), By::Runtime).await
    }

    async fn run(&self, tx: u64, sql: &str) -> Result<RunResult, ServiceError> {
        self.db.run(0, tx, query(sql), None, By::Runtime).await
    }

    /// The rows of a statement, cell by cell, as text.
    async fn rows(&self, tx: u64, query: Query<'static>) -> Result<Vec<String>, ServiceError> {
        let (seen, rows) = sink();
        self.db.run(0, tx, query, Some(rows), By::Runtime).await?;
        Ok(seen.lock().unwrap().clone())
    }

    async fn count(&self) -> String {
        let counted = self
            .rows(0, query("SELECT count(*) FROM ext_notes_items"))
            .await;
        counted.unwrap().concat()
    }
}

fn query(sql: &str) -> Query<'static> {
    Query::plain(sql, Duration::from_secs(5))
}

fn sink() -> (Arc<std::sync::Mutex<Vec<String>>>, RowSink) {
    let seen: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let rows = RowSink::new(Box::new(move |row| {
        let cells: Vec<String> = row
            .cells()
            .map(|cell| match cell {
                Cell::Null => "null".to_owned(),
                Cell::Integer(integer) => integer.to_string(),
                Cell::Real(real) => real.to_string(),
                Cell::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Cell::Blob(blob) => format!("{blob:?}"),
            })
            .collect();
        kept.lock().unwrap().push(cells.join(","));
        Flow::Next
    }));
    (seen, rows)
}

fn outermost(deadline: Option<Duration>) -> TxSpec {
    TxSpec {
        parent: 0,
        deadline,
    }
}

const ITEMS: &str = "CREATE TABLE ext_notes_items (id INTEGER PRIMARY KEY, name TEXT UNIQUE)";

#[tokio::test(flavor = "multi_thread")]
async fn statements_write_and_read() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let insert = Query {
        params: vec![Param {
            name: Some(":name".into()),
            value: Value::Text("a".into()),
        }],
        ..query("INSERT INTO ext_notes_items (name) VALUES (:name)")
    };
    let done = notes.db.run(0, 0, insert, None, By::This).await.unwrap();
    assert_eq!((done.changes, done.last_insert_rowid), (1, 1));
    let rows = notes.rows(
        0,
        query("SELECT id, name, NULL, 1.5, x'01' FROM ext_notes_items"),
    );
    assert_eq!(rows.await.unwrap(), ["1,a,null,1.5,[1]"]);
    let returned = query("INSERT INTO ext_notes_items (name) VALUES ('b'), ('c') RETURNING id");
    assert_eq!(notes.rows(0, returned).await.unwrap(), ["2", "3"]);
    // A statement that begins like one that reads.
    let with = "WITH x(n) AS (VALUES ('d')) INSERT INTO ext_notes_items (name) SELECT n FROM x";
    assert_eq!(notes.run(0, with).await.unwrap().changes, 1);
    let on_reader = Query {
        on: On::Reader,
        ..query("DELETE FROM ext_notes_items")
    };
    let refused = notes.rows(0, on_reader).await.unwrap_err();
    assert_eq!(refused.status, Status::INVALID, "{refused}");
    let cases = [
        (
            "INSERT INTO ext_notes_items (name) VALUES ('a')",
            Status::CONFLICT,
        ),
        ("SELECT nothing FROM ext_notes_items", Status::INVALID),
        ("SELECT ?1", Status::INVALID),
        ("SELECT 1; SELECT 2", Status::INVALID),
        ("SELECT * FROM users", Status::DENIED),
        ("SELECT * FROM _exthost_outbox", Status::DENIED),
        ("BEGIN", Status::DENIED),
        ("COMMIT", Status::DENIED),
        (
            "SELECT type, name, tbl_name, sql FROM main.sqlite_schema",
            Status::DENIED,
        ),
        ("ATTACH ':memory:' AS x", Status::DENIED),
        (
            "ALTER TABLE ext_notes_items RENAME TO users",
            Status::DENIED,
        ),
    ];
    for (sql, status) in cases {
        let error = notes.run(0, sql).await.unwrap_err();
        assert_eq!(error.status, status, "{sql}: {error}");
    }
    let error = notes.run(0, "SELECT * FROM users").await.unwrap_err();
    assert_eq!(error.message, "denied: table users is outside ext_notes_");
    assert_eq!(notes.count().await, "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_share_a_commit_are_each_judged_alone() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    // The writer is held, so that all wait and then share.
    let tx = notes
        .db
        .begin(0, outermost(None), By::Runtime)
        .await
        .unwrap();
    let writes: Vec<_> = (0..100)
        .map(|n| {
            let or = if n % 10 == 3 { "OR ROLLBACK " } else { "" };
            // Every third is there already.
            let name = if n % 3 == 0 {
                "same".to_owned()
            } else {
                n.to_string()
            };
            let sql = format!("INSERT {or}INTO ext_notes_items (name) VALUES ('{name}')");
            let db = notes.db.clone();
            tokio::spawn(async move { db.run(0, 0, query(&sql), None, By::Runtime).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    notes.db.commit(tx, By::Runtime).await.unwrap();
    let mut acknowledged = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(done) => acknowledged += done.changes,
            Err(error) => assert_eq!(error.code, "constraint-unique"),
        }
    }
    assert_eq!(notes.count().await, acknowledged.to_string());
    assert_eq!(acknowledged, 67);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runaway_statement_is_stopped() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                   SELECT count(*) FROM n";
    let short = Query::plain(endless, Duration::from_millis(50));
    let error = notes.rows(0, short).await.unwrap_err();
    assert_eq!(
        (error.status, &*error.code),
        (Status::TIMEOUT, "statement-deadline")
    );
    let heavy = "INSERT INTO ext_notes_items (name) WITH RECURSIVE n(x) AS \
                 (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    let short = Query::plain(heavy, Duration::from_millis(50));
    let error = notes.rows(0, short).await.unwrap_err();
    assert_eq!(error.status, Status::TIMEOUT);
    assert_eq!(notes.count().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_all_or_none() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let insert = |name: &str| {
        query(&format!(
            "INSERT INTO ext_notes_items (name) VALUES ('{name}')"
        ))
    };
    let batch = |list| notes.db.batch(0, 0, list, By::Runtime);
    let done = batch(vec![insert("a"), insert("b")]).await.unwrap();
    assert_eq!(done.len(), 2);
    let error = batch(vec![insert("c"), insert("a")]).await.unwrap_err();
    assert!(
        error.message.starts_with("statement 1 of the batch: "),
        "{error}"
    );
    assert_eq!(notes.count().await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_was_short_may_take_its_time_and_tells_each_row_once() {
    let notes = Fixture::new();
    let script = format!(
        "{ITEMS}; INSERT INTO ext_notes_items (id) WITH RECURSIVE n(x) AS \
         (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) SELECT x FROM n"
    );
    notes.exec(&script).await.unwrap();
    let until = |limit: i64| Query {
        params: vec![Param {
            name: None,
            value: Value::Integer(limit),
        }],
        ..query("SELECT id FROM ext_notes_items WHERE id <= ?")
    };
    for _ in 0..20 {
        assert_eq!(notes.rows(0, until(2)).await.unwrap(), ["1", "2"]);
    }
    // Now more than is kept where it was asked for.
    for _ in 0..3 {
        let rows = notes.rows(0, until(100_000)).await.unwrap();
        assert_eq!(rows.len(), 100_000);
        assert_eq!(rows[99_999], "100000");
    }
}
