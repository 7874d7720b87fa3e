//! `log/1`: structured lines, tagged by the host with plugin and request.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Status, Str, Value};

/// The id of the table.
pub const ID: &str = "log";

/// A failure that someone must look at.
pub const LEVEL_ERROR: u32 = 1;
/// Something unexpected that was dealt with.
pub const LEVEL_WARN: u32 = 2;
/// What an operator wants to see by default.
pub const LEVEL_INFO: u32 = 3;
/// What an author wants to see while writing.
pub const LEVEL_DEBUG: u32 = 4;
/// Everything.
pub const LEVEL_TRACE: u32 = 5;

/// One named value of a line.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Field {
    /// Name, 1 to 64 bytes.
    pub name: Str,
    /// Value; a blob is shown as its length.
    pub value: Value,
}

/// The table `log/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct LogTable {
    /// `[any-thread]` Writes one line. `message` is at most 16 KiB, longer ones
    /// are cut and marked; at most 64 fields. All arguments are borrowed.
    ///
    /// Errors: `INVALID` for an unknown level or a malformed argument.
    /// Since: API 1.0.
    pub write: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        level: u32,
        message: Str,
        fields: *const Field,
        fields_len: usize,
    ) -> Status,

    /// `[any-thread]` Stores 1 in `enabled` when a line of `level` would be
    /// kept, else 0, so that a plugin can skip building it.
    ///
    /// Errors: `INVALID`.
    /// Since: API 1.0.
    pub enabled: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        level: u32,
        enabled: *mut u32,
    ) -> Status,
}
