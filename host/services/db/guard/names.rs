//! Which tables exist, for the names that reach the authorizer bare.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::services::db::scope::Scope;

/// The names of all tables and views, folded, as of one state of the schemas.
///
/// SQLite asks about `count(*)` of an unqualified table and about the alias of a
/// common table expression in the same words, so the name must be looked up; and
/// the authorizer, which may not use the connection, needs them at hand when a
/// step prepares its statement anew.
#[derive(Debug, Default)]
pub(super) struct Names {
    main: HashSet<String>,
    host: HashSet<String>,
    versions: Option<(i64, i64)>,
    /// Names of foreign tables that a statement used for something else. Only
    /// statements that were found good are ever prepared anew by a step.
    aliases: HashSet<String>,
}

impl Names {
    /// Reads the names again if a schema has changed. Call it in trusted mode.
    pub(super) fn refresh(&mut self, conn: &Connection, host: bool) -> rusqlite::Result<()> {
        let versions = (
            version(conn, "PRAGMA main.schema_version")?,
            if host {
                version(conn, "PRAGMA host.schema_version")?
            } else {
                0
            },
        );
        if self.versions == Some(versions) {
            return Ok(());
        }
        self.main = names(conn, "SELECT name FROM main.sqlite_schema")?;
        if host {
            self.host = names(conn, "SELECT name FROM host.sqlite_schema")?;
        }
        self.versions = Some(versions);
        Ok(())
    }

    /// Whether the bare name is that of a table which the plugin may not read;
    /// SQLite looks into `main` first.
    pub(super) fn is_foreign(&self, scope: &Scope, name: &str) -> bool {
        let folded = name.to_ascii_lowercase();
        if self.main.contains(&folded) {
            return !scope.owns(name) && !scope.owns_autoindex(name);
        }
        self.host.contains(&folded) && !scope.is_granted(name)
    }

    pub(super) fn add_aliases(&mut self, names: Vec<String>) {
        let folded = names.into_iter().map(|name| name.to_ascii_lowercase());
        self.aliases.extend(folded);
    }

    /// Whether the name has been found to be used for something else.
    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.aliases.contains(&name.to_ascii_lowercase())
    }
}

fn version(conn: &Connection, sql: &str) -> rusqlite::Result<i64> {
    conn.prepare(sql)?.query_row([], |row| row.get(0))
}

fn names(conn: &Connection, sql: &str) -> rusqlite::Result<HashSet<String>> {
    let mut statement = conn.prepare(sql)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| name.map(|name| name.to_ascii_lowercase()))
        .collect()
}
