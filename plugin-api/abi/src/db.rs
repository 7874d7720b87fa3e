//! `db/1`: the plugin's own SQLite database, scoped to tables named
//! `ext_<name>_...`.
//!
//! Arguments are borrowed for the call, also by the completing slots, which
//! copy them. A blocking slot may not be called in an inline route or a poll, and
//! no slot in `on_row` (`MISPLACED`). Errors common to all that run SQL: `INVALID`
//! (syntax, unknown column, wrong parameters), `DENIED` (outside the plugin's
//! scope), `CONFLICT` (a constraint), `BUSY`, `TIMEOUT` (the deadline of a statement
//! or of its transaction), `TOO_LARGE`, `FULL`, `CORRUPT`, `INTERNAL` (the disk),
//! `GONE` (a transaction or statement that has ended), and `CONFLICT` with the code
//! `own-transaction-open` for a write outside the transaction that the same cause,
//! other than 0, holds open. A transaction whose cause ends is rolled back; one nested
//! in another ends with it. A cancel does not cut `commit`, `rollback` and a nested
//! `begin` short. The error's detail is a JSON object with SQLite's extended code and,
//! where known, the position in the text.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Done, Error, Status, Str, Value};

/// The id of the table.
pub const ID: &str = "db";

/// [`Query::on`]: the writer for statements that write, else a reader.
pub const DB_ON_AUTO: u32 = 0;
/// [`Query::on`]: a reader; sees what was committed when it begins.
pub const DB_ON_READER: u32 = 1;
/// [`Query::on`]: the writer; sees all that was acknowledged.
pub const DB_ON_WRITER: u32 = 2;
/// [`Query::on`]: a reader, and the writer when that found no row.
pub const DB_ON_READER_THEN_WRITER: u32 = 3;

/// [`DbTable::dialect`]: SQLite's.
pub const DIALECT_SQLITE: u32 = 1;

/// One parameter of a statement.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Param {
    /// Its name with its sign, `:id`, `@id` or `$id`; empty for the next
    /// position.
    pub name: Str,
    /// Its value.
    pub value: Value,
}

/// One statement with its parameters.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Query {
    /// An id from `prepare`, with an empty `sql`; or 0 to use `sql`.
    pub statement: u64,
    /// The text of one statement; statements are cached by their text.
    pub sql: Str,
    /// An open transaction of this plugin, or 0.
    pub tx: u64,
    /// Parameters.
    pub params: *const Param,
    /// Number of `params`.
    pub params_len: usize,
    /// One of the `DB_ON_` constants; inside a transaction it is ignored.
    pub on: u32,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// Time for the statement; 0 for the plugin's limit, which also bounds it.
    pub deadline_ms: u64,
}

/// One row. Borrowed for the call of [`OnRow`].
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Row {
    /// Names of the columns, the same for every row of a statement.
    pub names: *const Str,
    /// Values of the columns.
    pub values: *const Value,
    /// Number of columns.
    pub len: usize,
}

/// [`OnRow`]: go on.
pub const DB_ROW_NEXT: u32 = 0;
/// [`OnRow`]: enough; the statement ends with `OK`.
pub const DB_ROW_STOP: u32 = 1;

/// Receives one row and answers [`DB_ROW_NEXT`] or [`DB_ROW_STOP`]. It must not block
/// and must not call the database.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct OnRow(pub Option<unsafe extern "C" fn(data: *mut c_void, row: *const Row) -> u32>);

/// What a statement without rows did.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct RunResult {
    /// Rows changed.
    pub changes: u64,
    /// Rowid of the last row this connection inserted.
    pub last_insert_rowid: i64,
}

/// Receives the result of `run_async` and `rows_async`, with the contract of `Done`; `result`
/// is null unless `status` is `OK`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct RunDone(
    pub  Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            status: Status,
            error: *const Error,
            result: *const RunResult,
        ),
    >,
);

/// Receives the id of a transaction or a prepared statement, with the contract
/// of `Done`; `id` is 0 unless `status` is `OK`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct IdDone(
    pub  Option<
        unsafe extern "C" fn(data: *mut c_void, status: Status, error: *const Error, id: u64),
    >,
);

/// Receives the result of the statement at `index` of a batch, in order, before
/// the batch completes. It must not block. May be null.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct OnResult(
    pub Option<unsafe extern "C" fn(data: *mut c_void, index: usize, result: *const RunResult)>,
);

/// How a transaction is opened.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct TxSpec {
    /// An open transaction to nest in, as a savepoint, or 0.
    pub parent: u64,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Time until it is rolled back; 0 for the plugin's limit, which also
    /// bounds it.
    pub deadline_ms: u64,
}

/// One step of a schema.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Migration {
    /// Its number, ascending from 1.
    pub version: u64,
    /// One or more statements.
    pub sql: Str,
}

