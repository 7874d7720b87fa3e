//! `broadcast/1`: messages to the clients connected at `/api/broadcast`.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Status, Str};

/// The id of the table.
pub const ID: &str = "broadcast";

/// A message to be published. Borrowed for the call, copied by the host.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Publication {
    /// The channel, without the plugin's name.
    pub channel: Str,
    /// The kind of message, may be empty.
    pub event: Str,
    /// UTF-8 text, JSON by convention, at most 64 KiB.
    pub payload: Str,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// The table `broadcast/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct BroadcastTable {
    /// `[any-thread]` Publishes to the channel `<plugin>/<channel>`; returns
    /// once the message is in the channel's ring and never waits for a client.
    /// The message's number in its channel, counted from 1, is stored in
    /// `sequence`.
    ///
    /// Errors: `INVALID` for a bad channel or event name, `TOO_LARGE`.
    /// Since: API 1.0.
    pub publish: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        publication: *const Publication,
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
