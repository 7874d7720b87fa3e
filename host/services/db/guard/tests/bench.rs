//! The databases of one plugin, guarded, beside what it may not see.

use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use super::super::words::is_ddl;
use super::super::*;
use crate::services::db::schema::run_ddl;

/// Stands in every foreign row, name and definition, and must never reach the
/// plugin.
pub(super) const CANARY: &str = "c4n4ry_6d1f0a9be2774c58";

/// What else is in the databases than the plugin's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// All that the head of hostile.sql names.
    All,
    /// Nothing but what is granted, which is the same in both.
    Granted,
}

/// Makes both databases, for benches to copy.
pub(super) fn template(foreign: Foreign) -> Arc<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let main = Connection::open(folder.path().join("data.db")).unwrap();
    main.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE filler(x);")
        .unwrap();
    let host = Connection::open(folder.path().join("app.db")).unwrap();
    if foreign == Foreign::All {
        build_foreign(&main, &host);
    }
    main.execute_batch(
        "DROP TABLE filler;
         CREATE TABLE ext_notes_a(id INTEGER PRIMARY KEY, body TEXT, n INTEGER);
         CREATE TABLE ext_notes_b(id INTEGER PRIMARY KEY, a_id REFERENCES ext_notes_a(id));
         INSERT INTO ext_notes_a(body, n) VALUES ('one', 1), ('two', 2);
         INSERT INTO ext_notes_b(a_id) VALUES (1);
         ANALYZE;",
    )
    .unwrap();
    host.execute_batch(
        "CREATE TABLE posts(id INTEGER PRIMARY KEY, title TEXT);
         INSERT INTO posts(title) VALUES ('first');
         ANALYZE;",
    )
    .unwrap();
    Arc::new(folder)
}

fn build_foreign(main: &Connection, host: &Connection) {
    for table in [
        "secrets",
        "ext_other_t",
        "ext_notesx",
        "extXnotesXt",
        "_exthost_outbox",
        "_exthost_migrations",
    ] {
        main.execute_batch(&format!(
            "CREATE TABLE {table}(id INTEGER PRIMARY KEY AUTOINCREMENT,
                 word TEXT CONSTRAINT {CANARY} CHECK (word <> 'x'), {CANARY} DEFAULT '{CANARY}');
             INSERT INTO {table}(word) VALUES ('{CANARY}'), ('{CANARY}');"
        ))
        .unwrap();
    }
    main.execute_batch(&format!(
        "CREATE INDEX secrets_word ON secrets(word) WHERE word <> '{CANARY}x';
         CREATE VIEW secret_view AS SELECT *, '{CANARY}' AS v{CANARY} FROM secrets;
         CREATE TRIGGER secrets_trigger AFTER INSERT ON secrets
             BEGIN UPDATE secrets SET word = '{CANARY}'; END;"
    ))
    .unwrap();
    host.execute_batch(&format!(
        "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, word TEXT,
             {CANARY} DEFAULT '{CANARY}');
         INSERT INTO users(name, word) VALUES ('{CANARY}', '{CANARY}');
         CREATE INDEX users_name ON users(name);
         CREATE VIEW v_users AS SELECT * FROM users;
         CREATE TABLE ext_notes_h(id INTEGER PRIMARY KEY, word TEXT);
         INSERT INTO ext_notes_h(word) VALUES ('{CANARY}');"
    ))
    .unwrap();
}

/// The databases of one plugin, guarded.
pub(super) struct Bench {
    pub(super) conn: Connection,
    pub(super) guard: Guard,
    _folder: tempfile::TempDir,
    _template: Arc<tempfile::TempDir>,
}

impl Bench {
    /// A copy of the databases in `template`; the host's is only read.
    pub(super) fn new(template: &Arc<tempfile::TempDir>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.db");
        std::fs::copy(template.path().join("data.db"), &file).unwrap();
        let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
        let mut conn = Connection::open_with_flags(file, flags).unwrap();
        conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;")
            .unwrap();
        let host = format!("file:{}?mode=ro", template.path().join("app.db").display());
        conn.execute("ATTACH ?1 AS host", [host]).unwrap();
        let scope = Arc::new(Scope::new("notes", vec!["Posts".to_owned()]));
        let guard = Guard::install(&mut conn, scope, &GuardLimits::default(), true).unwrap();
        Bench {
            conn,
            guard,
            _folder: folder,
            _template: Arc::clone(template),
        }
    }

    /// A bench with everything that is foreign, in a template of its own.
    pub(super) fn alone() -> Self {
        Bench::new(&template(Foreign::All))
    }

    /// Runs one statement to its end, and returns the names of its columns and all
    /// values.
    pub(super) fn run(&self, sql: &str) -> Result<Vec<Value>, GuardError> {
        if is_ddl(sql) {
            run_ddl(&self.conn, &self.guard, sql)?;
            return Ok(Vec::new());
        }
        let mut statement = self.guard.prepare(&self.conn, sql)?;
        let names = statement.column_names();
        let mut values: Vec<_> = names
            .into_iter()
            .map(|name| Value::Text(name.to_owned()))
            .collect();
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut next = || -> rusqlite::Result<bool> {
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            for column in 0..columns {
                values.push(owned(row.get_ref(column)?));
            }
            Ok(true)
        };
        while next().map_err(|error| self.guard.explain(&self.conn, sql, error))? {}
        Ok(values)
    }

    /// Everything that a plugin may not change, and all names.
    pub(super) fn snapshot(&self) -> String {
        self.dump(&[
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
            "main.sqlite_stat4",
            "host.sqlite_schema",
            "host.users",
            "host.posts",
            "host.ext_notes_h",
            "pragma_database_list",
            "pragma_user_version",
            "pragma_foreign_keys",
            "pragma_journal_mode",
            "pragma_query_only",
            "pragma_recursive_triggers",
            "pragma_writable_schema",
            "pragma_ignore_check_constraints",
        ])
    }

    /// Runs SQL of the service's own.
    pub(super) fn trusted(&self, sql: &str) {
        self.guard.trusted(|| self.conn.execute_batch(sql)).unwrap();
    }

    /// The rows of some tables, with nobody's permission; of one that cannot be read,
    /// why.
    pub(super) fn dump(&self, tables: &[impl AsRef<str>]) -> String {
        let mut out = String::new();
        self.guard.trusted(|| {
            for table in tables {
                let sql = format!("SELECT * FROM {}", table.as_ref());
                let mut statement = match self.conn.prepare(&sql) {
                    Ok(statement) => statement,
                    Err(error) => {
                        let _ = writeln!(out, "{error}");
                        continue;
                    }
                };
                let columns = statement.column_count();
                let mut rows = statement.query([]).unwrap();
                while let Some(row) = rows.next().unwrap() {
                    for column in 0..columns {
                        let _ = write!(out, "{:?}|", owned(row.get_ref(column).unwrap()));
                    }
                    out.push('\n');
                }
            }
        });
        out
    }
}

/// The value; what is not quite a text can be read as one.
fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    }
}
