//! Runs the two corpora as the service will: what is hostile is refused in the one
//! text and leaves no trace, what is legitimate succeeds.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::*;
use crate::services::db::schema::run_ddl;

const HOSTILE: &str = include_str!("../../../../tests/db/hostile.sql");
const LEGITIMATE: &str = include_str!("../../../../tests/db/legitimate.sql");
/// Stands in every foreign row, and must never reach the plugin.
const CANARY: &str = "c4n4ry-6d1f0a9be2774c58";

/// Some statements that belong together.
struct Entry {
    lines: Vec<&'static str>,
    /// Whether SQLite refuses the last in words of its own.
    by_sqlite: bool,
}

fn entries(corpus: &'static str) -> Vec<Entry> {
    let entry = |text: &'static str| Entry {
        lines: text
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect(),
        by_sqlite: text.starts_with("-- by SQLite"),
    };
    let entries = corpus.split("\n\n").map(entry);
    entries.filter(|entry| !entry.lines.is_empty()).collect()
}

/// Makes both databases in `folder`, as the head of hostile.sql describes them.
fn build(folder: &Path) {
    let main = Connection::open(folder.join("data.db")).unwrap();
    main.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    for table in [
        "secrets",
        "ext_other_t",
        "ext_notesx",
        "extXnotesXt",
        "_exthost_outbox",
        "_exthost_migrations",
    ] {
        main.execute_batch(&format!(
            "CREATE TABLE {table}(id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT);
             INSERT INTO {table}(word) VALUES ('{CANARY}'), ('{CANARY}');"
        ))
        .unwrap();
    }
    main.execute_batch(&format!(
        "CREATE INDEX secrets_word ON secrets(word);
         CREATE VIEW secret_view AS SELECT * FROM secrets;
         CREATE TRIGGER secrets_trigger AFTER INSERT ON secrets
             BEGIN UPDATE secrets SET word = '{CANARY}'; END;
         CREATE TABLE ext_notes_a(id INTEGER PRIMARY KEY, body TEXT, n INTEGER);
         CREATE TABLE ext_notes_b(id INTEGER PRIMARY KEY, a_id REFERENCES ext_notes_a(id));
         INSERT INTO ext_notes_a(body, n) VALUES ('one', 1), ('two', 2);
         INSERT INTO ext_notes_b(a_id) VALUES (1);
         ANALYZE;"
    ))
    .unwrap();
    let host = Connection::open(folder.join("app.db")).unwrap();
    host.execute_batch(&format!(
        "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, word TEXT);
         INSERT INTO users(name, word) VALUES ('{CANARY}', '{CANARY}');
         CREATE INDEX users_name ON users(name);
         CREATE VIEW v_users AS SELECT * FROM users;
         CREATE TABLE posts(id INTEGER PRIMARY KEY, title TEXT);
         INSERT INTO posts(title) VALUES ('first');
         CREATE TABLE ext_notes_h(id INTEGER PRIMARY KEY, word TEXT);
         INSERT INTO ext_notes_h(word) VALUES ('{CANARY}');
         ANALYZE;"
    ))
    .unwrap();
}

/// The databases of one plugin, guarded.
struct Bench {
    conn: Connection,
    guard: Guard,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A copy of the databases that [`build`] made in `template`.
    fn new(template: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["data.db", "app.db"] {
            std::fs::copy(template.join(file), folder.path().join(file)).unwrap();
        }
        let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
        let mut conn = Connection::open_with_flags(folder.path().join("data.db"), flags).unwrap();
        conn.execute_batch("PRAGMA synchronous = OFF").unwrap();
        let host = format!("file:{}?mode=ro", folder.path().join("app.db").display());
        conn.execute("ATTACH ?1 AS host", [host]).unwrap();
        let scope = Arc::new(Scope::new("notes", vec!["Posts".to_owned()]));
        let guard = Guard::install(&mut conn, scope, &GuardLimits::default(), true).unwrap();
        Bench {
            conn,
            guard,
            _folder: folder,
        }
    }

