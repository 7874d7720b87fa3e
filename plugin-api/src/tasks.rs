//! Futures on the host's runtime, timers, and blocking work.
//!
//! A plugin's own copy of tokio is not the host's, so its timers and sockets do
//! not work here; everything in this module does, as does any future that
//! depends on no runtime.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use exthost_abi::Status;

use crate::completion::Completion;
use crate::export::host::Host;
use crate::{Error, Result, Services, StatusCode};

/// The host's runtime, as this plugin may use it.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::prelude::*;
///
/// fn begin(services: &Services) -> Result<()> {
///     services.tasks().every(Duration::from_secs(60), || drop(log::info("still here")))?;
///     services.tasks().spawn("warm-up", async {
///         exthost_plugin::sleep(Duration::from_secs(1)).await;
///         log::info("warm");
///     })?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Tasks {
    host: &'static Host,
}

impl Tasks {
    pub(crate) fn new(host: &'static Host) -> Self {
        Tasks { host }
    }

    /// Spawns a future under a name for people. It must not block.
    ///
    /// # Errors
    /// At the plugin's limit of tasks, and once it is stopped.
    pub fn spawn(
        &self,
        name: &str,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Task> {
        let id = self.host.spawn(name, None, Box::pin(future))?;
        Ok(Task {
            host: self.host,
            id,
        })
    }

    /// Calls `work` once after `delay`, on a thread that it may block.
    ///
    /// # Errors
    /// As for [`Tasks::spawn`].
    pub fn after(&self, delay: Duration, work: impl FnOnce() + Send + 'static) -> Result<Task> {
        let mut work = Some(work);
        let once = move || {
            if let Some(work) = work.take() {
                work();
            }
        };
        self.timer(delay, Duration::ZERO, Box::new(once))
    }

    /// Calls `work` every `period`, start to start, on a thread that it may
    /// block. A call that overstays makes the next one late, never doubled; one
    /// that panics does not end the timer. Begins with
    /// [`Plugin::start`](crate::Plugin::start) when set up during `init`.
    ///
    /// # Errors
    /// As for [`Tasks::spawn`].
    pub fn every(&self, period: Duration, work: impl FnMut() + Send + 'static) -> Result<Task> {
        self.timer(period, period.max(Duration::from_millis(1)), Box::new(work))
    }

    /// Runs `work` on a thread that it may block; await the result. It runs
    /// whether or not that is awaited.
    pub fn blocking<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Blocking<T> {
        let result = Arc::new(Completion::new());
        let promise = Promise(Arc::clone(&result));
        let mut job = Some((work, promise));
        let once = move || {
            if let Some((work, promise)) = job.take() {
                promise.0.set(Ok(work()));
            }
        };
        if let Err(error) = self.host.blocking(name, None, Box::new(once)) {
            // The promise was dropped and has broken itself; this says why.
            return Blocking(result, Some(error));
        }
        Blocking(result, None)
    }

    /// See [`sleep`].
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep {
            host: self.host,
            duration,
            state: SleepState::New,
        }
    }

    /// See [`timeout`].
    pub async fn timeout<F: Future>(&self, duration: Duration, future: F) -> Result<F::Output> {
        let mut sleep = pin!(self.sleep(duration));
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            sleep.as_mut().poll(cx).map(|()| {
                let message = format!("took longer than {} ms", duration.as_millis());
                Err(Error::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message))
            })
        })
        .await
    }

    /// Time left for the request that is being served; `None` when there is no
    /// bound.
    ///
    /// # Errors
    /// When it has passed, or nobody waits any more.
    pub fn remaining(&self) -> Result<Option<Duration>> {
        self.host.remaining()
    }

    fn timer(
        &self,
        delay: Duration,
        period: Duration,
        work: Box<dyn FnMut() + Send>,
    ) -> Result<Task> {
        let id = self.host.timer("timer", delay, period, false, work)?;
        Ok(Task {
            host: self.host,
            id,
        })
    }
}

/// A task or a timer. Dropping it changes nothing; the host ends all of them
/// when the plugin stops.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    host: &'static Host,
    id: u64,
}

impl Task {
    /// Ends it, unless it has ended. What is running is not interrupted.
    pub fn cancel(self) {
        self.host.cancel(self.id);
    }
}

/// Waits for `duration` without holding a thread.
///
/// # Panics
/// Outside a plugin, and when the host refuses another timer; within a handler
/// that answers 500.
pub fn sleep(duration: Duration) -> Sleep {
    tasks().sleep(duration)
}

/// Awaits `future`, for `duration` at most.
///
/// # Errors
/// With the code `timeout` when it took longer; `future` is dropped then.
///
/// # Panics
/// As for [`sleep`].
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output> {
    tasks().timeout(duration, future).await
}

/// Spawns a future; see [`Tasks::spawn`].
///
/// # Errors
/// At the plugin's limit of tasks, and once it is stopped.
///
/// # Panics
/// Outside a plugin.
pub fn spawn(name: &str, future: impl Future<Output = ()> + Send + 'static) -> Result<Task> {
    tasks().spawn(name, future)
}

/// Runs `work` on a thread that it may block; see [`Tasks::blocking`].
///
/// # Panics
/// Outside a plugin.
pub fn blocking<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Blocking<T> {
    tasks().blocking(name, work)
}

fn tasks() -> Tasks {
    let services = Services::current();
    services
        .expect("tasks belong to a plugin that a host has initialised")
        .tasks()
}

/// The result of [`Tasks::blocking`]: that of the closure, or an error when it
/// panicked, the pool was full, or the plugin stopped before it began.
#[must_use = "the result, and whether there is one, is known only once this is awaited"]
pub struct Blocking<T>(Arc<Completion<Result<T>>>, Option<Error>);

impl<T> Future for Blocking<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match self.1.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.0.poll(cx),
        }
    }
}

impl<T> std::fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blocking")
    }
}

/// Breaks when it is dropped, so that whoever waits hears of it.
struct Promise<T>(Arc<Completion<Result<T>>>);

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let message = "the blocking work panicked, or ended before it began";
        self.0.set(Err(Error::internal(message)));
    }
}

/// A future that is done after a while; dropping it ends its timer.
#[must_use = "a sleep begins when it is first polled"]
pub struct Sleep {
    host: &'static Host,
    duration: Duration,
    state: SleepState,
}

enum SleepState {
    New,
    Waiting {
        timer: u64,
        due: Arc<Completion<()>>,
    },
    Done,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let SleepState::New = self.state {
            let due = Arc::new(Completion::new());
            let bell = Arc::clone(&due);
            let ring = Box::new(move || bell.set(()));
            match self
                .host
                .timer("sleep", self.duration, Duration::ZERO, true, ring)
            {
                Ok(timer) => self.state = SleepState::Waiting { timer, due },
                // The host is about to drop this future; going on would let a
                // loop around it spin.
                Err(error) if error.host_status() == Some(Status::STOPPED) => {
                    return Poll::Pending;
                }
                Err(error) => panic!("cannot sleep: {error}"),
            }
        }
        match &self.state {
            SleepState::Waiting { due, .. } => match due.poll(cx) {
                Poll::Ready(()) => self.state = SleepState::Done,
                Poll::Pending => return Poll::Pending,
            },
            SleepState::New | SleepState::Done => {}
        }
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let SleepState::Waiting { timer, .. } = self.state {
            self.host.cancel(timer);
        }
    }
}

impl std::fmt::Debug for Sleep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sleep({:?})", self.duration)
    }
}
