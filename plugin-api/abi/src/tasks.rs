//! `tasks/1`: futures on the host's runtime, timers, and blocking work. Needs
//! no grant.
//!
//! Ids of tasks, timers and operations are unique in the process and never used
//! twice; [`TasksTable::cancel`] takes any of them. Each registration carries a
//! `release`, called exactly once when the host will not call the other
//! callbacks again, after cancel and stop as well, never on the thread that
//! called the slot; until then `data` belongs to the host.
//!
//! What is registered in `init` begins when `start` has returned. It takes on
//! actor, request id and depth of its `cause`, not the deadline, and ends with
//! the plugin, not with the cause, unless a flag says so.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Release, Status, Str};

/// The id of the table.
pub const ID: &str = "tasks";

/// [`Poll`]: not done; poll again after a wake.
pub const POLL_PENDING: u32 = 0;
/// [`Poll`]: done; never polled again.
pub const POLL_READY: u32 = 1;

/// `flags` of `spawn` and `blocking`: cancelled as soon as nobody waits for the
/// request that is its cause: the client left, the host gave it up, or the
/// response is complete. A drain does not cancel it.
pub const TASK_ENDS_WITH_CAUSE: u32 = 1;

/// [`TimerSpec::flags`]: `fire` is called on the host's runtime and must return
/// within microseconds without blocking.
pub const TIMER_INLINE: u32 = 1;

/// `[serving]` Advances a future; must return within microseconds. `task` is
/// the id to wake, and the cause of calls the future makes for itself; one that
/// serves a request goes on to use the request's id.
///
/// Never called twice at a time for one task.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Poll(pub Option<unsafe extern "C" fn(data: *mut c_void, task: u64) -> u32>);

/// `[serving]` Runs when a timer is due, or for blocking work once. `id` is that
/// of the timer or task, and the cause of the calls it makes.
///
/// Never called twice at a time for one id.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Run(pub Option<unsafe extern "C" fn(data: *mut c_void, id: u64)>);

/// When a timer fires.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct TimerSpec {
    /// Time to the first firing.
    pub delay_ms: u64,
    /// Time between firings, start to start; 0 fires once. A firing that
    /// overstays makes the next one late, never doubled.
    pub period_ms: u64,
    /// `TIMER_` bits. The plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Name for people, shown when it overstays a drain; may be empty.
    pub name: Str,
}

/// The table `tasks/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct TasksTable {
    /// `[any-thread]` Spawns a future on the host's runtime: `poll` is called
    /// once soon, and again after each wake, also one that came during a poll.
    /// `name` is for people and copied; `flags` are `TASK_` bits, which the plugin
    /// may grow.
    ///
    /// Errors: `BUSY` at the plugin's limit of tasks, `INVALID`, `STOPPED`;
    /// nothing is then called, `release` neither.
    /// Since: API 1.0.
    pub spawn: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        flags: u32,
        name: Str,
        data: *mut c_void,
        poll: Poll,
        release: Release,
        task: *mut u64,
    ) -> Status,

    /// `[any-thread]` Makes the host poll `task` again. Never runs plugin code
    /// before it returns.
    ///
    /// Errors: `GONE` when the task has ended.
    /// Since: API 1.0.
    pub wake: unsafe extern "C" fn(ctx: *const c_void, task: u64) -> Status,

    /// `[any-thread]` Starts a timer; `fire` runs on the plugin's blocking pool
    /// unless it is [`TIMER_INLINE`]. One of period 0 is released after it fired;
    /// any may be cancelled by its own `fire`.
    ///
    /// Errors: as `spawn`.
    /// Since: API 1.0.
    pub timer: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        spec: *const TimerSpec,
        data: *mut c_void,
        fire: Run,
        release: Release,
        timer: *mut u64,
    ) -> Status,

    /// `[any-thread]` Runs `run` once on the plugin's blocking pool; `name` and
    /// `flags` as of `spawn`.
    ///
    /// Errors: `BUSY` when the pool's queue is full; else as `spawn`.
    /// Since: API 1.0.
    pub blocking: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        flags: u32,
        name: Str,
        data: *mut c_void,
        run: Run,
        release: Release,
        task: *mut u64,
    ) -> Status,

    /// `[any-thread]` Cancels a task, timer, blocking work that has not begun,
    /// or an operation started by a completing slot of any table. What is
    /// running is not interrupted; its `release` or `Done` follows. A chunk of a
    /// response that was not yet sent is dropped, one of a request that was not
    /// yet handed over is kept for the next read.
    ///
    /// Errors: `GONE` when it has ended.
    /// Since: API 1.0.
    pub cancel: unsafe extern "C" fn(ctx: *const c_void, id: u64) -> Status,

    /// `[any-thread]` Stores the time left for the request, event or call that
    /// `cause` stands for in `remaining_ms`; `u64::MAX` when there is no bound,
    /// as for cause 0.
    ///
    /// Errors: `TIMEOUT` when it has passed, `CANCELLED` when nobody waits any
    /// more, `GONE` when it has ended; for cause 0 `STOPPED` once the plugin
    /// drains.
    /// Since: API 1.0.
    pub remaining:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, remaining_ms: *mut u64) -> Status,
}
