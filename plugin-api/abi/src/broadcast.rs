//! `broadcast/1`: messages to the clients connected at `/api/broadcast`.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Status, Str};

/// The id of the table.
pub const ID: &str = "broadcast";

/// The table `broadcast/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct BroadcastTable {
    /// `[any-thread]` Publishes to the channel `<plugin>/<channel>`; returns
    /// once the message is in the channel's ring and never waits for a client.
    /// `event` names the kind of message and may be empty; `payload` is UTF-8
    /// text, JSON by convention, at most 64 KiB. The message's number in its
    /// channel, counted from 1, is stored in `sequence` unless that is null.
    ///
    /// Errors: `INVALID` for a bad channel or event name, `TOO_LARGE`.
    /// Since: API 1.0.
    pub publish: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        channel: Str,
        event: Str,
        payload: Str,
        sequence: *mut u64,
    ) -> Status,

    /// `[any-thread]` Stores the number of clients that would receive a message
    /// of `channel` in `count`.
    ///
    /// Errors: `INVALID`.
    /// Since: API 1.0.
    pub subscriber_count: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        channel: Str,
        count: *mut u64,
    ) -> Status,
}
