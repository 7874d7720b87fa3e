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
    /// The channel, without the plugin's name: tokens `[A-Za-z0-9_-]+` joined by
    /// dots, at most 128 bytes.
    pub channel: Str,
    /// The kind of message, named like a channel; may be empty.
    pub event: Str,
    /// UTF-8 text, JSON by convention, at most 64 KiB. What is not JSON reaches
    /// clients as a JSON string.
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
    /// The message's number in its channel, counted from 1 and on over reloads
    /// of the plugin, is stored in `sequence`, which may be null.
    ///
    /// Errors: `INVALID` for a bad channel or event name, `TOO_LARGE`; `BUSY`
    /// (`channels-max`) beyond the plugin's limit of channels, 256 by default;
    /// `DENIED` (`reserved-name`) for a plugin named `host`.
    /// Since: API 1.0.
    pub publish: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        publication: *const Publication,
        sequence: *mut u64,
    ) -> Status,

    /// `[any-thread]` Stores the number of clients that would receive a message
    /// of `channel` in `count`, which may be null.
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
