//! Keeps the SQL of one plugin within its scope, on one connection.
//!
//! SQLite's own authorizer decides, and stays for the connection's life: a schema
//! that changes under a statement makes its step prepare it anew. What the
//! authorizer cannot see (the new name in a rename, the bodies of views and
//! triggers, foreign keys) is checked afterwards by [`schema`](super::schema).

mod clock;
mod definition;
mod lists;
mod mirror;
mod names;
mod place;
mod policy;
mod target;
mod text;
mod words;

#[cfg(test)]
mod tests;

use std::ffi::c_int;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{CachedStatement, Connection, Error, ErrorCode};

use crate::services::db::functions;
use crate::services::db::scope::{Refusal, Scope, code_of, refusal_of};
use mirror::Mirror;
use policy::{Mode, Policy};

pub(super) use clock::Clock;
pub(super) use text::Kind;
pub(crate) use text::Text;
pub(super) use words::{fts5_content, quote, statements};

/// Stays installed for the connection's life.
#[derive(Debug)]
pub(super) struct Guard {
    policy: Arc<Policy>,
    clock: Arc<Clock>,
    host: bool,
}

/// What one statement may cost.
#[derive(Debug, Clone)]
pub(super) struct GuardLimits {
    /// The longest text, blob or row, in bytes.
    pub(super) value_bytes_max: i32,
    /// The longest statement, in bytes.
    pub(super) sql_bytes_max: i32,
    /// The most columns of a table, an index or a result.
    pub(super) columns_max: i32,
}

impl Default for GuardLimits {
    fn default() -> Self {
        GuardLimits {
            value_bytes_max: 16 << 20,
            sql_bytes_max: 1_000_000,
            columns_max: 256,
        }
    }
}

/// Why a statement of the plugin failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuardError {
    /// It named what is outside the scope.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// SQLite's own error, about the plugin's own objects.
    #[error(transparent)]
    Sql(#[from] Error),
}

/// How often a running statement looks at the clock, in instructions: often enough
/// that few rows with values of the greatest length lie between.
const INSTRUCTIONS: c_int = 50;

