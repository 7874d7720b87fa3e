//! The slots for transactions and the schema.

use std::ffi::c_void;
use std::time::Duration;

use exthost_abi::Status;
use exthost_abi::data::Done;
use exthost_abi::db::{DIALECT_SQLITE, IdDone, Migration as RawMigration, TxSpec as RawTxSpec};

use crate::ffi::completion::{start, start_whole, wait};
use crate::ffi::convert::{Data, array, known_flags, object, require, store, text};
use crate::ffi::enter;
use crate::services::db::{By, Migration, TxSpec};
use crate::services::error::ServiceError;

pub(super) unsafe extern "C" fn migrate(
    ctx: *const c_void,
    cause: u64,
    list: *const RawMigration,
    len: usize,
    version: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the list for the call.
        let migrations = unsafe { migrations(list, len) }?;
        let work = services.db.migrate(cause, migrations, By::This);
        let reached = wait(services, work)?;
        // SAFETY: and `version`.
        unsafe { store(version, reached) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn migrate_async(
    ctx: *const c_void,
    cause: u64,
    list: *const RawMigration,
    len: usize,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the list for the call.
        let migrations = unsafe { migrations(list, len) }?;
        let work = services.db.migrate(cause, migrations, By::Runtime);
        start(services, cause, (Data(data), done), op, work)
    })
}

/// # Safety
/// The list and its texts must be readable.
unsafe fn migrations(
    list: *const RawMigration,
    len: usize,
) -> Result<Vec<Migration>, ServiceError> {
    // SAFETY: the caller's contract.
    let list = unsafe { array(list, len, "migrations") }?;
    let copied = list.iter().map(|raw| {
        Ok(Migration {
            version: raw.version,
            // SAFETY: the caller's contract covers each.
            sql: unsafe { text(raw.sql, "sql") }?.to_owned(),
        })
    });
    copied.collect()
}

pub(super) unsafe extern "C" fn begin(
    ctx: *const c_void,
    cause: u64,
    spec: *const RawTxSpec,
    tx: *mut u64,
) -> Status {
    enter(ctx, |services| {
        require(!tx.is_null(), "tx")?;
        // SAFETY: the plugin lends the spec for the call.
        let spec = unsafe { tx_spec(spec) }?;
        let id = wait(services, services.db.begin(cause, spec, By::This))?;
        // SAFETY: and `tx`.
        unsafe { store(tx, id) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn begin_async(
    ctx: *const c_void,
    cause: u64,
    spec: *const RawTxSpec,
    data: *mut c_void,
    done: IdDone,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the spec for the call.
        let spec = unsafe { tx_spec(spec) }?;
        let is_nested = spec.parent != 0;
        let work = services.db.begin(cause, spec, By::Runtime);
        match is_nested {
            // A savepoint that nobody knows of would keep the one around it shut.
            true => start_whole(services, cause, (Data(data), done), op, work),
            false => start(services, cause, (Data(data), done), op, work),
        }
    })
}

/// # Safety
/// If the pointer is not null, the spec must be readable.
unsafe fn tx_spec(spec: *const RawTxSpec) -> Result<TxSpec, ServiceError> {
    // SAFETY: the caller's contract.
    let spec = unsafe { object(spec, "spec") }?;
    known_flags(spec.flags | spec.reserved, 0)?;
    let asked = (spec.deadline_ms > 0).then(|| Duration::from_millis(spec.deadline_ms));
    Ok(TxSpec {
        parent: spec.parent,
        deadline: asked,
    })
}

pub(super) unsafe extern "C" fn commit(ctx: *const c_void, _cause: u64, tx: u64) -> Status {
    enter(ctx, |services| {
        wait(services, services.db.commit(tx, By::This))
    })
}

pub(super) unsafe extern "C" fn commit_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // The id ends with the next line.
        require(done.0.is_some(), "done")?;
        let work = services.db.commit(tx, By::Runtime);
        // A failure says that it was rolled back, so it must not be one of waiting.
        start_whole(services, cause, (Data(data), done), op, work)
    })
}

pub(super) unsafe extern "C" fn rollback(ctx: *const c_void, _cause: u64, tx: u64) -> Status {
    enter(ctx, |services| {
        wait(services, services.db.roll_back(tx, By::This))
    })
}

pub(super) unsafe extern "C" fn rollback_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // The id ends with the next line.
        require(done.0.is_some(), "done")?;
        let work = services.db.roll_back(tx, By::Runtime);
        start_whole(services, cause, (Data(data), done), op, work)
    })
}

pub(super) unsafe extern "C" fn dialect(
    ctx: *const c_void,
    _cause: u64,
    dialect: *mut u32,
) -> Status {
    enter(ctx, |_| {
        // SAFETY: the plugin lends `dialect` for the call.
        unsafe { store(dialect, DIALECT_SQLITE) };
        Ok(())
    })
}
