//! The slots of `tasks/1`: tasks and timers are kept until a test runs them.

use std::ffi::c_void;

use abi::data::Release;
use abi::tasks::{Poll, Run, TasksTable, TimerSpec};
use abi::{Status, Str};
use exthost_abi as abi;

use super::fake;
use super::routes::left;

pub(super) static TASKS: TasksTable = TasksTable {
    spawn,
    wake,
    timer,
    blocking,
    cancel,
    remaining,
};

unsafe extern "C" fn spawn(
    ctx: *const c_void,
    _cause: u64,
    _flags: u32,
    _name: Str,
    data: *mut c_void,
    poll: Poll,
    release: Release,
    task: *mut u64,
) -> Status {
    let mut state = fake(ctx).state();
    if state.full {
        return Status::BUSY;
    }
    let id = state.id();
    state.tasks.push((id, data, poll, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { task.write(id) };
    Status::OK
}

unsafe extern "C" fn wake(ctx: *const c_void, task: u64) -> Status {
    fake(ctx).state().woken.push(task);
    Status::OK
}

unsafe extern "C" fn timer(
    ctx: *const c_void,
    _cause: u64,
    _spec: *const TimerSpec,
    data: *mut c_void,
    fire: Run,
    release: Release,
    timer: *mut u64,
) -> Status {
    let mut state = fake(ctx).state();
    let id = state.id();
    state.timers.push((id, data, fire, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { timer.write(id) };
    Status::OK
}

/// Runs it at once, on this thread.
unsafe extern "C" fn blocking(
    _ctx: *const c_void,
    _cause: u64,
    _flags: u32,
    _name: Str,
    data: *mut c_void,
    run: Run,
    release: Release,
    _task: *mut u64,
) -> Status {
    // SAFETY: given with this data, and not released yet.
    unsafe { run.0.unwrap()(data, 1) };
    // SAFETY: once.
    unsafe { release.0.unwrap()(data) };
    Status::OK
}

/// Releases a timer that is cancelled; the callback of an operation follows.
unsafe extern "C" fn cancel(ctx: *const c_void, id: u64) -> Status {
    let cancelled = fake(ctx).state().cancel_pending(id);
    if let Some(end) = cancelled {
        end(Err((Status::CANCELLED, "cancelled", "nobody waits for it")));
        return Status::OK;
    }
    let found = {
        let mut state = fake(ctx).state();
        let at = state.timers.iter().position(|timer| timer.0 == id);
        at.map(|at| state.timers.remove(at))
    };
    let Some((_, data, run, release)) = found else {
        return Status::GONE;
    };
    if run
        .0
        .is_some_and(|run| std::ptr::fn_addr_eq(run, left as unsafe extern "C" fn(_, _)))
    {
        // SAFETY: once, as every operation is completed.
        unsafe { left(data, id) };
    }
    // SAFETY: once.
    unsafe { release.0.unwrap()(data) };
    Status::OK
}

unsafe extern "C" fn remaining(_: *const c_void, _: u64, _: *mut u64) -> Status {
    Status::GONE
}
