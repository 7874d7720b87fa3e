//! Transactions that a plugin holds open, statement by statement.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use exthost_abi::Status;
use tokio::sync::{MutexGuard as TurnGuard, OwnedMutexGuard};
use tokio::task::AbortHandle;

use crate::services::db::connection::Connection;
use crate::services::db::database::Database;
use crate::services::db::lane::Lent;
use crate::services::error::ServiceError;

/// A transaction, or one nested in another as a savepoint.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    root: Arc<Root>,
    /// 0 for the outermost.
    mark: u64,
}

/// What a transaction was opened for, so that a write beside it is told from one
/// of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// The number of the request at whose root the cause stands.
    Request(u64),
    /// Another cause.
    Cause(u64),
}

/// What the outermost transaction and those nested in it share.
#[derive(Debug)]
struct Root {
    state: Mutex<State>,
    deadline: Instant,
    /// What it was opened for.
    holder: Holder,
    /// Where it is noted as the holder of the writer.
    database: Arc<Database>,
    /// Ends it when its time or its cause has passed.
    watch: OnceLock<AbortHandle>,
    /// Held by the call of it that runs.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
enum State {
    Open {
        lent: Lent,
        /// The marks of the savepoints that are open, innermost last.
        nested: Vec<u64>,
        /// The mark of the next savepoint.
        next: u64,
    },
    /// Over, and what is answered to those who ask it for more.
    Ended(ServiceError),
}

impl Transaction {
    /// A transaction that has begun on `lent`.
    pub(super) fn new(
        lent: Lent,
        deadline: Instant,
        holder: Holder,
        database: Arc<Database>,
    ) -> Self {
        Transaction {
            root: Arc::new(Root {
                state: Mutex::new(State::Open {
                    lent,
                    nested: Vec::new(),
                    next: 1,
                }),
                deadline,
                holder,
                database,
                watch: OnceLock::new(),
                turn: Arc::default(),
            }),
            mark: 0,
        }
    }

    /// Whether it is the outermost.
    pub(super) fn is_root(&self) -> bool {
        self.mark == 0
    }

    /// Until when it may go on.
    pub(super) fn deadline(&self) -> Instant {
        self.root.deadline
    }

    /// Says that it no longer holds the writer, or will not in a moment.
    pub(super) fn let_go(&self) {
        self.root.database.let_go(self.root.holder);
    }

    /// Hands over what watches it, before the plugin knows its id.
    pub(super) fn watched_by(&self, watch: AbortHandle) {
        let _ = self.root.watch.set(watch);
    }

    /// Leaves its end to whoever has taken its id.
    pub(super) fn unwatch(&self) {
        if let Some(watch) = self.root.watch.get() {
            watch.abort();
        }
    }

    /// Waits for the calls of it that came before, and those nested in it.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        self.root.turn.clone().lock_owned().await
    }

    /// [`turn`](Self::turn), if it is free.
    pub(super) fn turn_at_once(&self) -> Option<TurnGuard<'_, ()>> {
        self.root.turn.try_lock().ok()
    }

    /// Runs `run` inside it, with the time until which it may take. Waits for a
    /// statement of it that runs on another thread.
    pub(super) fn run<R>(
        &self,
        run: impl FnOnce(&Connection, Instant) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let mut state = self.root.state();
        let connection = self.innermost(&state)?;
        let result = run(connection, self.root.deadline);
        if connection.is_autocommit() {
            let why = match &result {
                Err(error) => gone(&format!("SQLite has rolled it back: {error}")),
                Ok(_) => gone("SQLite has ended it"),
            };
            self.root.end(&mut state, why);
        }
        result
    }

    /// Opens a transaction nested in it.
    pub(super) fn nest(&self) -> Result<Transaction, ServiceError> {
        let mark = self.run_state(|connection, nested, next| {
            self.check_innermost(nested)?;
            connection.own(|raw| raw.execute_batch(&format!("SAVEPOINT exthost_{next}")))?;
            nested.push(*next);
            *next += 1;
            Ok(*next - 1)
        })?;
        Ok(Transaction {
            root: self.root.clone(),
            mark,
        })
    }

    /// Commits it, and with it what is nested in it. It is over whatever the
    /// answer; a failure has rolled back.
    pub(super) fn commit(&self) -> Result<(), ServiceError> {
        match self.mark {
            0 => self.finish("it was committed", Connection::commit),
            mark => self.finish_nested(&format!("RELEASE exthost_{mark}")),
        }
    }

    /// Undoes it, and with it what is nested in it.
    pub(super) fn roll_back(&self) -> Result<(), ServiceError> {
        let roll_back = |connection: &Connection| {
            connection.roll_back();
            Ok(())
        };
        match self.mark {
            0 => self.finish("it was rolled back", roll_back),
            mark => self.finish_nested(&format!(
                "ROLLBACK TO exthost_{mark}; RELEASE exthost_{mark}"
            )),
        }
    }

    /// Rolls it back as a whole; `why` is answered from now on.
    pub(super) fn end(&self, why: ServiceError) {
        let mut state = self.root.state();
        self.root.end(&mut state, why);
    }

    fn finish(
        &self,
        how: &str,
        finish: impl FnOnce(&Connection) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        let mut state = self.root.state();
        let result = match &*state {
            State::Open { lent, .. } => finish(lent.connection()),
            State::Ended(why) => Err(why.clone()),
        };
        let why = match &result {
            Ok(()) => gone(how),
            Err(error) => gone(&format!("its commit failed: {error}")),
        };
        self.root.end(&mut state, why);
        result
    }

    fn finish_nested(&self, sql: &str) -> Result<(), ServiceError> {
        self.run_state(|connection, nested, _| {
            let at = nested.iter().position(|open| *open == self.mark);
            let at = at.ok_or_else(|| gone("it has ended, or the one around it has"))?;
            nested.truncate(at);
            connection.own(|raw| raw.execute_batch(sql))
        })
    }

    fn run_state<R>(
        &self,
        run: impl FnOnce(&Connection, &mut Vec<u64>, &mut u64) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        match &mut *self.root.state() {
            State::Open { lent, nested, next } => run(lent.connection(), nested, next),
            State::Ended(why) => Err(why.clone()),
        }
    }

    /// The connection, if it is open and nothing nested in it is.
    fn innermost<'a>(&self, state: &'a State) -> Result<&'a Connection, ServiceError> {
        match state {
            State::Ended(why) => Err(why.clone()),
            State::Open { lent, nested, .. } => {
                self.check_innermost(nested)?;
                Ok(lent.connection())
            }
        }
    }

    /// Refuses it when it has ended, or something nested in it is open.
    fn check_innermost(&self, nested: &[u64]) -> Result<(), ServiceError> {
        match nested.last().copied().unwrap_or(0) {
            innermost if innermost == self.mark => Ok(()),
            _ if self.is_root() || nested.contains(&self.mark) => Err(ServiceError::new(
                Status::CONFLICT,
                "nested-transaction-open",
                "a transaction nested in this one is open; commit it or roll it back first",
            )),
            _ => Err(gone("it has ended, or the one around it has")),
        }
    }
}

impl Root {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it; what was not committed is rolled back as the connection goes
    /// back to its lane.
    fn end(&self, state: &mut State, why: ServiceError) {
        if let State::Open { .. } = state {
            // Before another, of the same holder even, can have the connection.
            self.database.let_go(self.holder);
            *state = State::Ended(why);
        }
    }
}

/// The answer to what is asked of a transaction that is over.
pub(super) fn gone(why: &str) -> ServiceError {
    ServiceError::gone(format!("this transaction is over: {why}"))
}
