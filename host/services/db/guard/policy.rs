//! What the authorizer answers. It never uses the connection, which is busy
//! preparing when it is asked.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::services::db::guard::lists;
use crate::services::db::guard::names::Names;
use crate::services::db::guard::place::{Place, is_reserved, is_schema_table};
use crate::services::db::scope::{Refusal, Scope};

/// What the authorizer of one connection knows.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) scope: Arc<Scope>,
    /// How many calls of [`Guard::trusted`](super::Guard::trusted) are open.
    trusted: AtomicU32,
    /// Whether a statement that changes the schema is running.
    ddl: AtomicBool,
    seen: Mutex<Seen>,
}

/// What kind of statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    /// It changes the schema.
    Ddl,
    /// It reads the statistics before it says what it is about.
    Analyze,
}

/// What one statement asked for.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The first refusal.
    pub(super) refusal: Option<Refusal>,
    /// Names that came without a database: tables, or aliases.
    pub(super) unresolved: Vec<String>,
    /// Whether the statistics were asked for, and answered with NULL.
    pub(super) statistics: bool,
    /// Which names exist, as far as is known.
    pub(super) names: Names,
    /// Whether a pragma that names no database would have found its table in
    /// another than `main`.
    pub(super) elsewhere: bool,
    /// Whether anything was asked: else the statement came out of the cache.
    pub(super) asked: bool,
    /// Whether the bare names are looked up once the statement is prepared.
    pub(super) preparing: bool,
    pub(super) stage: Stage,
}

/// How far a statement that changes the schema has come: what it may do for
/// itself depends on what it has said before.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may write the schema table, and read nothing of it.
    #[default]
    Writing,
    /// It updates the row of the new table, which it finds by its rowid.
    Updating,
    /// It alters, drops or analyzes an own table; no such statement can carry a
    /// query of the plugin's.
    Altering,
}