impl Guard {
    /// Installs the authorizer, the progress handler, the functions that look at
    /// the clock, and the limits. `host` says whether a read-only database is
    /// attached under that name; none can be attached afterwards.
    pub(super) fn install(
        conn: &mut Connection,
        scope: Arc<Scope>,
        limits: &GuardLimits,
        host: bool,
    ) -> rusqlite::Result<Guard> {
        let guard = Guard {
            policy: Arc::new(Policy::new(scope)),
            clock: Arc::new(Clock::new()),
            host,
        };
        configure(conn, limits, host)?;
        functions::install(conn, &guard.clock, limits.value_bytes_max)?;
        guard.trusted(|| guard.policy.seen().names.refresh(conn, host))?;
        let (policy, clock) = (Arc::clone(&guard.policy), Arc::clone(&guard.clock));
        conn.progress_handler(
            INSTRUCTIONS,
            Some(move || clock.is_over() && !policy.is_trusted()),
        )?;
        let policy = Arc::clone(&guard.policy);
        conn.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            policy.judge(&context)
        }))?;
        Ok(guard)
    }

    /// What the plugin may name.
    pub(super) fn scope(&self) -> &Scope {
        &self.policy.scope
    }

    /// Until when statements may run; the service's own are not bound by it.
    pub(super) fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.clock)
    }

    /// Runs the service's own SQL. Nothing that the plugin wrote may be prepared
    /// or stepped inside.
    pub(super) fn trusted<R>(&self, run: impl FnOnce() -> R) -> R {
        let _trust = Trust::enter(&self.policy);
        run()
    }

    /// [`prepare_text`](Self::prepare_text), of a text that is not kept.
    pub(super) fn prepare<'c>(
        &self,
        conn: &'c Connection,
        sql: &str,
    ) -> Result<CachedStatement<'c>, GuardError> {
        self.prepare_text(conn, &Text::of(sql))
    }

    /// Prepares a statement that does not change the schema, or takes it from the
    /// connection's cache.
    ///
    /// # Errors
    /// [`GuardError::Refused`] for anything outside the scope.
    pub(super) fn prepare_text<'c>(
        &self,
        conn: &'c Connection,
        text: &Text,
    ) -> Result<CachedStatement<'c>, GuardError> {
        if let Kind::Refused(kind) = text.kind() {
            return Err(self.scope().refuse("statement", kind).into());
        }
        self.policy.begin(Mode::Plain);
        let statement = conn
            .prepare_cached(text.marked())
            .map_err(|error| self.explain(conn, text, error))?;
        if let Err(error) = self.check_prepared(conn, text) {
            // A statement that went back into the cache would not be asked about
            // again.
            statement.discard();
            return Err(error);
        }
        let elsewhere = self.policy.seen().elsewhere;
        if elsewhere && let Some(here) = words::in_main(text) {
            // It answers as of a table that does not exist, with its columns.
            statement.discard();
            return self.prepare(conn, &here);
        }
        Ok(statement)
    }

    /// Prepares and runs one statement that changes the schema. It is neither
    /// undone nor compared here: see [`run_ddl`](super::schema::run_ddl).
    pub(super) fn execute_ddl(&self, conn: &Connection, sql: &str) -> Result<(), GuardError> {
        target::check(self.scope(), sql)?;
        if let Some(name) = target::sought_everywhere(sql)
            && self.is_elsewhere(conn, &name)?
        {
            // SQLite would take the host's; there is none in `main`.
            let mirror = self.trusted(|| Mirror::of(conn, self.scope(), self.host))?;
            let prepared = mirror.prepare(sql);
            return prepared.map_err(|error| described(refusal_of(self.scope(), &error), error));
        }
        let analyze = words::Words::of(sql)
            .next()
            .is_some_and(|first| first.is("analyze"));
        self.policy
            .begin(if analyze { Mode::Analyze } else { Mode::Ddl });
        let run = || {
            let mut statement = conn
                .prepare(sql)
                .map_err(|error| self.explain(conn, sql, error))?;
            self.check_prepared(conn, sql)?;
            statement
                .raw_execute()
                .map_err(|error| self.explain(conn, sql, error))?;
            Ok(())
        };
        let outcome = run();
        self.policy.begin(Mode::Plain);
        outcome
    }

    /// Says why a prepare or a step failed: a refusal, when the authorizer
    /// refused or SQLite's text speaks of a name outside the scope.
    ///
    /// What it says of a statement is what would be true if nothing outside the
    /// scope existed, so that no mistake in a statement asks what does.
    pub(super) fn explain(&self, conn: &Connection, sql: &str, error: Error) -> GuardError {
        let scope = self.scope();
        let code = code_of(&error);
        // On its way SQLite also compiles views that the statement is not about, and
        // goes on when one is refused: that is no answer to this statement.
        let denied = code == Some(ErrorCode::AuthorizationForStatementDenied);
        let refusal = self
            .take_refusal()
            .filter(|_| denied)
            .or_else(|| refusal_of(scope, &error));
        let about_names = denied || code == Some(ErrorCode::Unknown);
        if about_names && words::has_tables(sql) {
            let mirror = self.trusted(|| Mirror::of(conn, scope, self.host));
            if let Err(seen) = mirror.and_then(|mirror| mirror.prepare(sql))
                && !mirror::is_denied(&seen)
            {
                return described(refusal_of(scope, &seen), seen);
            }
        }
        described(refusal, error)
    }

    /// Why the last prepare or step was refused, if the authorizer did.
    fn take_refusal(&self) -> Option<Refusal> {
        self.policy.seen().refusal.take()
    }

    /// Looks up the names that came without a database while preparing.
    fn check_prepared(&self, conn: &Connection, sql: &str) -> Result<(), GuardError> {
        let mut seen = self.policy.seen();
        seen.preparing = false;
        let asked = std::mem::take(&mut seen.asked);
        let unresolved = std::mem::take(&mut seen.unresolved);
        let statistics = std::mem::take(&mut seen.statistics);
        drop(seen);
        if statistics && sql.to_ascii_lowercase().contains("sqlite_stat1") {
            self.check_in_mirror(conn, sql, "sqlite_stat1")?;
            return Err(self.scope().refuse_table("sqlite_stat1").into());
        }
        if !asked {
            return Ok(());
        }
        let text = if words::has_tables(sql) { sql } else { "" };
        self.check_without_foreign(conn, sql, text, &unresolved)?;
        self.policy.seen().names.add_aliases(unresolved);
        Ok(())
    }

    /// Whether the name is not in `main`, and in the host's database not granted.
    fn is_elsewhere(&self, conn: &Connection, name: &str) -> rusqlite::Result<bool> {
        let mut names = std::mem::take(&mut self.policy.seen().names);
        let refreshed = self.trusted(|| names.refresh(conn, self.host));
        let is_elsewhere = names.is_foreign(self.scope(), name);
        self.policy.seen().names = names;
        refreshed.map(|()| is_elsewhere)
    }

    /// Looks for names of foreign tables among those that came without a database
    /// and in `text`: SQLite asks nothing about a subquery whose answer it can do
    /// without. Such a name may still be an alias, a column or a string: then the
    /// statement does without any foreign table.
    pub(super) fn check_without_foreign(
        &self,
        conn: &Connection,
        sql: &str,
        text: &str,
        unresolved: &[String],
    ) -> Result<(), GuardError> {
        let mut names = std::mem::take(&mut self.policy.seen().names);
        let refreshed = self.trusted(|| names.refresh(conn, self.host));
        let is_foreign = |name: &str| names.is_foreign(self.scope(), name);
        let bare = unresolved.iter().find(|name| is_foreign(name)).cloned();
        let foreign = bare.or_else(|| words::find_name(text, is_foreign));
        self.policy.seen().names = names;
        refreshed?;
        let Some(foreign) = foreign else {
            return Ok(());
        };
        self.check_in_mirror(conn, sql, &foreign)
    }

    /// Fails as the statement does where nothing foreign exists.
    fn check_in_mirror(
        &self,
        conn: &Connection,
        sql: &str,
        foreign: &str,
    ) -> Result<(), GuardError> {
        let mirror = self.trusted(|| Mirror::of(conn, self.scope(), self.host))?;
        match mirror.prepare(sql) {
            Ok(()) => Ok(()),
            Err(error) if mirror::is_denied(&error) => {
                Err(self.scope().refuse_table(foreign).into())
            }
            Err(error) => Err(described(refusal_of(self.scope(), &error), error)),
        }
    }
}

