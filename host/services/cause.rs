//! What a call into the host is made for: the `cause` that every slot takes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use exthost_abi::Status;
use tokio::sync::Notify;

use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::events::Delivery;
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
    /// An event at one of its subscriptions.
    Event(Arc<Delivery>),
}

/// What a cause goes back to, over any number of events and tasks.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The request at its root, which may be another plugin's.
    pub exchange: Option<Arc<Exchange>>,
    /// Events that caused each other.
    pub depth: u8,
    /// Whether an event that tells of a log line is among them.
    pub of_log: bool,
}

impl Origin {
    /// The id of the request at its root, for the log.
    pub fn request_id(&self) -> Option<&str> {
        let exchange = self.exchange.as_deref();
        exchange.map(|exchange| &*exchange.request_id)
    }
}

impl Cause {
    /// The plugin it belongs to.
    pub fn context(&self) -> &Arc<PluginContext> {
        match self {
            Cause::Request(exchange) => &exchange.context,
            Cause::Task(task) => &task.context,
            Cause::Op(op) => &op.context,
            Cause::Event(delivery) => &delivery.context,
        }
    }

    /// The request of its own plugin that it stands for, or was made for.
    pub fn exchange(&self) -> Option<&Arc<Exchange>> {
        match self {
            Cause::Request(exchange) => Some(exchange),
            Cause::Task(task) => task.exchange.as_ref(),
            Cause::Op(_) | Cause::Event(_) => None,
        }
    }

    /// The event that it stands for, or was made for.
    pub fn delivery(&self) -> Option<&Arc<Delivery>> {
        match self {
            Cause::Event(delivery) => Some(delivery),
            Cause::Task(task) => task.delivery.as_ref(),
            Cause::Request(_) | Cause::Op(_) => None,
        }
    }

    /// What it goes back to.
    pub fn origin(&self) -> Origin {
        match self {
            Cause::Request(exchange) => Origin {
                exchange: Some(exchange.clone()),
                ..Origin::default()
            },
            Cause::Task(task) => task.origin.clone(),
            Cause::Event(delivery) => delivery.event.origin.clone(),
            Cause::Op(_) => Origin::default(),
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

    /// Ends `id`; its cause, which `change` makes another of, has the id that is
    /// returned, if there was one.
    pub(crate) fn renew(&self, id: u64, change: impl FnOnce(&mut Cause)) -> Option<u64> {
        let renewed = self.ids.renew(id, change)?;
        if self.awaited.load(Ordering::SeqCst) > 0 {
            self.tell_end(id);
        }
        Some(renewed)
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

    /// What the cause `id` goes back to.
    pub fn origin(&self, context: &PluginContext, id: u64) -> Origin {
        match id {
            0 => Origin::default(),
            id => self
                .find(context, id)
                .map_or_else(Origin::default, |cause| cause.origin()),
        }
    }

    /// The event `id`, to be answered.
    pub fn delivery(
        &self,
        context: &PluginContext,
        id: u64,
    ) -> Result<Arc<Delivery>, ServiceError> {
        match self.find(context, id) {
            Some(Cause::Event(delivery)) => Ok(delivery),
            _ => Err(ServiceError::gone(format!(
                "no event that this plugin handles has the id {id}; its deadline has passed, or it \
                 was answered"
            ))),
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
            Some(Cause::Event(_)) => {
                return Err(ServiceError::new(
                    Status::INVALID,
                    "not-cancellable",
                    "an event is ended by answer",
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
