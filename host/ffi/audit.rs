//! `audit/1`.

use std::ffi::c_void;

use exthost_abi::Status;
use exthost_abi::audit::{AuditRecord, AuditTable};
use exthost_abi::data::Done;

use crate::ffi::completion::{start, wait};
use crate::ffi::convert::{Data, array, known_flags, object, text};
use crate::ffi::enter;
use crate::services::audit::AuditEntry;
use crate::services::db::By;
use crate::services::error::ServiceError;

pub(super) static TABLE: AuditTable = AuditTable {
    record,
    record_async,
};

unsafe extern "C" fn record(ctx: *const c_void, cause: u64, record: *const AuditRecord) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the record for the call.
        let (tx, entry) = unsafe { entry(record) }?;
        wait(services, services.audit(cause, tx, entry, By::This))
    })
}

unsafe extern "C" fn record_async(
    ctx: *const c_void,
    cause: u64,
    record: *const AuditRecord,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the record for the call.
        let (tx, entry) = unsafe { entry(record) }?;
        let work = services.audit(cause, tx, entry, By::Runtime);
        start(services, cause, (data, done), op, work)
    })
}

/// What is recorded with the transaction it belongs to, copied.
///
/// # Safety
/// If the pointer is not null, the record and all that it refers to must be readable.
unsafe fn entry(record: *const AuditRecord) -> Result<(u64, AuditEntry), ServiceError> {
    // SAFETY: the caller's contract.
    let record = unsafe { object(record, "record") }?;
    known_flags(record.flags | record.reserved, 0)?;
    // SAFETY: the caller's contract.
    let action = unsafe { text(record.action, "action") }?;
    // SAFETY: the caller's contract.
    let target_kind = unsafe { text(record.target_kind, "target_kind") }?;
    // SAFETY: the caller's contract.
    let target_id = unsafe { text(record.target_id, "target_id") }?;
    let detail = record.detail;
    // SAFETY: the caller's contract.
    let detail = unsafe { array(detail.ptr, detail.len, "detail") }?;
    let entry = AuditEntry::new(action, target_kind, target_id, detail.to_vec())?;
    Ok((record.tx, entry))
}
