//! Compares the schema before and after a statement that changes it, and refuses
//! what the authorizer could not see: the new name in a rename, the bodies of
//! views and triggers, the parents of foreign keys, the content of FTS5 tables.

use std::collections::BTreeMap;

use rusqlite::{Connection, Error};

use crate::services::db::guard::{Guard, GuardError, fts5_content, quote};
use crate::services::db::scope::{Scope, message_of};

/// All rows of `main.sqlite_schema`, without the places of their pages.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Schema {
    /// By kind and name, which no two rows share.
    rows: BTreeMap<(String, String), Row>,
}

/// What a row says beside its kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    table: String,
    sql: Option<String>,
}

/// Runs one statement that changes the schema inside a savepoint of its own, and
/// undoes it unless every change stays within the scope.
///
/// # Errors
/// The refusal, or SQLite's own error; either way nothing is left behind.
pub(super) fn run_ddl(conn: &Connection, guard: &Guard, sql: &str) -> Result<(), GuardError> {
    let before = Schema::of(conn, guard)?;
    savepoint(conn, guard, "SAVEPOINT exthost_ddl")?;
    let outcome = guard.execute_ddl(conn, sql).and_then(|()| {
        let after = Schema::of(conn, guard)?;
        Schema::check_change(&before, &after, conn, guard)
    });
    let outcome = outcome.and_then(|()| savepoint(conn, guard, "RELEASE exthost_ddl"));
    // An error can have ended the whole transaction, and the savepoint with it; a
    // release that a foreign key stops leaves it open.
    if outcome.is_err() && !conn.is_autocommit() {
        savepoint(conn, guard, "ROLLBACK TO exthost_ddl")?;
        savepoint(conn, guard, "RELEASE exthost_ddl")?;
    }
    outcome
}

fn savepoint(conn: &Connection, guard: &Guard, sql: &str) -> Result<(), GuardError> {
    guard.trusted(|| conn.execute_batch(sql))?;
    Ok(())
}

impl Schema {
    /// Reads the schema.
    fn of(conn: &Connection, guard: &Guard) -> rusqlite::Result<Schema> {
        guard.trusted(|| {
            let mut statement =
                conn.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_schema")?;
            let rows = statement.query_map([], |row| {
                let (table, sql) = (row.get(2)?, row.get(3)?);
                Ok(((row.get(0)?, row.get(1)?), Row { table, sql }))
            })?;
            Ok(Schema {
                rows: rows.collect::<rusqlite::Result<_>>()?,
            })
        })
    }

    /// Checks every row that is new, changed or gone.
    ///
    /// # Errors
    /// The refusal of the first that reaches outside the scope.
    fn check_change(
        before: &Schema,
        after: &Schema,
        conn: &Connection,
        guard: &Guard,
    ) -> Result<(), GuardError> {
        let scope = guard.scope();
        let gone = before
            .rows
            .iter()
            .filter(|(key, row)| after.rows.get(*key) != Some(*row));
        for (key, row) in gone {
            check_names(scope, key, row)?;
        }
        let new: Vec<_> = after
            .rows
            .iter()
            .filter(|(key, row)| before.rows.get(*key) != Some(*row))
            .collect();
        for (key, row) in &new {
            check_names(scope, key, row)?;
        }
        for ((kind, name), row) in new {
            match kind.as_str() {
                "table" => {
                    check_parents(conn, guard, name)?;
                    check_content(scope, row)?;
                }
                "view" => {
                    let sql = format!("SELECT * FROM main.{}", quote(name));
                    check_body(conn, guard, &sql, row)?;
                }
                "trigger" => check_trigger(conn, guard, row)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Checks both names of a row: its own, and that of the table it belongs to.
fn check_names(scope: &Scope, (_, name): &(String, String), row: &Row) -> Result<(), GuardError> {
    const SQLITES_OWN: &[&str] = &[
        "sqlite_sequence",
        "sqlite_stat1",
        "sqlite_stat3",
        "sqlite_stat4",
    ];
    if SQLITES_OWN.contains(&name.as_str()) {
        return Ok(());
    }
    if !scope.owns(name) && !scope.owns_autoindex(name) {
        return Err(scope.refuse_table(name).into());
    }
    if !scope.owns(&row.table) {
        return Err(scope.refuse_table(&row.table).into());
    }
    Ok(())
}

/// Checks the tables that foreign keys point to.
fn check_parents(conn: &Connection, guard: &Guard, table: &str) -> Result<(), GuardError> {
    let parents: Vec<String> = guard.trusted(|| {
        let mut statement = conn.prepare(
            "SELECT \"table\" FROM pragma_foreign_key_list(?1, 'main') WHERE \"table\" IS NOT NULL",
        )?;
        let parents = statement.query_map([table], |row| row.get(0))?;
        parents.collect::<rusqlite::Result<_>>()
    })?;
    let scope = guard.scope();
    match parents.iter().find(|parent| !scope.owns(parent)) {
        Some(parent) => Err(scope.refuse_table(parent).into()),
        None => Ok(()),
    }
}

/// Checks the table that an FTS5 table takes its content from: `content=name`
/// among the arguments of the module. An empty name stands for none.
fn check_content(scope: &Scope, row: &Row) -> Result<(), GuardError> {
    let content = row.sql.as_deref().and_then(fts5_content);
    match content {
        Some(content) if !content.is_empty() && !scope.owns(&content) => {
            Err(scope.refuse_table(&content).into())
        }
        _ => Ok(()),
    }
}

/// Prepares, under the guard, a statement that makes SQLite compile a body.
fn check_body(conn: &Connection, guard: &Guard, sql: &str, body: &Row) -> Result<(), GuardError> {
    guard.prepare(conn, sql)?.discard();
    guard.check_without_foreign(conn, sql, body.sql.as_deref().unwrap_or(""), &[])
}

/// Prepares whatever can fire a trigger of the table.
fn check_trigger(conn: &Connection, guard: &Guard, trigger: &Row) -> Result<(), GuardError> {
    let table = &trigger.table;
    let columns: Vec<String> = guard.trusted(|| {
        let mut statement =
            conn.prepare("SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0")?;
        let columns = statement.query_map([table], |row| row.get(0))?;
        columns.collect::<rusqlite::Result<_>>()
    })?;
    let table = quote(table);
    let set: Vec<String> = columns
        .iter()
        .map(|column| format!("{0} = {0}", quote(column)))
        .collect();
    let set = set.join(", ");
    for sql in [
        format!("INSERT INTO main.{table} DEFAULT VALUES"),
        format!("DELETE FROM main.{table}"),
        format!("UPDATE main.{table} SET {set}"),
    ] {
        match check_body(conn, guard, &sql, trigger) {
            // A view that has triggers for some kinds of change and not for this.
            Err(GuardError::Sql(error)) if is_unchangeable_view(&error) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

fn is_unchangeable_view(error: &Error) -> bool {
    message_of(error).is_some_and(|message| message.ends_with("because it is a view"))
}
