//! The slots of `db/1`, as the script has them.

use std::ffi::c_void;

use abi::data::Done;
use abi::db::{
    DB_ROW_STOP, DIALECT_SQLITE, DbTable, IdDone, Migration, OnResult, OnRow, Query, Row, RunDone,
    RunResult, TxSpec,
};
use abi::{Status, Str, Value};
use exthost_abi as abi;

use super::super::{Fake, fake, text};
use super::{Data, Refusal, described};

static DONE: RunResult = RunResult {
    changes: 1,
    last_insert_rowid: 41,
};

/// Statement and parameters in words.
fn words(query: *const Query) -> String {
    // SAFETY: borrowed for the call.
    let query = unsafe { &*query };
    // SAFETY: borrowed for the call.
    let params = unsafe { abi::data::slice(query.params, query.params_len) }.unwrap();
    let mut words = match query.statement {
        0 => text(query.sql),
        id => format!("statement {id}"),
    };
    for param in params {
        let value = match param.value.kind {
            abi::data::VALUE_NULL => "NULL".to_owned(),
            abi::data::VALUE_INTEGER => param.value.integer.to_string(),
            abi::data::VALUE_REAL => param.value.real.to_string(),
            // SAFETY: borrowed for the call.
            _ => String::from_utf8_lossy(unsafe { param.value.data.as_slice() }.unwrap()).into(),
        };
        words += &format!(" {}={value}", text(param.name));
    }
    format!("on {} tx {}: {words}", query.on, query.tx)
}

/// Hands rows over until it is told to stop.
fn hand_over(rows: &[Vec<(&str, Value)>], data: *mut c_void, on_row: OnRow) {
    for row in rows {
        let names: Vec<Str> = row.iter().map(|(name, _)| Str::new(name)).collect();
        let values: Vec<Value> = row.iter().map(|(_, value)| *value).collect();
        let row = Row {
            names: names.as_ptr(),
            values: values.as_ptr(),
            len: row.len(),
        };
        // SAFETY: the plugin's, and the row outlives the call.
        if unsafe { on_row.0.unwrap()(data, &raw const row) } == DB_ROW_STOP {
            break;
        }
    }
}

/// Completes a call without a value when its turn comes.
fn done_later(fake: &'static Fake, what: String, data: Data, done: Done, op: *mut u64) -> Status {
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error) };
        });
    };
    fake.later(op, Box::new(end))
}

/// Completes a call with an id when its turn comes.
fn id_later(fake: &'static Fake, what: String, data: Data, done: IdDone, op: *mut u64) -> Status {
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        let id = fake.state().id();
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error, id) };
        });
    };
    fake.later(op, Box::new(end))
}

pub(in super::super) static DB: DbTable = DbTable {
    migrate,
    migrate_async,
    prepare,
    prepare_async,
    close,
    exec,
    exec_async,
    run,
    run_async,
    rows,
    rows_async,
    batch,
    batch_async,
    begin,
    begin_async,
    commit,
    commit_async,
    rollback,
    rollback_async,
    dialect,
};

fn migration_words(migrations: *const Migration, len: usize) -> String {
    // SAFETY: borrowed for the call.
    let migrations = unsafe { abi::data::slice(migrations, len) }.unwrap();
    let versions = migrations.iter().map(|one| one.version.to_string());
    format!("migrate {}", versions.collect::<Vec<_>>().join(" "))
}

unsafe extern "C" fn migrate(
    ctx: *const c_void,
    _cause: u64,
    migrations: *const Migration,
    len: usize,
    version: *mut u64,
) -> Status {
    // SAFETY: writable, by the slot's contract.
    unsafe { version.write(len as u64) };
    fake(ctx).answer(fake(ctx).asked(migration_words(migrations, len)))
}

unsafe extern "C" fn migrate_async(
    ctx: *const c_void,
    _cause: u64,
    migrations: *const Migration,
    len: usize,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let what = migration_words(migrations, len);
    done_later(fake(ctx), what, Data(data), done, op)
}

unsafe extern "C" fn prepare(
    ctx: *const c_void,
    _cause: u64,
    sql: Str,
    statement: *mut u64,
) -> Status {
    let answer = fake(ctx).asked(format!("prepare {}", text(sql)));
    // SAFETY: writable, by the slot's contract.
    unsafe { statement.write(fake(ctx).state().id()) };
    fake(ctx).answer(answer)
}

unsafe extern "C" fn prepare_async(
    ctx: *const c_void,
    _cause: u64,
    sql: Str,
    data: *mut c_void,
    done: IdDone,
    op: *mut u64,
) -> Status {
    let what = format!("prepare {}", text(sql));
    id_later(fake(ctx), what, Data(data), done, op)
}

unsafe extern "C" fn close(ctx: *const c_void, _cause: u64, statement: u64) -> Status {
    fake(ctx).answer(fake(ctx).asked(format!("close {statement}")))
}

unsafe extern "C" fn exec(ctx: *const c_void, _cause: u64, tx: u64, sql: Str) -> Status {
    fake(ctx).answer(fake(ctx).asked(format!("exec tx {tx}: {}", text(sql))))
}

unsafe extern "C" fn exec_async(
    ctx: *const c_void,
    _cause: u64,
    tx: u64,
    sql: Str,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let what = format!("exec tx {tx}: {}", text(sql));
    done_later(fake(ctx), what, Data(data), done, op)
}