/// What is not allowed: a kind and a name.
pub(super) type Denied = (&'static str, String);

impl Policy {
    pub(super) fn new(scope: Arc<Scope>) -> Self {
        Policy {
            scope,
            trusted: AtomicU32::new(0),
            ddl: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.trusted.load(Ordering::Acquire) > 0
    }

    /// Counts a trusted call in.
    pub(super) fn enter_trusted(&self) {
        self.trusted.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts it out again.
    pub(super) fn leave_trusted(&self) {
        self.trusted.fetch_sub(1, Ordering::AcqRel);
    }

    /// Begins a statement: forgets what the last one asked for.
    pub(super) fn begin(&self, mode: Mode) {
        self.ddl.store(mode != Mode::Plain, Ordering::Release);
        let mut seen = self.seen();
        seen.refusal = None;
        seen.unresolved.clear();
        seen.statistics = false;
        seen.elsewhere = false;
        seen.asked = false;
        seen.preparing = true;
        seen.stage = match mode {
            Mode::Plain | Mode::Ddl => Stage::Writing,
            Mode::Analyze => Stage::Altering,
        };
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the authorizer's question.
    pub(super) fn judge(&self, context: &AuthContext<'_>) -> Authorization {
        if self.is_trusted() {
            return Authorization::Allow;
        }
        let mut seen = self.seen();
        seen.asked = true;
        match self.verdict(&mut seen, context) {
            Ok(answer) => answer,
            Err((kind, name)) => {
                seen.refusal
                    .get_or_insert_with(|| self.scope.refuse(kind, &name));
                Authorization::Deny
            }
        }
    }

    fn verdict(&self, seen: &mut Seen, context: &AuthContext<'_>) -> Result<Authorization, Denied> {
        use AuthAction as A;
        let schema = Place::of(context.database_name);
        match context.action {
            A::Select | A::Recursive => {
                if seen.stage == Stage::Updating {
                    seen.stage = Stage::Writing;
                }
                Ok(Authorization::Allow)
            }
            A::Function { function_name } => {
                let allowed = lists::is_function_allowed(function_name)
                    || self.is_altering(seen) && lists::is_alter_function(function_name);
                allow_if(allowed, "function", function_name)
            }
            A::Pragma {
                pragma_name,
                pragma_value,
            } => self.pragma(seen, pragma_name, pragma_value, context.database_name),
            A::Read {
                table_name,
                column_name,
            } => self.read(seen, table_name, column_name, schema),
            A::Insert { table_name } | A::Delete { table_name } => {
                self.write(seen, table_name, schema)
            }
            A::Update { table_name, .. } => {
                let answer = self.write(seen, table_name, schema)?;
                if is_schema_table(table_name) && seen.stage == Stage::Writing {
                    seen.stage = Stage::Updating;
                }
                Ok(answer)
            }
            _ => self.definition(seen, &context.action, schema),
        }
    }

    pub(super) fn is_ddl(&self) -> bool {
        self.ddl.load(Ordering::Acquire)
    }

    fn is_altering(&self, seen: &Seen) -> bool {
        self.is_ddl() && seen.stage == Stage::Altering
    }

    fn read(
        &self,
        seen: &mut Seen,
        table: &str,
        column: &str,
        place: Place,
    ) -> Result<Authorization, Denied> {
        if is_reserved(table) {
            return self.read_reserved(seen, table, column, place);
        }
        let allowed = match place {
            Place::Main if lists::is_alter_check(table, "pragma_") => self.is_altering(seen),
            Place::Main => self.scope.owns(table) || lists::is_table_function(table),
            Place::Host => self.scope.is_granted(table),
            Place::Unnamed if column.is_empty() => {
                seen.unresolved.push(table.to_owned());
                seen.preparing
                    || !seen.names.is_foreign(&self.scope, table)
                    || seen.names.is_alias(table)
            }
            Place::Unnamed | Place::Temp | Place::Other => false,
        };
        allow_if(allowed, "table", table)
    }

    /// Reads SQLite's own tables: what a change of the schema reads for itself.
    fn read_reserved(
        &self,
        seen: &mut Seen,
        table: &str,
        column: &str,
        place: Place,
    ) -> Result<Authorization, Denied> {
        let here = matches!(place, Place::Main | Place::Temp);
        let by_rowid = is_schema_table(table) && column.eq_ignore_ascii_case("rowid");
        let allowed = self.is_ddl()
            && here
            && match seen.stage {
                Stage::Altering => true,
                Stage::Updating => by_rowid,
                Stage::Writing => false,
            };
        if allowed {
            return Ok(Authorization::Allow);
        }
        // An R-tree reads its row count from the statistics whenever it connects,
        // which may be in any statement: it is told nothing rather than refused.
        let counts = ["stat", "tbl"].contains(&column.to_ascii_lowercase().as_str());
        if place == Place::Main && table.eq_ignore_ascii_case("sqlite_stat1") && counts {
            seen.statistics = true;
            return Ok(Authorization::Ignore);
        }
        deny("table", table)
    }

    fn write(&self, seen: &Seen, table: &str, place: Place) -> Result<Authorization, Denied> {
        let allowed = if is_reserved(table) {
            let dropped = is_schema_table(table) || seen.stage == Stage::Altering;
            self.is_ddl() && matches!(place, Place::Main | Place::Temp) && dropped
        } else {
            place == Place::Main && self.scope.owns(table)
        };
        allow_if(allowed, "table", table)
    }

    /// A pragma that describes one own or granted table, and the counter that
    /// FTS5 asks for.
    fn pragma(
        &self,
        seen: &mut Seen,
        pragma: &str,
        value: Option<&str>,
        database: Option<&str>,
    ) -> Result<Authorization, Denied> {
        let place = database.map_or(Place::Unnamed, |name| Place::of(Some(name)));
        if pragma.eq_ignore_ascii_case("data_version") {
            let own = matches!(place, Place::Main | Place::Unnamed);
            return allow_if(value.is_none() && own, "pragma", pragma);
        }
        if pragma.eq_ignore_ascii_case("page_size") && value.is_none() && place == Place::Main {
            // An R-tree sizes its nodes by it.
            return Ok(Authorization::Allow);
        }
        if lists::is_alter_check(pragma, "") && self.is_altering(seen) {
            let own = place == Place::Main && value.is_some_and(|name| self.scope.owns(name));
            return allow_if(own, "pragma", pragma);
        }
        let Some(name) = value.filter(|_| lists::is_describing(pragma)) else {
            return deny("pragma", pragma);
        };
        let own = self.scope.owns(name) || self.scope.owns_autoindex(name);
        let table_info = pragma.to_ascii_lowercase().starts_with("table_");
        let allowed = match place {
            Place::Main => own,
            Place::Host => table_info && self.scope.is_granted(name),
            Place::Unnamed if own && seen.names.is_foreign(&self.scope, name) => {
                // SQLite would describe the host's table of that name.
                seen.elsewhere = true;
                return Ok(Authorization::Ignore);
            }
            Place::Unnamed => {
                seen.unresolved.push(name.to_owned());
                own || table_info && self.scope.is_granted(name)
            }
            Place::Temp | Place::Other => false,
        };
        allow_if(allowed, "table", name)
    }
}

pub(super) fn allow_if(
    allowed: bool,
    kind: &'static str,
    name: &str,
) -> Result<Authorization, Denied> {
    if allowed {
        return Ok(Authorization::Allow);
    }
    deny(kind, name)
}

pub(super) fn deny(kind: &'static str, name: &str) -> Result<Authorization, Denied> {
    Err((kind, name.to_owned()))
}
