//! A database that has what the plugin may name and nothing else.
//!
//! What SQLite says about a statement there cannot depend on what else exists, so
//! its answer decides the text of an error, and whether a bare name is an alias.
//! It is made in memory when a statement fails, and dropped after.

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error, ErrorCode};

use crate::services::db::guard::words::quote;
use crate::services::db::scope::{Scope, code_of};

/// Such a database; nothing in it is ever run.
pub(super) struct Mirror {
    conn: Connection,
}

impl Mirror {
    /// Copies the definitions from `conn`. Call it in trusted mode.
    pub(super) fn of(conn: &Connection, scope: &Scope, host: bool) -> rusqlite::Result<Self> {
        let mut mirror = Connection::open_in_memory()?;
        mirror.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        mirror.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        mirror.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        for sql in definitions(conn, scope)? {
            // The tables within a virtual table came with it.
            let _ = mirror.execute_batch(&sql);
        }
        if host {
            mirror.execute_batch("ATTACH ':memory:' AS host")?;
            for table in scope.granted() {
                if let Some(sql) = columns(conn, table)? {
                    mirror.execute_batch(&sql)?;
                }
            }
        }
        mirror.authorizer(Some(|context: AuthContext<'_>| judge(&context)))?;
        Ok(Mirror { conn: mirror })
    }

    /// What SQLite says about the statement.
    pub(super) fn prepare(&self, sql: &str) -> Result<(), Error> {
        self.conn.prepare(sql).map(drop)
    }
}

/// Whether the mirror itself refused the statement, which says nothing about it.
pub(super) fn is_denied(error: &Error) -> bool {
    code_of(error) == Some(ErrorCode::AuthorizationForStatementDenied)
}

/// A pragma takes effect while it is prepared, some for the whole process.
fn judge(context: &AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Pragma { pragma_name, .. } if pragma_name != "data_version" => {
            Authorization::Deny
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

/// The texts of all own objects, those first that others need.
fn definitions(conn: &Connection, scope: &Scope) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(
        "SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL
         ORDER BY type = 'trigger', type = 'view', type = 'index', rootpage > 0, rowid",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut definitions = Vec::new();
    for row in rows {
        let (name, sql) = row?;
        if scope.owns(&name) {
            definitions.push(sql);
        }
    }
    Ok(definitions)
}

/// A table of the host with the same columns.
fn columns(conn: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = conn.prepare("SELECT name FROM pragma_table_xinfo(?1, 'host')")?;
    let columns = statement.query_map([table], |row| row.get::<_, String>(0))?;
    let columns: Vec<_> = columns
        .map(|column| column.map(|column| quote(&column)))
        .collect::<rusqlite::Result<_>>()?;
    let columns_or_none = (!columns.is_empty()).then(|| columns.join(", "));
    Ok(columns_or_none.map(|columns| format!("CREATE TABLE host.{}({columns})", quote(table))))
}