/// The table `db/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct DbTable {
    /// `[any-thread]` Runs each migration above the recorded version, each once
    /// and in a transaction, after a backup; stores the version reached in
    /// `version` unless that is null.
    ///
    /// Errors: `CONFLICT` with the code `schema-newer` when the recorded version
    /// is above the last given; `INVALID` when they do not ascend.
    /// Since: API 1.0.
    pub migrate: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        migrations: *const Migration,
        migrations_len: usize,
        version: *mut u64,
    ) -> Status,

    /// `[any-thread]` The completing form of `migrate`.
    ///
    /// Errors: as `migrate`, by the call or by `done`.
    /// Since: API 1.0.
    pub migrate_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        migrations: *const Migration,
        migrations_len: usize,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Checks one statement and stores an id for it in
    /// `statement`, valid until `close`.
    ///
    /// Errors: those common to all.
    /// Since: API 1.0.
    pub prepare: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        sql: Str,
        statement: *mut u64,
    ) -> Status,

    /// `[any-thread]` The completing form of `prepare`.
    ///
    /// Errors: as `prepare`, by the call or by `done`.
    /// Since: API 1.0.
    pub prepare_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        sql: Str,
        data: *mut c_void,
        done: IdDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Gives a prepared statement back; never waits.
    ///
    /// Errors: `GONE`.
    /// Since: API 1.0.
    pub close: unsafe extern "C" fn(ctx: *const c_void, cause: u64, statement: u64) -> Status,

    /// `[any-thread]` Runs all statements of `sql`, without parameters, in `tx`
    /// or, when that is 0, each by itself; stops at the first failure.
    ///
    /// Errors: those common to all; outside a transaction, what ran before the
    /// failure stays.
    /// Since: API 1.0.
    pub exec: unsafe extern "C" fn(ctx: *const c_void, cause: u64, tx: u64, sql: Str) -> Status,

    /// `[any-thread]` The completing form of `exec`.
    ///
    /// Errors: as `exec`, by the call or by `done`.
    /// Since: API 1.0.
    pub exec_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        sql: Str,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Runs a statement, ignoring rows, and stores what it did in
    /// `result` unless that is null. Outside a transaction it returns once
    /// committed.
    ///
    /// Errors: those common to all.
    /// Since: API 1.0.
    pub run: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        query: *const Query,
        result: *mut RunResult,
    ) -> Status,

    /// `[any-thread]` The completing form of `run`.
    ///
    /// Errors: as `run`, by the call or by `done`.
    /// Since: API 1.0.
    pub run_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        query: *const Query,
        data: *mut c_void,
        done: RunDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Runs a statement and hands each row to `on_row` before it
    /// returns. A statement that writes (`RETURNING`) is committed before the
    /// first row is handed over, and what it did is stored in `result` unless
    /// that is null.
    ///
    /// Errors: those common to all; rows may have been handed over before one.
    /// Since: API 1.0.
    pub rows: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        query: *const Query,
        data: *mut c_void,
        on_row: OnRow,
        result: *mut RunResult,
    ) -> Status,

    /// `[any-thread]` The completing form of `rows`: `on_row` for each row, on
    /// any thread but never two at a time, then `done`.
    ///
    /// Errors: as `rows`, by the call or by `done`.
    /// Since: API 1.0.
    pub rows_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        query: *const Query,
        data: *mut c_void,
        on_row: OnRow,
        done: RunDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Runs several statements in one transaction, or inside the
    /// one their queries name, which must be the same; all or none.
    ///
    /// Errors: those common to all; nothing of the batch is kept then.
    /// Since: API 1.0.
    pub batch: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        queries: *const Query,
        queries_len: usize,
        data: *mut c_void,
        on_result: OnResult,
    ) -> Status,

    /// `[any-thread]` The completing form of `batch`.
    ///
    /// Errors: as `batch`, by the call or by `done`.
    /// Since: API 1.0.
    pub batch_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        queries: *const Query,
        queries_len: usize,
        data: *mut c_void,
        on_result: OnResult,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Opens a transaction, waiting for the writer, and stores
    /// its id in `tx`. It is rolled back when its deadline passes.
    ///
    /// Errors: `BUSY`, `TIMEOUT`; `GONE` for a parent that has ended.
    /// Since: API 1.0.
    pub begin: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        spec: *const TxSpec,
        tx: *mut u64,
    ) -> Status,

    /// `[any-thread]` The completing form of `begin`.
    ///
    /// Errors: as `begin`, by the call or by `done`.
    /// Since: API 1.0.
    pub begin_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        spec: *const TxSpec,
        data: *mut c_void,
        done: IdDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Commits; the id ends whatever the answer, and a failure
    /// has rolled back.
    ///
    /// Errors: those common to all.
    /// Since: API 1.0.
    pub commit: unsafe extern "C" fn(ctx: *const c_void, cause: u64, tx: u64) -> Status,

    /// `[any-thread]` The completing form of `commit`.
    ///
    /// Errors: as `commit`, by the call or by `done`.
    /// Since: API 1.0.
    pub commit_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Rolls back; the id ends.
    ///
    /// Errors: those common to all.
    /// Since: API 1.0.
    pub rollback: unsafe extern "C" fn(ctx: *const c_void, cause: u64, tx: u64) -> Status,

    /// `[any-thread]` The completing form of `rollback`.
    ///
    /// Errors: as `rollback`, by the call or by `done`.
    /// Since: API 1.0.
    pub rollback_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Stores one of the `DIALECT_` constants in `dialect`.
    ///
    /// Errors: none of its own.
    /// Since: API 1.0.
    pub dialect: unsafe extern "C" fn(ctx: *const c_void, cause: u64, dialect: *mut u32) -> Status,
}
