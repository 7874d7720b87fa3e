//! `webhooks/1`: durable, signed messages to the endpoints of the operator.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Bytes, Error, Status, Str};

/// The id of the table.
pub const ID: &str = "webhooks";

/// A message to be delivered. Borrowed for the call, copied by the host.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Webhook {
    /// An open transaction of this plugin, whose commit queues the message and
    /// whose rollback drops it; 0 queues it by itself.
    pub tx: u64,
    /// What happened, as tokens joined by dots, such as `note.created`.
    pub event_type: Str,
    /// Media type of the payload; empty for `application/json`.
    pub content_type: Str,
    /// The bytes that are signed and sent, at most 256 KiB.
    pub payload: Bytes,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// Receives the message's id, `msg_...`, the same over all attempts.
///
/// For `fire` it is called once before `fire` returns `OK`; for `fire_async` it
/// has the contract of `Done`, and `id` is empty when `status` is not `OK`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct FireDone(
    pub  Option<
        unsafe extern "C" fn(data: *mut c_void, status: Status, error: *const Error, id: Str),
    >,
);

/// The table `webhooks/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct WebhooksTable {
    /// `[any-thread]`, not in an inline route or a poll. Queues a message and
    /// returns once it is durable, or with a `tx` once it is part of it.
    ///
    /// Errors: `INVALID`, `TOO_LARGE`, `GONE` for a transaction that has ended,
    /// `FULL`, `MISPLACED`.
    /// Since: API 1.0.
    pub fire: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        webhook: *const Webhook,
        data: *mut c_void,
        done: FireDone,
    ) -> Status,

    /// `[any-thread]` The completing form of `fire`.
    ///
    /// Errors: as `fire`, but for `MISPLACED`; by the call or by `done`.
    /// Since: API 1.0.
    pub fire_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        webhook: *const Webhook,
        data: *mut c_void,
        done: FireDone,
        op: *mut u64,
    ) -> Status,
}
