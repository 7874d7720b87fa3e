//! The slots of `tasks/1`, and the hooks that the host calls through them.

use std::ffi::c_void;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use abi::data::Release;
use abi::tasks::{POLL_PENDING, POLL_READY, Run, TASK_ENDS_WITH_CAUSE, TIMER_INLINE, TimerSpec};
use abi::{Status, Str};
use exthost_abi as abi;

use super::fence;
use super::host::Host;
use crate::Result;
use crate::cause::Cause;

/// A future as the executor drives it.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What runs when a timer is due or a blocking thread is free.
pub(crate) type Work = Box<dyn FnMut() + Send>;

/// A spawned future. The host owns it, through a raw pointer, until `release`.
struct Spawned {
    host: &'static Host,
    /// Cause of the calls it makes; 0 for the task's own id.
    cause: u64,
    /// Known from the first poll on.
    waker: Option<Waker>,
    /// `None` once it is done or has panicked.
    future: Option<BoxFuture<()>>,
}

/// Work behind a timer or on a blocking thread, until `release`.
struct Job {
    host: &'static Host,
    cause: u64,
    slot: &'static str,
    work: Work,
}

/// Wakes a task by its id, which is known by the time it is first polled: so
/// a waker exists only for tasks that have one.
struct Alarm {
    host: &'static Host,
    task: u64,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Ok(table) = self.host.tasks() {
            // SAFETY: the table is the host's. A task that has ended is `GONE`,
            // which needs no answer.
            unsafe { (table.wake)(self.host.ctx(), self.task) };
        }
    }
}

impl Host {
    /// Spawns a future; it is polled at least once. With a `request` the calls
    /// it makes have that as their cause, and it is dropped when nobody waits for
    /// the request any more; else the task is its own cause.
    pub(crate) fn spawn(
        &'static self,
        name: &str,
        request: Option<u64>,
        future: BoxFuture<()>,
    ) -> Result<u64> {
        let table = self.tasks()?;
        let spawned = Box::into_raw(Box::new(Spawned {
            host: self,
            cause: request.unwrap_or(0),
            waker: None,
            future: Some(future),
        }));
        let cause = request.unwrap_or_else(|| Cause::id_for(self));
        let mut task = 0;
        // SAFETY: the table is the host's; `spawned` is the host's until
        // `release`, and `task` is writable.
        let status = unsafe {
            (table.spawn)(
                self.ctx(),
                cause,
                ends_with(request),
                Str::new(name),
                spawned.cast(),
                abi::tasks::Poll(Some(poll)),
                Release(Some(release_spawned)),
                &raw mut task,
            )
        };
        self.check(status).inspect_err(|_| {
            // SAFETY: a spawn that failed calls nothing, so the box is still ours.
            drop(unsafe { Box::from_raw(spawned) });
        })?;
        Ok(task)
    }

    /// Starts a timer; `period` of zero fires once.
    pub(crate) fn timer(
        &'static self,
        name: &str,
        delay: Duration,
        period: Duration,
        inline: bool,
        work: Work,
    ) -> Result<u64> {
        let spec = TimerSpec {
            delay_ms: millis(delay),
            period_ms: millis(period),
            flags: if inline { TIMER_INLINE } else { 0 },
            reserved: 0,
            name: Str::new(name),
        };
        // A sleep belongs to whoever sleeps; a timer is a cause of its own.
        let cause = if inline { Cause::id_for(self) } else { 0 };
        let table = self.tasks()?;
        let mut timer = 0;
        self.start(cause, "timer", work, |data| {
            // SAFETY: the table is the host's; `spec` outlives the call, and
            // `data` is the host's until `release`.
            unsafe {
                (table.timer)(
                    self.ctx(),
                    Cause::id_for(self),
                    &raw const spec,
                    data,
                    Run(Some(run)),
                    Release(Some(release_job)),
                    &raw mut timer,
                )
            }
        })?;
        Ok(timer)
    }