    /// Runs one statement to its end, and returns all values.
    fn run(&self, sql: &str) -> Result<Vec<Value>, GuardError> {
        if is_ddl(sql) {
            run_ddl(&self.conn, &self.guard, sql)?;
            return Ok(Vec::new());
        }
        let mut statement = self.guard.prepare(&self.conn, sql)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut values = Vec::new();
        let mut next = || -> rusqlite::Result<bool> {
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            for column in 0..columns {
                values.push(row.get(column)?);
            }
            Ok(true)
        };
        while next().map_err(|error| self.guard.explain(&self.conn, sql, error))? {}
        Ok(values)
    }

    /// Everything that a plugin may not change, and all names.
    fn snapshot(&self) -> String {
        self.guard.trusted(|| {
            let mut out = String::new();
            for table in [
                "main.sqlite_schema",
                "temp.sqlite_schema",
                "main.secrets",
                "main.ext_other_t",
                "main.ext_notesx",
                "main.extXnotesXt",
                "main._exthost_outbox",
                "main._exthost_migrations",
                "main.sqlite_sequence",
                "main.sqlite_stat1",
                "host.sqlite_schema",
                "host.users",
                "host.posts",
                "host.ext_notes_h",
                "pragma_database_list",
                "pragma_user_version",
                "pragma_foreign_keys",
                "pragma_journal_mode",
            ] {
                let sql = format!("SELECT * FROM {table}");
                let mut statement = self.conn.prepare(&sql).unwrap();
                let columns = statement.column_count();
                let mut rows = statement.query([]).unwrap();
                while let Some(row) = rows.next().unwrap() {
                    for column in 0..columns {
                        out += &format!("{:?}|", row.get_ref(column).unwrap());
                    }
                    out.push('\n');
                }
            }
            out
        })
    }
}

#[test]
fn what_is_hostile_is_refused_and_leaves_no_trace() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let mut failures = Vec::new();
    let entries = entries(HOSTILE);
    for entry in &entries {
        let bench = Bench::new(template.path());
        let (last, before) = entry.lines.split_last().unwrap();
        for line in before {
            if let Err(error) = bench.run(line) {
                failures.push(format!("{line}\n    the set-up failed: {error}"));
            }
        }
        let snapshot = bench.snapshot();
        match bench.run(last) {
            Ok(values) => failures.push(format!("{last}\n    was allowed: {values:?}")),
            Err(error) => {
                let text = error.to_string();
                if text.contains(CANARY)
                    || matches!(error, GuardError::Refused(_)) == entry.by_sqlite
                {
                    failures.push(format!("{last}\n    {text}"));
                }
            }
        }
        if bench.snapshot() != snapshot {
            failures.push(format!("{last}\n    left a trace"));
        }
    }
    let count = failures.len();
    assert!(entries.len() >= 150);
    assert!(
        failures.is_empty(),
        "{}\n{count} of {}",
        failures.join("\n"),
        entries.len()
    );
}

#[test]
fn what_is_legitimate_succeeds() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let mut failures = Vec::new();
    let entries = entries(LEGITIMATE);
    for entry in &entries {
        let bench = Bench::new(template.path());
        for line in &entry.lines {
            match bench.run(line) {
                Ok(values) => {
                    let seen = format!("{values:?}");
                    assert!(!seen.contains(CANARY), "{line}");
                }
                Err(error) => failures.push(format!("{line}\n    {error}")),
            }
        }
    }
    let count = failures.len();
    assert!(entries.len() >= 100);
    assert!(
        failures.is_empty(),
        "{}\n{count} of {}",
        failures.join("\n"),
        entries.len()
    );
}

