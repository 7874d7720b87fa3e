//! The door: the one table a plugin exports, and the one it is handed.
//!
//! Both are frozen like every other table. The plugin's table is data, so the
//! host runs nothing to obtain it.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Error, Status, Str, Version};

/// The value of [`PluginTable::abi`] and [`Services::abi`].
pub const ABI: u32 = 1;

/// The name of the exported door, of type [`PluginTable`].
pub const DOOR_SYMBOL: &str = "exthost_plugin";

/// The table that a plugin exports as the data symbol `exthost_plugin`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct PluginTable {
    /// [`ABI`]. Anything else is refused.
    pub abi: u32,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// Makes an instance and registers what it offers. Must not be null.
    pub init: Init,
    /// Called once all plugins have initialised. May be null.
    pub start: Start,
    /// Asks the instance to end its work. May be null.
    pub stop: Stop,
    /// Frees the instance. May be null.
    pub destroy: Destroy,
    /// Offers optional tables to the host. May be null.
    pub extension: Extension,
}

// SAFETY: the table holds two integers and function pointers; it is never
// written after the linker placed it.
unsafe impl Sync for PluginTable {}

/// `[init]` Makes an instance.
///
/// `services` stays valid until the process ends. `instance` points to null. On
/// success the plugin stores its instance there, which may be null; it belongs to
/// the plugin and is handed back to every other hook. What it registered becomes
/// active with `start`. On failure it frees what it made, calls [`Services::fail`] to say
/// why, and returns the status; `destroy` is then not called.
///
/// Called once, on a thread of its own, with a deadline (10 s unless the
/// operator says otherwise), after which every service answers
/// [`Status::STOPPED`] and a late success is ignored.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Init(
    pub  Option<
        unsafe extern "C" fn(services: *const Services, instance: *mut *mut c_void) -> Status,
    >,
);

/// `[init]` Begins the plugin's own work, after every plugin has initialised.
///
/// Called once, with the deadline of `init`. A failure retires the instance.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Start(pub Option<unsafe extern "C" fn(instance: *mut c_void) -> Status>);

/// `[any-thread]` Asks the instance to end its work: threads, connections.
///
/// Called once, when calls have drained or their deadline has passed; hooks
/// that overstayed it may still be running beside it. Services answer while it
/// runs. When it has returned, or its time is over, tasks, timers and operations
/// are cancelled, and every slot but those of `log/1` answers
/// [`Status::STOPPED`]. A thread of the plugin's own learns earlier that a drain
/// has begun, from `TasksTable.remaining` of cause 0.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Stop(pub Option<unsafe extern "C" fn(instance: *mut c_void)>);

/// `[any-thread]` Frees the instance.
///
/// Called at most once, after `stop`, and only when no hook, task or pending
/// completion of this instance is left. The library stays mapped.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Destroy(pub Option<unsafe extern "C" fn(instance: *mut c_void)>);

/// `[any-thread]` Returns the plugin's table for `id` and `revision`, or null.
///
/// Called at any time after the file was loaded, also before `init`. The table
/// must stay valid until the process ends.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Extension(pub Option<unsafe extern "C" fn(id: Str, revision: u32) -> *const c_void>);

/// The table that the host hands to [`Init`]; valid until the process ends.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Services {
    /// [`ABI`].
    pub abi: u32,
    /// 0. No bit is defined; the host may grow it.
    pub flags: u32,
    /// Stands for this plugin's generation; the first argument of every slot of
    /// every service table. Never followed by the plugin.
    pub ctx: *const c_void,
    /// The API version the host offers.
    pub api: Version,
    /// 0.
    pub reserved: u32,

    /// `[any-thread]` Returns the service table `id` at `revision`, valid until
    /// the process ends, or null.
    ///
    /// Errors: null for an unknown id or revision and for a capability that was
    /// not granted; [`Services::last_error`] says which (`no-such-table`,
    /// `denied`).
    /// Since: API 1.0.
    pub service: unsafe extern "C" fn(ctx: *const c_void, id: Str, revision: u32) -> *const c_void,

    /// `[any-thread]` Says why the hook that runs on this thread is about to
    /// return a failure; of a hook or callback that returns no status, that it has
    /// failed, which is counted as a fault. `code` is the plugin's own stable
    /// code, `message` one sentence, `detail` a JSON object or empty; all are
    /// copied.
    ///
    /// Errors: `INVALID`.
    /// Since: API 1.0.
    pub fail:
        unsafe extern "C" fn(ctx: *const c_void, code: Str, message: Str, detail: Str) -> Status,

    /// `[any-thread]` Describes the failure of this thread's most recent call to
    /// the host. The texts stay valid until this thread's next call.
    ///
    /// Errors: `NOT_FOUND` when that call did not fail.
    /// Since: API 1.0.
    pub last_error: unsafe extern "C" fn(ctx: *const c_void, error: *mut Error) -> Status,
}

// SAFETY: the host makes the table before it hands it out and never writes it
// again; `ctx` is opaque to the plugin, and the host's side of it is shared.
unsafe impl Send for Services {}
// SAFETY: as for `Send`.
unsafe impl Sync for Services {}
