//! `kv/1`: the plugin's own durable keys and values.
//!
//! A key is UTF-8, 1 to 1,024 bytes; a value is bytes. They lie in the plugin's own
//! file, so with a `tx` of `db/1` they are part of that transaction; 0 stands for
//! none. An entry whose time is up is not there for any call. Arguments are copied;
//! a blocking slot may not be called in an inline route or a poll, and no slot in an
//! `on_row` of `db/1` (`MISPLACED`). Errors common to all: `INVALID` (an empty key, a
//! flag or condition that is not known), `TOO_LARGE` (a key, a value, too many at a
//! time), `BUSY`, `TIMEOUT`, `FULL`, `CORRUPT`, `INTERNAL` (the disk), `GONE` (a
//! transaction that has ended), and `CONFLICT` with the code `own-transaction-open`
//! for a write outside the transaction that the same cause, other than 0, holds open.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Bytes, Done, Error, Status, Str};

/// The id of the table.
pub const ID: &str = "kv";

/// One entry. Borrowed for the call of [`OnEntry`].
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct KvEntry {
    /// Its key.
    pub key: Str,
    /// Its value; empty where only keys were asked for.
    pub value: Bytes,
    /// Milliseconds until it ends; 0 for one that does not end.
    pub ttl_ms: u64,
}

/// Receives one entry. It must not block and must not panic.
///
/// Since: API 1.1.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct OnEntry(pub Option<unsafe extern "C" fn(data: *mut c_void, entry: *const KvEntry)>);

/// [`KvWrite::when`]: whatever is there.
///
/// Since: API 1.1.
pub const KV_ALWAYS: u32 = 0;
/// [`KvWrite::when`]: only if there is no entry.
///
/// Since: API 1.1.
pub const KV_IF_ABSENT: u32 = 1;
/// [`KvWrite::when`]: only if there is an entry.
///
/// Since: API 1.1.
pub const KV_IF_PRESENT: u32 = 2;
/// [`KvWrite::when`]: only if there is an entry, and its value is that of
/// [`KvWrite::expected`].
///
/// Since: API 1.1.
pub const KV_IF_EQUAL: u32 = 3;

/// [`KvWrite::flags`]: removes the entry; `value` is empty and `ttl_ms` 0.
///
/// Since: API 1.1.
pub const KV_DELETE: u32 = 1;
/// [`KvWrite::flags`]: leaves the time that an entry has; `ttl_ms` is that of a new
/// one.
///
/// Since: API 1.1.
pub const KV_KEEP_TTL: u32 = 2;

/// One entry to be set or removed. Borrowed for the call, copied by the host.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct KvWrite {
    /// Its key.
    pub key: Str,
    /// Its new value.
    pub value: Bytes,
    /// For `KV_IF_EQUAL` the value that is to be there; empty otherwise.
    pub expected: Bytes,
    /// Milliseconds until it ends; 0 for one that does not end.
    pub ttl_ms: u64,
    /// One of `KV_ALWAYS` and the `KV_IF_` constants.
    pub when: u32,
    /// `KV_DELETE` or `KV_KEEP_TTL`, or 0.
    pub flags: u32,
}

/// [`KvQuery::flags`]: keys without values.
///
/// Since: API 1.1.
pub const KV_KEYS_ONLY: u32 = 1;

/// Which entries are listed.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct KvQuery {
    /// What their keys begin with; empty for all.
    pub prefix: Str,
    /// Only keys above this one, in the order of bytes: the last key of the list
    /// before, or empty to begin.
    pub after: Str,
    /// The most entries; 0 for 1,000, which is also the most.
    pub limit: u32,
    /// `KV_KEYS_ONLY`, or 0.
    pub flags: u32,
}

/// Receives a number, with the contract of `Done`; `number` is 0 unless `status` is
/// `OK`.
///
/// Since: API 1.1.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct NumberDone(
    pub  Option<
        unsafe extern "C" fn(data: *mut c_void, status: Status, error: *const Error, number: i64),
    >,
);

