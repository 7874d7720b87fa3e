//! What a call into the host is made for: the `cause` that every slot takes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use exthost_abi::Status;
use tokio::sync::Notify;

use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;
use crate::services::ids::Ids;
use crate::services::op::Op;
use crate::services::tasks::Task;

/// Something that plugin code is run for, or waits for, known by an id.
#[derive(Debug, Clone)]
pub enum Cause {
    /// A request.
    Request(Arc<Exchange>),
    /// A task, timer or blocking work.
    Task(Arc<Task>),
    /// An operation that will complete.
    Op(Arc<Op>),
}

impl Cause {
    /// The plugin it belongs to.
    pub fn context(&self) -> &Arc<PluginContext> {
        match self {
            Cause::Request(exchange) => &exchange.context,
            Cause::Task(task) => &task.context,
            Cause::Op(op) => &op.context,
        }
    }

    /// The request at its root.
    pub fn exchange(&self) -> Option<&Arc<Exchange>> {
        match self {
            Cause::Request(exchange) => Some(exchange),
            Cause::Task(task) => task.exchange.as_ref(),
            Cause::Op(_) => None,
        }
    }
}

/// All causes of the process, by id.
#[derive(Debug)]
pub struct Causes {
    ids: Ids<Cause>,
    /// Who waits for the end of a cause.
    ends: Mutex<HashMap<u64, Arc<Notify>>>,
    /// How many of `ends` there are, so that the end of a cause that nobody waits
    /// for takes no lock.
    awaited: AtomicUsize,
}

impl Causes {
    /// The causes of this process: several hosts in it share them, so that an id
    /// says whose it is.
    pub fn of_process() -> &'static Causes {
        static CAUSES: OnceLock<Causes> = OnceLock::new();
        CAUSES.get_or_init(|| Causes {
            ids: Ids::new(),
            ends: Mutex::default(),
            awaited: AtomicUsize::new(0),
        })
    }

    /// Stores what `make` returns for its own id.
    pub fn insert(&self, make: impl FnOnce(u64) -> Cause) -> Result<u64, ServiceError> {
        let id = self.ids.insert(make);
        id.ok_or_else(|| ServiceError::busy("a million requests and tasks are alive"))
    }

    /// Ends an id.
    pub fn remove(&self, id: u64) {
        self.ids.remove(id);
        if self.awaited.load(Ordering::SeqCst) > 0 {
            self.tell_end(id);
        }
    }

    /// Waits until `id` has ended.
    pub async fn ended(&self, id: u64) {
        let end = {
            let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let end = ends.entry(id).or_default().clone();
            self.awaited.store(ends.len(), Ordering::SeqCst);
            end
        };
        let mut told = std::pin::pin!(end.notified());
        told.as_mut().enable();
        // It may have ended before anybody was told to wait for it.
        if self.ids.find(id).is_none() {
            return self.tell_end(id);
        }
        told.await;
    }

    fn tell_end(&self, id: u64) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = ends.remove(&id) {
            self.awaited.store(ends.len(), Ordering::SeqCst);
            end.notify_waiters();
        }
    }

    /// The cause `id` of any plugin, for the watchdog.
    pub fn any(&self, id: u64) -> Option<Cause> {
        self.ids.find(id)
    }

    /// The cause `id`, if it is alive and belongs to this plugin's generation.
    pub fn find(&self, context: &PluginContext, id: u64) -> Option<Cause> {
        let cause = self.ids.find(id)?;
        std::ptr::eq(&**cause.context(), context).then_some(cause)
    }

    /// `id` while it is alive and belongs to this plugin's generation, else 0: as
    /// which a cause that has ended counts.
    pub fn alive(&self, context: &PluginContext, id: u64) -> u64 {
        self.find(context, id).map_or(0, |_| id)
    }

    /// The request that `id` stands for, or was made for.
    pub fn exchange(&self, context: &PluginContext, id: u64) -> Option<Arc<Exchange>> {
        match id {
            0 => None,
            id => self.find(context, id)?.exchange().cloned(),
        }
    }

    /// The request `id`, to be answered.
    pub fn request(&self, context: &PluginContext, id: u64) -> Result<Arc<Exchange>, ServiceError> {
        match self.find(context, id) {
            Some(Cause::Request(exchange)) => Ok(exchange),
            _ => Err(ServiceError::gone(format!(
                "no request of this plugin has the id {id}"
            ))),
        }
    }

    /// The names of the plugin's tasks and timers alive.
    pub fn tasks_of(&self, context: &PluginContext) -> Vec<String> {
        self.ids.filter_map(|cause| match cause {
            Cause::Task(task) if std::ptr::eq(&*task.context, context) => Some(task.name.clone()),
            _ => None,
        })
    }

    /// Cancels the task, timer or operation `id`.
    pub fn cancel(&self, context: &PluginContext, id: u64) -> Result<(), ServiceError> {
        match self.find(context, id) {
            Some(Cause::Task(task)) => task.cancel(),
            Some(Cause::Op(op)) => op.cancel(),
            Some(Cause::Request(_)) => {
                return Err(ServiceError::new(
                    Status::INVALID,
                    "not-cancellable",
                    "a request is ended by respond_abort",
                ));
            }
            None => {
                return Err(ServiceError::gone(format!(
                    "no task or operation of this plugin has the id {id}"
                )));
            }
        }
        Ok(())
    }
}
