//! The slots for statements.

use std::ffi::c_void;

use exthost_abi::data::Done;
use exthost_abi::db::{
    IdDone, OnResult, OnRow, Query as RawQuery, RunDone, RunResult as RawRunResult,
};
use exthost_abi::{Status, Str};

use crate::ffi::completion::{at_once, start, start_closing, wait};
use crate::ffi::convert::{Data, require, store, text};
use crate::ffi::db::query::{owned, queries, query};
use crate::ffi::db::rows::{Receiver, raw_result};
use crate::ffi::{callback, enter};
use crate::services::PluginServices;
use crate::services::db::{By, Row, RunResult};
use crate::services::watchdog;

pub(super) unsafe extern "C" fn prepare(
    ctx: *const c_void,
    _cause: u64,
    sql: Str,
    statement: *mut u64,
) -> Status {
    enter(ctx, |services| {
        require(!statement.is_null(), "statement")?;
        // SAFETY: the plugin lends the text for the call.
        let sql = unsafe { text(sql, "sql") }?.into();
        let id = wait(services, services.db.prepare(sql, By::This))?;
        // SAFETY: and `statement`.
        unsafe { store(statement, id) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn prepare_async(
    ctx: *const c_void,
    cause: u64,
    sql: Str,
    data: *mut c_void,
    done: IdDone,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the text for the call.
        let sql = unsafe { text(sql, "sql") }?.into();
        let work = services.db.prepare(sql, By::Runtime);
        start(services, cause, (Data(data), done), op, work)
    })
}

pub(super) unsafe extern "C" fn close(ctx: *const c_void, _cause: u64, statement: u64) -> Status {
    enter(ctx, |services| services.db.close(statement))
}

pub(super) unsafe extern "C" fn exec(ctx: *const c_void, cause: u64, tx: u64, sql: Str) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the text for the call.
        let script = unsafe { text(sql, "sql") }?.to_owned();
        wait(services, services.db.exec(cause, tx, script, By::This))
    })
}

pub(super) unsafe extern "C" fn exec_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    sql: Str,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the text for the call.
        let script = unsafe { text(sql, "sql") }?.to_owned();
        let work = services.db.exec(cause, tx, script, By::Runtime);
        start(services, cause, (Data(data), done), op, work)
    })
}

pub(super) unsafe extern "C" fn run(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    result: *mut RawRunResult,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the query for the call.
        let (tx, query) = unsafe { query(services, raw) }?;
        let db = &services.db;
        let done = match at_once(services, || db.run_at_once(cause, tx, &query, None))? {
            Some(done) => done,
            None => {
                let work = db.run(cause, tx, query.into_owned(), None, By::This);
                wait(services, work)?
            }
        };
        // SAFETY: and `result`.
        unsafe { store(result, raw_result(&done)) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn run_async(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    data: *mut c_void,
    done: RunDone,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the query for the call.
        let (tx, query) = unsafe { query(services, raw) }?;
        let query = query.into_owned();
        let work = services.db.run(cause, tx, query, None, By::Runtime);
        start(services, cause, (Data(data), done), op, work)
    })
}

pub(super) unsafe extern "C" fn rows(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    data: *mut c_void,
    on_row: OnRow,
    result: *mut RawRunResult,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the query for the call.
        let (tx, query) = unsafe { query(services, raw) }?;
        let mut receiver = Receiver::new(services, cause, on_row, Data(data))?;
        let db = &services.db;
        let mut on_row = |row: &Row<'_>| receiver.take(row);
        let run = || db.run_at_once(cause, tx, &query, Some(&mut on_row));
        let done = match at_once(services, run)? {
            Some(done) => done,
            None => {
                let rows = receiver.into_sink();
                let query = query.into_owned();
                let work = db.run(cause, tx, query, Some(rows.clone()), By::This);
                let done = wait(services, work);
                // A statement that is still running elsewhere hands over no more rows.
                rows.close();
                done?
            }
        };
        // SAFETY: the plugin lends `result` for the call.
        unsafe { store(result, raw_result(&done)) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn rows_async(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    data: *mut c_void,
    on_row: OnRow,
    done: RunDone,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the query for the call.
        let (tx, query) = unsafe { query(services, raw) }?;
        let query = query.into_owned();
        let rows = Receiver::new(services, cause, on_row, Data(data))?.into_sink();
        let work = services
            .db
            .run(cause, tx, query, Some(rows.clone()), By::Runtime);
        start_closing(services, cause, (Data(data), done), op, work, rows.closed())
    })
}

pub(super) unsafe extern "C" fn batch(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    len: usize,
    data: *mut c_void,
    on_result: OnResult,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the queries for the call.
        let (tx, queries) = unsafe { queries(services, raw, len) }?;
        let db = &services.db;
        let results = match at_once(services, || db.batch_at_once(cause, tx, &queries))? {
            Some(results) => results,
            None => wait(services, db.batch(cause, tx, owned(queries), By::This))?,
        };
        tell(services, cause, Data(data), on_result, &results);
        Ok(())
    })
}

pub(super) unsafe extern "C" fn batch_async(
    ctx: *const c_void,
    cause: u64,
    raw: *const RawQuery,
    len: usize,
    data: *mut c_void,
    on_result: OnResult,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the queries for the call.
        let (tx, queries) = unsafe { queries(services, raw, len) }?;
        let work = services.db.batch(cause, tx, owned(queries), By::Runtime);
        let told = async move {
            let results = work.await?;
            // On a worker of the runtime, where it may not wait.
            watchdog::inline(0, || tell(services, cause, data, on_result, &results));
            Ok(())
        };
        start(services, cause, (data, done), op, told)
    })
}

/// Tells a plugin what each statement of a batch did.
fn tell(
    services: &PluginServices,
    cause: u64,
    data: Data,
    on_result: OnResult,
    results: &[RunResult],
) {
    let Some(on_result) = on_result.0 else { return };
    let request = services.causes.exchange(&services.context, cause);
    for (index, result) in results.iter().enumerate() {
        let raw = raw_result(result);
        callback(&services.context, request.as_deref(), "on_result", || {
            // SAFETY: in order, before the batch completes; `raw` lives for the call.
            watchdog::unwatched(|| unsafe { on_result(data.ptr(), index, &raw const raw) })
        });
    }
}