/// The refusal, or SQLite's error without the text of the statement, which the
/// caller has and the cache has marked.
fn described(refusal: Option<Refusal>, error: Error) -> GuardError {
    match (refusal, error) {
        (Some(refusal), _) => GuardError::Refused(refusal),
        (
            None,
            Error::SqlInputError {
                error, msg, offset, ..
            },
        ) if offset >= 0 => GuardError::Sql(Error::SqliteFailure(
            error,
            Some(format!("{msg} at offset {offset}")),
        )),
        (None, error) => GuardError::Sql(error),
    }
}

/// Leaves the trusted state when dropped, also by a panic.
struct Trust<'g>(&'g Policy);

impl<'g> Trust<'g> {
    fn enter(policy: &'g Policy) -> Self {
        policy.enter_trusted();
        Trust(policy)
    }
}

impl Drop for Trust<'_> {
    fn drop(&mut self) {
        self.0.leave_trusted();
    }
}

/// Sets what SQLite itself keeps watch over.
fn configure(conn: &Connection, limits: &GuardLimits, host: bool) -> rusqlite::Result<()> {
    use DbConfig as C;
    for (config, value) in [
        (C::SQLITE_DBCONFIG_DEFENSIVE, true),
        (C::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (C::SQLITE_DBCONFIG_ENABLE_TRIGGER, true),
        (C::SQLITE_DBCONFIG_ENABLE_VIEW, true),
        (C::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (C::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (C::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false),
        (C::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (C::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (C::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        (C::SQLITE_DBCONFIG_DQS_DML, false),
        (C::SQLITE_DBCONFIG_DQS_DDL, false),
        // Else SQLite prepares anew whenever a parameter that its planner looked
        // at is bound.
        (C::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        conn.set_db_config(config, value)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, limits.value_bytes_max),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, limits.sql_bytes_max),
        (Limit::SQLITE_LIMIT_COLUMN, limits.columns_max),
        (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        (Limit::SQLITE_LIMIT_ATTACHED, c_int::from(host)),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        conn.set_limit(limit, value)?;
    }
    Ok(())
}
