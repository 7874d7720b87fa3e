//! `cache/1`: keys and values in memory, which may be lost at any time.
//!
//! Keys, values, times and conditions are those of `kv/1`. All that one
//! plugin keeps is bounded in bytes; to make room, what was used longest ago goes.
//! Generations of a plugin share it, a restart of the host empties it. No slot waits.
//! Errors common to all: `INVALID` (an empty key, a flag or condition that is not
//! known), `TOO_LARGE` (a key, a value, too many at a time).

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Status, Str};
use crate::kv::{KvWrite, OnEntry};

/// The id of the table.
pub const ID: &str = "cache";

/// The table `cache/1`.
///
/// Since: API 1.1.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct CacheTable {
    /// `[any-thread]` Hands each entry of `keys` that is there to `on_entry`, in the
    /// order of `keys`, before it returns; at most 1,000 keys.
    ///
    /// Errors: those common to all.
    /// Since: API 1.1.
    pub get: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        keys: *const Str,
        keys_len: usize,
        data: *mut c_void,
        on_entry: OnEntry,
    ) -> Status,

    /// `[any-thread]` Sets and removes entries, at most 1,000, all or none. Stores in
    /// `number`, unless that is null, how many were set, or were there to be removed.
    ///
    /// Errors: those common to all; `CONFLICT` with the code `cache-condition`, and the
    /// key in the detail, when one of the conditions does not hold.
    /// Since: API 1.1.
    pub write: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        writes: *const KvWrite,
        writes_len: usize,
        number: *mut i64,
    ) -> Status,

    /// `[any-thread]` Adds `amount` to a value that is a decimal number of 64 bits, as
    /// text, and stores the sum in `number` unless that is null. An entry that is not
    /// there counts as 0 and gets `ttl_ms`, 0 for none; one that is keeps its time.
    ///
    /// Errors: those common to all; `CONFLICT` with the code `cache-not-a-number`, or
    /// `cache-overflow`.
    /// Since: API 1.1.
    pub add: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        key: Str,
        amount: i64,
        ttl_ms: u64,
        number: *mut i64,
    ) -> Status,

    /// `[any-thread]` Lets an entry end in `ttl_ms` from now; 0 for never.
    ///
    /// Errors: those common to all; `NOT_FOUND`.
    /// Since: API 1.1.
    pub expire:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, key: Str, ttl_ms: u64) -> Status,

    /// `[any-thread]` Removes all entries whose keys begin with `prefix`, all of them
    /// when it is empty, and stores in `number`, unless that is null, how many there
    /// were.
    ///
    /// Errors: those common to all.
    /// Since: API 1.1.
    pub flush: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        prefix: Str,
        number: *mut i64,
    ) -> Status,
}