    /// Runs `work` once on the plugin's blocking threads.
    pub(crate) fn blocking(
        &'static self,
        name: &str,
        request: Option<u64>,
        work: Work,
    ) -> Result<u64> {
        let table = self.tasks()?;
        let cause = request.unwrap_or_else(|| Cause::id_for(self));
        let mut task = 0;
        self.start(request.unwrap_or(0), "blocking", work, |data| {
            // SAFETY: the table is the host's; `data` is the host's until
            // `release`.
            unsafe {
                (table.blocking)(
                    self.ctx(),
                    cause,
                    ends_with(request),
                    Str::new(name),
                    data,
                    Run(Some(run)),
                    Release(Some(release_job)),
                    &raw mut task,
                )
            }
        })?;
        Ok(task)
    }

    /// Cancels a task, a timer or an operation; one that has ended needs none.
    pub(crate) fn cancel(&self, id: u64) {
        if let Ok(table) = self.tasks() {
            // SAFETY: the table is the host's.
            unsafe { (table.cancel)(self.ctx(), id) };
        }
    }

    /// Time left for what this thread serves; `None` when there is no bound.
    pub(crate) fn remaining(&self) -> Result<Option<Duration>> {
        let table = self.tasks()?;
        let mut remaining_ms = 0;
        // SAFETY: the table is the host's; the place is writable.
        let status =
            unsafe { (table.remaining)(self.ctx(), Cause::id_for(self), &raw mut remaining_ms) };
        self.check(status)?;
        Ok((remaining_ms != u64::MAX).then(|| Duration::from_millis(remaining_ms)))
    }

    fn start(
        &'static self,
        cause: u64,
        slot: &'static str,
        work: Work,
        begin: impl FnOnce(*mut c_void) -> Status,
    ) -> Result<()> {
        let job = Box::into_raw(Box::new(Job {
            host: self,
            cause,
            slot,
            work,
        }));
        let status = begin(job.cast());
        self.check(status).inspect_err(|_| {
            // SAFETY: a slot that failed calls nothing, so the box is still ours.
            drop(unsafe { Box::from_raw(job) });
        })
    }
}

/// Whole milliseconds, rounded up, so that nothing is due too early.
fn millis(duration: Duration) -> u64 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// The flags of a task that serves `request`.
fn ends_with(request: Option<u64>) -> u32 {
    match request {
        Some(_) => TASK_ENDS_WITH_CAUSE,
        None => 0,
    }
}

unsafe extern "C" fn poll(data: *mut c_void, task: u64) -> u32 {
    // SAFETY: `spawn` made `data` of a box, which the host keeps until `release`
    // and never polls twice at a time.
    let spawned = unsafe { &mut *data.cast::<Spawned>() };
    let cause = Cause {
        host: spawned.host,
        id: if spawned.cause == 0 {
            task
        } else {
            spawned.cause
        },
    };
    let state = fence::run(cause, "poll", POLL_READY, || spawned.poll(task));
    if state == POLL_READY {
        // In a fence of its own, for a future that panicked may panic again
        // while it is dropped.
        fence::run(cause, "drop", (), || spawned.future = None);
    }
    state
}

impl Spawned {
    fn poll(&mut self, task: u64) -> u32 {
        let host = self.host;
        let waker = self
            .waker
            .get_or_insert_with(|| Arc::new(Alarm { host, task }).into());
        let Some(future) = &mut self.future else {
            return POLL_READY;
        };
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(()) => POLL_READY,
            Poll::Pending => POLL_PENDING,
        }
    }
}

unsafe extern "C" fn release_spawned(data: *mut c_void) {
    // SAFETY: `spawn` made `data` of a box, and `release` is called once.
    let spawned = unsafe { Box::from_raw(data.cast::<Spawned>()) };
    let cause = Cause {
        host: spawned.host,
        id: spawned.cause,
    };
    fence::run(cause, "drop", (), || drop(spawned));
}

unsafe extern "C" fn run(data: *mut c_void, id: u64) {
    // SAFETY: `start` made `data` of a box, which the host keeps until `release`
    // and never runs twice at a time.
    let job = unsafe { &mut *data.cast::<Job>() };
    let cause = Cause {
        host: job.host,
        id: if job.cause == 0 { id } else { job.cause },
    };
    fence::run(cause, job.slot, (), &mut job.work);
}

unsafe extern "C" fn release_job(data: *mut c_void) {
    // SAFETY: `start` made `data` of a box, and `release` is called once.
    let job = unsafe { Box::from_raw(data.cast::<Job>()) };
    let cause = Cause {
        host: job.host,
        id: job.cause,
    };
    fence::run(cause, "drop", (), || drop(job));
}