/// What is said of a foreign table that exists is said of one that does not.
#[test]
fn no_error_tells_what_exists() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let mut failures = Vec::new();
    let run = |lines: &[String]| {
        let bench = Bench::new(template.path());
        let outcomes = lines
            .iter()
            .map(|line| bench.run(line).map_err(|error| error.to_string()));
        format!("{:?}", outcomes.last().unwrap())
    };
    for entry in entries(HOSTILE) {
        let named: Vec<_> = entry
            .lines
            .iter()
            .map(|line| line.to_ascii_lowercase())
            .collect();
        let mut renamed = named.clone();
        // As long as the real ones, since some texts hold a position.
        for (name, instead) in [
            ("secret", "n0such"),
            ("users", "n0one"),
            ("ext_notes_h", "ext_notes_0"),
        ] {
            renamed = renamed
                .iter()
                .map(|line| line.replace(name, instead))
                .collect();
        }
        let (mut exists, mut missing) = (run(&named), run(&renamed));
        for (name, instead) in [
            ("secret", "n0such"),
            ("users", "n0one"),
            ("ext_notes_h", "ext_notes_0"),
        ] {
            exists = exists.replace(name, instead);
            missing = missing.replace(name, instead);
        }
        if exists != missing {
            failures.push(format!("{}\n    {exists}\n    {missing}", named.join("; ")));
        }
    }
    let count = failures.len();
    assert!(failures.is_empty(), "{}\n{count}", failures.join("\n"));
}

#[test]
fn a_step_that_prepares_anew_is_guarded() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let bench = Bench::new(template.path());
    let sql = "SELECT * FROM ext_notes_v";
    bench
        .run("CREATE VIEW ext_notes_v AS SELECT body FROM ext_notes_a")
        .unwrap();
    let mut statement = bench.guard.prepare(&bench.conn, sql).unwrap();
    // Nobody but the host can do this.
    bench.guard.trusted(|| {
        let change = "DROP VIEW ext_notes_v; CREATE VIEW ext_notes_v AS SELECT word FROM secrets";
        bench.conn.execute_batch(change).unwrap();
    });
    let mut rows = statement.raw_query();
    let error = rows.next().map(drop).unwrap_err();
    let error = bench.guard.explain(&bench.conn, sql, error);
    assert!(matches!(error, GuardError::Refused(_)), "{error}");
}

#[test]
fn a_runaway_statement_ends_and_the_services_own_does_not() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let bench = Bench::new(template.path());
    let endless =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
    let clock = bench.guard.clock();
    let begin = std::time::Instant::now();
    clock.set_deadline(Some(begin + std::time::Duration::from_millis(30)));
    let error = bench.run(endless).unwrap_err();
    assert!(error.to_string().contains("interrupted"), "{error}");
    bench.guard.trusted(|| {
        let sum = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT max(n) FROM c";
        let sum: i64 = bench.conn.query_row(sum, [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 100_000);
    });
}

#[test]
fn trust_ends_with_a_panic() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let bench = Bench::new(template.path());
    let panic = || {
        bench
            .guard
            .trusted(|| std::panic::resume_unwind(Box::new(())))
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panic)).unwrap_err();
    assert!(bench.run("SELECT * FROM secrets").is_err());
}

#[test]
fn a_change_that_cannot_be_committed_leaves_no_transaction_open() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let bench = Bench::new(template.path());
    for line in [
        "CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)",
        "CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO ext_notes_p VALUES (1)",
        "INSERT INTO ext_notes_c VALUES (1)",
    ] {
        bench.run(line).unwrap();
    }
    let snapshot = bench.snapshot();
    bench.run("DROP TABLE ext_notes_p").unwrap_err();
    assert!(bench.conn.is_autocommit());
    assert_eq!(bench.snapshot(), snapshot);
}

#[test]
fn a_statement_that_the_service_cached_is_not_the_plugins() {
    let template = tempfile::tempdir().unwrap();
    build(template.path());
    let bench = Bench::new(template.path());
    for sql in [
        "SELECT word FROM secrets",
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema",
    ] {
        bench
            .guard
            .trusted(|| drop(bench.conn.prepare_cached(sql).unwrap()));
        for spelling in [sql.to_owned(), format!(" {sql}\n--"), format!("{sql} ;")] {
            let error = bench.run(&spelling).unwrap_err();
            assert!(
                matches!(error, GuardError::Refused(_)),
                "{spelling}: {error}"
            );
        }
    }
    let own = bench
        .guard
        .prepare(&bench.conn, "SELECT 1 -- one")
        .map(drop);
    assert!(own.is_ok());
}
