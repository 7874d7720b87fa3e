//! `tasks/1`.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exthost_abi::data::Release;
use exthost_abi::tasks::{
    POLL_PENDING, Poll, Run, TASK_ENDS_WITH_CAUSE, TIMER_INLINE, TasksTable, TimerSpec,
};
use exthost_abi::{Status, Str};

use crate::ffi::convert::{Held, known_flags, object, store, text};
use crate::ffi::{callback, enter};
use crate::services::PluginServices;
use crate::services::cause::Cause;
use crate::services::context::Phase;
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;
use crate::services::tasks::{self, RunTask, TaskSpec};

pub(super) static TABLE: TasksTable = TasksTable {
    spawn,
    wake,
    timer,
    blocking,
    cancel,
    remaining,
};

unsafe extern "C" fn spawn(
    ctx: *const c_void,
    cause: u64,
    flags: u32,
    name: Str,
    data: *mut c_void,
    poll: Poll,
    release: Release,
    task: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the name for the call.
        let spec = unsafe { spec_of(services, cause, flags, name) }?;
        let poll = poll
            .0
            .ok_or_else(|| ServiceError::invalid("poll is null"))?;
        let (held, accepted) = Held::new(data, release);
        let request = spec.origin.exchange.clone();
        let announce = |id| {
            // SAFETY: and `task`.
            unsafe { store(task, id) };
            accepted.accept();
        };
        services.tasks.spawn(
            spec,
            announce,
            Box::new(move |id| {
                callback(&services.context, request.as_deref(), "poll", || {
                    // SAFETY: the task is polled once at a time, and `held` keeps
                    // the data until the last poll.
                    unsafe { poll(held.data(), id) != POLL_PENDING }
                })
            }),
        )
    })
}

/// What a task is made of.
///
/// # Safety
/// The name must be readable.
unsafe fn spec_of(
    services: &PluginServices,
    cause: u64,
    flags: u32,
    name: Str,
) -> Result<TaskSpec, ServiceError> {
    known_flags(flags, TASK_ENDS_WITH_CAUSE)?;
    // SAFETY: the caller's contract.
    let name = unsafe { text(name, "name") }?.to_owned();
    let cause = services.causes.find(&services.context, cause);
    let ends_with_cause = flags & TASK_ENDS_WITH_CAUSE != 0;
    Ok(TaskSpec::new(cause.as_ref(), name).ends_with_cause(ends_with_cause))
}

unsafe extern "C" fn wake(ctx: *const c_void, task: u64) -> Status {
    enter(ctx, |services| {
        match services.causes.find(&services.context, task) {
            Some(Cause::Task(task)) => {
                task.wake();
                Ok(())
            }
            _ => Err(ServiceError::gone(format!(
                "no task of this plugin has the id {task}"
            ))),
        }
    })
}

unsafe extern "C" fn timer(
    ctx: *const c_void,
    cause: u64,
    spec: *const TimerSpec,
    data: *mut c_void,
    fire: Run,
    release: Release,
    timer: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the spec for the call.
        let spec = unsafe { object(spec, "spec") }?;
        known_flags(spec.flags, TIMER_INLINE)?;
        known_flags(spec.reserved, 0)?;
        // SAFETY: and the name.
        let name = unsafe { text(spec.name, "name") }?.to_owned();
        let spec = tasks::TimerSpec {
            delay: milliseconds(spec.delay_ms),
            period: milliseconds(spec.period_ms),
            inline: spec.flags & TIMER_INLINE != 0,
        };
        let (held, accepted) = Held::new(data, release);
        let cause = services.causes.find(&services.context, cause);
        let task = TaskSpec::new(cause.as_ref(), name);
        let run = run_task(services, task.origin.exchange.clone(), "timer", fire, held)?;
        let announce = |id| {
            // SAFETY: and `timer`.
            unsafe { store(timer, id) };
            accepted.accept();
        };
        services.tasks.timer(task, spec, announce, run)
    })
}

unsafe extern "C" fn blocking(
    ctx: *const c_void,
    cause: u64,
    flags: u32,
    name: Str,
    data: *mut c_void,
    run: Run,
    release: Release,
    task: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the name for the call.
        let spec = unsafe { spec_of(services, cause, flags, name) }?;
        let (held, accepted) = Held::new(data, release);
        let run = run_task(
            services,
            spec.origin.exchange.clone(),
            "blocking",
            run,
            held,
        )?;
        let announce = |id| {
            // SAFETY: and `task`.
            unsafe { store(task, id) };
            accepted.accept();
        };
        services.tasks.blocking(spec, announce, run)
    })
}

unsafe extern "C" fn cancel(ctx: *const c_void, id: u64) -> Status {
    enter(ctx, |services| {
        services.causes.cancel(&services.context, id)
    })
}

unsafe extern "C" fn remaining(ctx: *const c_void, cause: u64, remaining_ms: *mut u64) -> Status {
    enter(ctx, |services| {
        let left = match services.causes.find(&services.context, cause) {
            Some(Cause::Request(exchange)) => remaining_of(&exchange)?,
            Some(Cause::Event(delivery)) => match delivery.deadline {
                Some(until) => milliseconds_to(until),
                None => u64::MAX,
            },
            // A task ends with the plugin, not with what it was spawned for.
            Some(Cause::Task(_) | Cause::Op(_)) => u64::MAX,
            None if cause != 0 => return Err(ServiceError::gone("this cause has ended")),
            None if services.context.phase() >= Phase::Draining => {
                return Err(ServiceError::stopped());
            }
            None => u64::MAX,
        };
        if left == 0 {
            return Err(ServiceError::status(Status::TIMEOUT));
        }
        // SAFETY: the plugin lends `remaining_ms` for the call.
        unsafe { store(remaining_ms, left) };
        Ok(())
    })
}

/// Milliseconds until the head of a response must be there.
fn remaining_of(exchange: &Exchange) -> Result<u64, ServiceError> {
    match exchange.wanted() {
        Status::OK | Status::STOPPED if exchange.is_streaming() => Ok(u64::MAX),
        Status::OK | Status::STOPPED => Ok(exchange.remaining().as_millis() as u64),
        why => Err(ServiceError::status(why)),
    }
}

fn milliseconds_to(until: Instant) -> u64 {
    until.saturating_duration_since(Instant::now()).as_millis() as u64
}

/// A duration that the runtime's clock can add to the present.
fn milliseconds(ms: u64) -> Duration {
    const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
    Duration::from_millis(ms.min(100 * YEAR_MS))
}

fn run_task(
    services: &'static PluginServices,
    request: Option<Arc<Exchange>>,
    at: &'static str,
    run: Run,
    held: Held,
) -> Result<RunTask, ServiceError> {
    let run = run
        .0
        .ok_or_else(|| ServiceError::invalid("the function is null"))?;
    Ok(Box::new(move |id| {
        callback(&services.context, request.as_deref(), at, || {
            // SAFETY: one run at a time, and `held` keeps the data until the
            // last.
            unsafe { run(held.data(), id) }
        })
    }))
}