/// The table `kv/1`.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct KvTable {
    /// `[any-thread]` Hands each entry of `keys` that is there to `on_entry`, in the
    /// order of `keys`, before it returns; at most 1,000 keys, all as of one moment.
    ///
    /// Errors: those common to all.
    /// Since: API 1.1.
    pub get: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        keys: *const Str,
        keys_len: usize,
        data: *mut c_void,
        on_entry: OnEntry,
    ) -> Status,

    /// `[any-thread]` The completing form of `get`: `on_entry` for each, then `done`.
    ///
    /// Errors: as `get`, by the call or by `done`.
    /// Since: API 1.1.
    pub get_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        keys: *const Str,
        keys_len: usize,
        data: *mut c_void,
        on_entry: OnEntry,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Sets and removes entries, at most 1,000, all or none; outside a
    /// transaction it returns once committed. Stores in `number`, unless that is null,
    /// how many were set, or were there to be removed.
    ///
    /// Errors: those common to all; `CONFLICT` with the code `kv-condition`, and the
    /// key in the detail, when one of the conditions does not hold.
    /// Since: API 1.1.
    pub write: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        writes: *const KvWrite,
        writes_len: usize,
        number: *mut i64,
    ) -> Status,

    /// `[any-thread]` The completing form of `write`.
    ///
    /// Errors: as `write`, by the call or by `done`.
    /// Since: API 1.1.
    pub write_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        writes: *const KvWrite,
        writes_len: usize,
        data: *mut c_void,
        done: NumberDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Adds `amount` to a value that is a decimal number of 64 bits, as
    /// text, and stores the sum in `number` unless that is null. An entry that is not
    /// there counts as 0 and gets `ttl_ms`, 0 for none; one that is keeps its time.
    ///
    /// Errors: those common to all; `CONFLICT` with the code `kv-not-a-number`, or
    /// `kv-overflow`.
    /// Since: API 1.1.
    pub add: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        key: Str,
        amount: i64,
        ttl_ms: u64,
        number: *mut i64,
    ) -> Status,

    /// `[any-thread]` The completing form of `add`.
    ///
    /// Errors: as `add`, by the call or by `done`.
    /// Since: API 1.1.
    pub add_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        key: Str,
        amount: i64,
        ttl_ms: u64,
        data: *mut c_void,
        done: NumberDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Lets an entry end in `ttl_ms` from now; 0 for never.
    ///
    /// Errors: those common to all; `NOT_FOUND`.
    /// Since: API 1.1.
    pub expire: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        key: Str,
        ttl_ms: u64,
    ) -> Status,

    /// `[any-thread]` The completing form of `expire`.
    ///
    /// Errors: as `expire`, by the call or by `done`.
    /// Since: API 1.1.
    pub expire_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        key: Str,
        ttl_ms: u64,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Hands entries to `on_entry` in the order of their keys' bytes,
    /// before it returns; fewer than asked for only when there are no more, or when
    /// they hold 16 MiB together. Stores 1 in `more`, unless that is null, when there
    /// are more, else 0.
    ///
    /// Errors: those common to all.
    /// Since: API 1.1.
    pub list: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        query: *const KvQuery,
        data: *mut c_void,
        on_entry: OnEntry,
        more: *mut u32,
    ) -> Status,

    /// `[any-thread]` The completing form of `list`: `on_entry` for each, then `done`
    /// with 1 when there are more, else 0.
    ///
    /// Errors: as `list`, by the call or by `done`.
    /// Since: API 1.1.
    pub list_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        query: *const KvQuery,
        data: *mut c_void,
        on_entry: OnEntry,
        done: NumberDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Removes all entries whose keys begin with `prefix`, all of them
    /// when it is empty, and stores in `number`, unless that is null, how many there
    /// were.
    ///
    /// Errors: those common to all.
    /// Since: API 1.1.
    pub flush: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        prefix: Str,
        number: *mut i64,
    ) -> Status,

    /// `[any-thread]` The completing form of `flush`.
    ///
    /// Errors: as `flush`, by the call or by `done`.
    /// Since: API 1.1.
    pub flush_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        tx: u64,
        prefix: Str,
        data: *mut c_void,
        done: NumberDone,
        op: *mut u64,
    ) -> Status,
}
