//! Operations that complete: what stands behind every slot named `_async`.

use std::future::Future;
use std::sync::Arc;

use exthost_abi::Status;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::gate::CallPermit;
use crate::services::cause::{Cause, Causes};
use crate::services::context::{Phase, PluginContext};
use crate::services::error::ServiceError;
use crate::services::watchdog;

/// An operation under way.
#[derive(Debug)]
pub struct Op {
    /// The plugin that waits for it.
    pub context: Arc<PluginContext>,
    cancelled: Notify,
    _permit: CallPermit,
}

impl Op {
    /// Ends it with [`Status::CANCELLED`], unless it is done.
    pub fn cancel(&self) {
        self.cancelled.notify_one();
    }
}

/// The operations of one plugin.
#[derive(Debug)]
pub struct Ops {
    runtime: Handle,
    context: Arc<PluginContext>,
}

impl Ops {
    /// The operations of the plugin of `context`.
    pub fn new(runtime: Handle, context: Arc<PluginContext>) -> Self {
        Ops { runtime, context }
    }

    /// Starts `work`; `done` is called exactly once, with its result, or because
    /// of a cancel or the plugin's stop, on a thread of the runtime. `announce`
    /// hears the operation's id before.
    pub fn start<T: Send + 'static>(
        &self,
        announce: impl FnOnce(u64),
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
        done: impl FnOnce(Result<T, ServiceError>) + Send + 'static,
    ) -> Result<(), ServiceError> {
        let op = Arc::new(Op {
            _permit: self.context.begin_work()?,
            context: self.context.clone(),
            cancelled: Notify::new(),
        });
        let id = Causes::of_process().insert(|_| Cause::Op(op.clone()))?;
        announce(id);
        self.runtime.spawn(async move {
            let result = tokio::select! {
                biased;
                result = work => result,
                () = op.cancelled.notified() => Err(ServiceError::status(Status::CANCELLED)),
                () = op.context.reached(Phase::Stopped) => Err(ServiceError::stopped()),
            };
            watchdog::inline(id, || done(result));
            Causes::of_process().remove(id);
        });
        Ok(())
    }

    /// Refuses a thread that may not block.
    pub fn may_block(&self) -> Result<(), ServiceError> {
        match watchdog::is_inline() {
            false => Ok(()),
            true => Err(ServiceError::misplaced(
                "this slot waits, and an inline route or a poll may not; use its _async form",
            )),
        }
    }

    /// Blocks this thread until `work` is done, for the blocking slots.
    ///
    /// # Errors
    /// `misplaced` on a thread that may not block.
    pub fn block<T>(
        &self,
        work: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        self.may_block()?;
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                result = work => result,
                () = self.context.reached(Phase::Stopped) => Err(ServiceError::stopped()),
            }
        })
    }
}
