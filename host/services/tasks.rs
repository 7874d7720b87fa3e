//! Futures of plugins on the host's runtime, their timers, and blocking work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::gate::CallPermit;
use crate::services::cause::{Cause, Causes, Origin};
use crate::services::context::{Phase, PluginContext};
use crate::services::error::ServiceError;
use crate::services::events::Delivery;
use crate::services::exchange::Exchange;
use crate::services::pool::Pool;
use crate::services::watchdog;

/// A future, a timer or blocking work of a plugin, known by its id.
#[derive(Debug)]
pub struct Task {
    /// The plugin it belongs to.
    pub context: Arc<PluginContext>,
    /// What people call it, may be empty.
    pub name: String,
    /// The request it serves, if it serves one.
    pub exchange: Option<Arc<Exchange>>,
    /// What it goes back to.
    pub origin: Origin,
    /// The event it handles, if it handles one.
    pub(crate) delivery: Option<Arc<Delivery>>,
    ends_with_cause: bool,
    woken: Notify,
    cancelled: AtomicBool,
    _permit: CallPermit,
}

/// What a task is made of, beside its code.
#[derive(Debug)]
pub struct TaskSpec {
    /// What it goes back to.
    pub origin: Origin,
    exchange: Option<Arc<Exchange>>,
    delivery: Option<Arc<Delivery>>,
    name: String,
    ends_with_cause: bool,
}

impl TaskSpec {
    /// A task that `cause` asks for, under a name for people.
    pub fn new(cause: Option<&Cause>, name: String) -> Self {
        TaskSpec {
            origin: cause.map_or_else(Origin::default, Cause::origin),
            exchange: cause.and_then(|cause| cause.exchange().cloned()),
            delivery: cause.and_then(|cause| cause.delivery().cloned()),
            name,
            ends_with_cause: false,
        }
    }

    /// Cancels it as soon as nobody waits for the request or the event that it
    /// was made for.
    pub fn ends_with_cause(mut self, ends: bool) -> Self {
        self.ends_with_cause = ends;
        self
    }
}

impl Task {
    /// Makes the host poll it again.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Ends it as soon as its code is not running.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.woken.notify_one();
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
            || self.context.phase() == Phase::Stopped
            || self.is_forsaken()
    }

    /// Whether nobody waits any more for what the task ends with.
    fn is_forsaken(&self) -> bool {
        let (exchange, delivery) = self.bound();
        exchange.is_some_and(Exchange::is_forsaken) || delivery.is_some_and(Delivery::is_forsaken)
    }

    /// The request or the event that the task ends with.
    fn bound(&self) -> (Option<&Exchange>, Option<&Delivery>) {
        match self.ends_with_cause {
            true => (self.exchange.as_deref(), self.delivery.as_deref()),
            false => (None, None),
        }
    }

    /// Waits for a wake, a cancel or the plugin's stop.
    async fn woken(&self) {
        let forsaken = async {
            match self.bound() {
                (Some(exchange), _) => exchange.forsaken().await,
                (None, Some(delivery)) => delivery.forsaken().await,
                (None, None) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.woken.notified() => {}
            () = self.context.reached(Phase::Stopped) => {}
            () = forsaken => {}
        }
    }

    /// Waits for a cancel or the plugin's stop.
    async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.woken().await;
        }
    }

    /// Waits until what was started in `init` may begin.
    async fn begun(&self) {
        if self.exchange.is_none() && self.delivery.is_none() {
            tokio::select! {
                () = self.context.reached(Phase::Serving) => {}
                () = self.cancelled() => {}
            }
        }
    }

    /// Whether polls of this task may not run on the runtime's workers.
    fn is_demoted(&self) -> bool {
        let (exchange, delivery) = (self.exchange.as_ref(), self.delivery.as_ref());
        exchange.is_some_and(|exchange| exchange.route.inline && !exchange.route.is_inline())
            || delivery.is_some_and(|delivery| delivery.subscription.is_demoted())
    }
}

/// When a timer fires.
#[derive(Debug, Clone, Copy)]
pub struct TimerSpec {
    /// Time to the first firing.
    pub delay: Duration,
    /// Time between firings; zero fires once.
    pub period: Duration,
    /// Called on the runtime rather than on the plugin's pool.
    pub inline: bool,
}

/// Polls a future; tells whether it is done. Dropping it releases the future.
pub(crate) type PollTask = Box<dyn FnMut(u64) -> bool + Send>;