unsafe extern "C" fn run(
    ctx: *const c_void,
    cause: u64,
    query: *const Query,
    result: *mut RunResult,
) -> Status {
    let answer = fake(ctx).asked(format!("run cause {cause} {}", words(query)));
    // SAFETY: writable, by the slot's contract.
    unsafe { result.write(DONE) };
    fake(ctx).answer(answer)
}

unsafe extern "C" fn run_async(
    ctx: *const c_void,
    cause: u64,
    query: *const Query,
    data: *mut c_void,
    done: RunDone,
    op: *mut u64,
) -> Status {
    let (fake, data) = (fake(ctx), Data(data));
    let what = format!("run cause {cause} {}", words(query));
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error, &raw const DONE) };
        });
    };
    fake.later(op, Box::new(end))
}

unsafe extern "C" fn rows(
    ctx: *const c_void,
    cause: u64,
    query: *const Query,
    data: *mut c_void,
    on_row: OnRow,
    _result: *mut RunResult,
) -> Status {
    let answer = fake(ctx).asked(format!("rows cause {cause} {}", words(query)));
    if answer.is_ok() {
        let rows = fake(ctx).state().db.rows.clone();
        hand_over(&rows, data, on_row);
    }
    fake(ctx).answer(answer)
}

unsafe extern "C" fn rows_async(
    ctx: *const c_void,
    cause: u64,
    query: *const Query,
    data: *mut c_void,
    on_row: OnRow,
    done: RunDone,
    op: *mut u64,
) -> Status {
    let (fake, data) = (fake(ctx), Data(data));
    let what = format!("rows cause {cause} {}", words(query));
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        if answer.is_ok() {
            let rows = fake.state().db.rows.clone();
            hand_over(&rows, data.pointer(), on_row);
        }
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error, &raw const DONE) };
        });
    };
    fake.later(op, Box::new(end))
}

fn batch_words(queries: *const Query, len: usize) -> String {
    // SAFETY: borrowed for the call.
    let queries = unsafe { abi::data::slice(queries, len) }.unwrap();
    let each = queries.iter().map(|query| words(query));
    format!("batch {}", each.collect::<Vec<_>>().join("; "))
}

fn report(len: usize, data: *mut c_void, on_result: OnResult) {
    for index in 0..len {
        // SAFETY: the plugin's, and the result lives for ever.
        unsafe { on_result.0.unwrap()(data, index, &raw const DONE) };
    }
}

unsafe extern "C" fn batch(
    ctx: *const c_void,
    _cause: u64,
    queries: *const Query,
    len: usize,
    data: *mut c_void,
    on_result: OnResult,
) -> Status {
    let answer = fake(ctx).asked(batch_words(queries, len));
    if answer.is_ok() {
        report(len, data, on_result);
    }
    fake(ctx).answer(answer)
}

unsafe extern "C" fn batch_async(
    ctx: *const c_void,
    _cause: u64,
    queries: *const Query,
    len: usize,
    data: *mut c_void,
    on_result: OnResult,
    done: Done,
    op: *mut u64,
) -> Status {
    let (fake, data) = (fake(ctx), Data(data));
    let what = batch_words(queries, len);
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        if answer.is_ok() {
            report(len, data.pointer(), on_result);
        }
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error) };
        });
    };
    fake.later(op, Box::new(end))
}

fn begin_words(spec: *const TxSpec) -> String {
    // SAFETY: borrowed for the call.
    format!("begin in {}", unsafe { &*spec }.parent)
}

unsafe extern "C" fn begin(
    ctx: *const c_void,
    _cause: u64,
    spec: *const TxSpec,
    tx: *mut u64,
) -> Status {
    let answer = fake(ctx).asked(begin_words(spec));
    // SAFETY: writable, by the slot's contract.
    unsafe { tx.write(fake(ctx).state().id()) };
    fake(ctx).answer(answer)
}

unsafe extern "C" fn begin_async(
    ctx: *const c_void,
    _cause: u64,
    spec: *const TxSpec,
    data: *mut c_void,
    done: IdDone,
    op: *mut u64,
) -> Status {
    id_later(fake(ctx), begin_words(spec), Data(data), done, op)
}

unsafe extern "C" fn commit(ctx: *const c_void, _cause: u64, tx: u64) -> Status {
    fake(ctx).answer(fake(ctx).asked(format!("commit {tx}")))
}

unsafe extern "C" fn commit_async(
    ctx: *const c_void,
    _cause: u64,
    tx: u64,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    done_later(fake(ctx), format!("commit {tx}"), Data(data), done, op)
}

unsafe extern "C" fn rollback(ctx: *const c_void, _cause: u64, tx: u64) -> Status {
    fake(ctx).answer(fake(ctx).asked(format!("rollback {tx}")))
}

unsafe extern "C" fn rollback_async(
    ctx: *const c_void,
    _cause: u64,
    tx: u64,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    done_later(fake(ctx), format!("rollback {tx}"), Data(data), done, op)
}

unsafe extern "C" fn dialect(_ctx: *const c_void, _cause: u64, dialect: *mut u32) -> Status {
    // SAFETY: writable, by the slot's contract.
    unsafe { dialect.write(DIALECT_SQLITE) };
    Status::OK
}
