//! `audit/1`: who did what to what, in a record that can only grow.
//!
//! The host adds the plugin, the actor and the id of the request that the cause
//! belongs to, and the time; a plugin cannot claim another. Each record holds the hash
//! of the one before, and the host signs the newest, so that one that was removed,
//! edited or cut off shows.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Bytes, Done, Status, Str};

/// The id of the table.
pub const ID: &str = "audit";

/// What was done. Borrowed for the call, copied by the host.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct AuditRecord {
    /// An open transaction of this plugin, whose commit keeps the record and whose
    /// rollback drops it; 0 keeps it by itself.
    pub tx: u64,
    /// What was done, as tokens joined by dots, such as `item.created`; at most 128
    /// bytes.
    pub action: Str,
    /// Of what kind that is to which it was done, such as `item`; at most 128 bytes, may
    /// be empty.
    pub target_kind: Str,
    /// Which one of the kind; at most 1,024 bytes, may be empty.
    pub target_id: Str,
    /// What else is to be known, as JSON, at most 64 KiB; empty for nothing.
    pub detail: Bytes,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// The table `audit/1`.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct AuditTable {
    /// `[any-thread]`, not in an inline route or a poll. Appends a record and returns
    /// once it is durable, or with a `tx` once it is part of it.
    ///
    /// Errors: `INVALID`, `TOO_LARGE`, `GONE` for a transaction that has ended, `BUSY`,
    /// `TIMEOUT`, `FULL`, `CORRUPT` (with a `tx`), `INTERNAL` (the disk, or a record that
    /// does not verify), `MISPLACED`.
    /// Since: API 1.1.
    pub record:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, record: *const AuditRecord) -> Status,

    /// `[any-thread]` The completing form of `record`.
    ///
    /// Errors: as `record`, but for `MISPLACED`; by the call or by `done`.
    /// Since: API 1.1.
    pub record_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        record: *const AuditRecord,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,
}