/// Runs a firing or blocking work. Dropping it releases what it holds.
pub(crate) type RunTask = Box<dyn FnMut(u64) + Send>;

/// The tasks of one plugin. What starts one tells `announce` its id before any
/// of its code can run.
#[derive(Debug)]
pub struct Tasks {
    runtime: Handle,
    context: Arc<PluginContext>,
    pool: Arc<Pool>,
}

impl Tasks {
    /// The tasks of the plugin of `context`.
    pub fn new(runtime: Handle, context: Arc<PluginContext>, pool: Arc<Pool>) -> Self {
        Tasks {
            runtime,
            context,
            pool,
        }
    }

    /// Spawns a future.
    pub fn spawn(
        &self,
        spec: TaskSpec,
        announce: impl FnOnce(u64),
        mut poll: PollTask,
    ) -> Result<(), ServiceError> {
        let live = self.enter(spec)?;
        announce(live.id);
        let pool = self.pool.clone();
        self.runtime.spawn(async move {
            let (id, task) = (live.id, &live.task);
            task.begun().await;
            while !task.is_cancelled() {
                let ready = if task.is_demoted() {
                    let call = move |poll: &mut PollTask| poll(id);
                    match pool.lend(task.cancelled(), poll, call).await {
                        Some((again, ready)) => {
                            poll = again;
                            ready
                        }
                        None => return,
                    }
                } else {
                    watchdog::inline(id, || poll(id))
                };
                if ready {
                    return;
                }
                task.woken().await;
            }
        });
        Ok(())
    }

    /// Starts a timer.
    pub fn timer(
        &self,
        task: TaskSpec,
        spec: TimerSpec,
        announce: impl FnOnce(u64),
        mut fire: RunTask,
    ) -> Result<(), ServiceError> {
        let live = self.enter(task)?;
        let registered = self.context.clock.now();
        announce(live.id);
        let pool = self.pool.clone();
        self.runtime.spawn(async move {
            let (id, task) = (live.id, &live.task);
            task.begun().await;
            let clock = &task.context.clock;
            let begun = task.context.serving_since();
            let mut due = begun.map_or(registered, |begun| begun.max(registered)) + spec.delay;
            loop {
                tokio::select! {
                    () = clock.sleep_until(due) => {}
                    () = task.cancelled() => return,
                }
                if spec.inline {
                    watchdog::inline(id, || fire(id));
                } else {
                    let call = move |fire: &mut RunTask| fire(id);
                    match pool.lend(task.cancelled(), fire, call).await {
                        Some((again, ())) => fire = again,
                        None => return,
                    }
                }
                if spec.period.is_zero() || task.is_cancelled() {
                    return;
                }
                // A firing that overstayed makes the next one late, not doubled.
                due = (due + spec.period).max(clock.now());
            }
        });
        Ok(())
    }

    /// Runs `run` once on the plugin's pool.
    pub fn blocking(
        &self,
        spec: TaskSpec,
        announce: impl FnOnce(u64),
        run: RunTask,
    ) -> Result<(), ServiceError> {
        let live = self.enter(spec)?;
        let (id, waiting) = (live.id, live.task.clone());
        let mut job = Blocking { run, live };
        self.pool.run(
            || announce(id),
            async move { waiting.cancelled().await },
            move || {
                if !job.live.task.is_cancelled() {
                    (job.run)(id);
                }
            },
        )
    }

    /// Admits a task and gives it an id.
    fn enter(&self, spec: TaskSpec) -> Result<Live, ServiceError> {
        let task = Arc::new(Task {
            _permit: self.context.begin_work()?,
            context: self.context.clone(),
            name: spec.name,
            exchange: spec.exchange,
            origin: spec.origin,
            delivery: spec.delivery,
            ends_with_cause: spec.ends_with_cause,
            woken: Notify::new(),
            cancelled: AtomicBool::new(false),
        });
        let id = Causes::of_process().insert(|_| Cause::Task(task.clone()))?;
        Ok(Live { id, task })
    }
}

/// A task with its id, which ends when this is dropped: after what the task
/// holds, so that its permit outlives the last call into the plugin.
struct Live {
    id: u64,
    task: Arc<Task>,
}

impl Drop for Live {
    fn drop(&mut self) {
        Causes::of_process().remove(self.id);
    }
}

/// Blocking work; the order of its fields is that in which they are dropped.
struct Blocking {
    run: RunTask,
    live: Live,
}
