//! `config/1`: the options that the operator set for this plugin.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{OnBytes, Status, Str};

/// The id of the table.
pub const ID: &str = "config";

/// The table `config/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct ConfigTable {
    /// `[init]` Declares the defaults, a JSON object, and optionally a JSON
    /// Schema (draft 2020-12). The operator's options are merged over the
    /// defaults, object by object, and the result is checked. Both texts are
    /// copied; either may be empty.
    ///
    /// Errors: `INVALID`, with the path of the value and the reason, when a text
    /// is not JSON or the options fail the schema; the plugin should then fail
    /// its `init`. `MISPLACED` outside `init`.
    /// Since: API 1.0.
    pub declare:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, defaults: Str, schema: Str) -> Status,

    /// `[any-thread]` Hands the value at `pointer`, a JSON Pointer (RFC 6901),
    /// to `on_value` as JSON text, once, before it returns. The empty pointer is
    /// the whole options object.
    ///
    /// Errors: `NOT_FOUND` when nothing stands there, `INVALID` for a malformed
    /// pointer; `on_value` is then not called.
    /// Since: API 1.0.
    pub read: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        pointer: Str,
        data: *mut c_void,
        on_value: OnBytes,
    ) -> Status,
}
