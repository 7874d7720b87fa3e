//! Operations that complete: what stands behind every slot named `_async`.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

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

/// What ends an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its work, a cancel or a stop, whichever comes first.
    Early,
    /// Its work alone.
    Itself,
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
        self.spawn(announce, work, std::future::ready(()), done, End::Early)
    }

    /// [`start`](Self::start), with what is to be closed between the end of the
    /// work, whatever ended it, and `done`.
    pub fn start_closing<T: Send + 'static>(
        &self,
        announce: impl FnOnce(u64),
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
        close: impl Future<Output = ()> + Send + 'static,
        done: impl FnOnce(Result<T, ServiceError>) + Send + 'static,
    ) -> Result<(), ServiceError> {
        self.spawn(announce, work, close, done, End::Early)
    }

    /// [`start`](Self::start) for short work whose outcome must be known, because
    /// what it ends or begins goes on to count: a cancel or the plugin's stop do
    /// not cut it short.
    pub fn start_whole<T: Send + 'static>(
        &self,
        announce: impl FnOnce(u64),
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
        done: impl FnOnce(Result<T, ServiceError>) + Send + 'static,
    ) -> Result<(), ServiceError> {
        self.spawn(announce, work, std::future::ready(()), done, End::Itself)
    }

    fn spawn<T: Send + 'static>(
        &self,
        announce: impl FnOnce(u64),
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
        close: impl Future<Output = ()> + Send + 'static,
        done: impl FnOnce(Result<T, ServiceError>) + Send + 'static,
        end: End,
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
                () = op.cancelled.notified(), if end == End::Early => Err(ServiceError::status(Status::CANCELLED)),
                () = op.context.reached(Phase::Stopped), if end == End::Early => {
                    Err(ServiceError::stopped())
                }
            };
            close.await;
            watchdog::inline(id, || done(result));
            Causes::of_process().remove(id);
        });
        Ok(())
    }

    /// Refuses a thread that may not block.
    pub fn may_block(&self) -> Result<(), ServiceError> {
        match watchdog::is_inline() || WAITING.get() {
            false => Ok(()),
            true => Err(ServiceError::misplaced(
                "this call waits, and an async fn, an inline route, a poll or a callback may \
                 not; .await it in Rust, or use the slot's _async form",
            )),
        }
    }

    /// Runs work that does not wait for others on this thread, for the blocking
    /// slots.
    ///
    /// # Errors
    /// `misplaced` on a thread that may not block.
    pub fn at_once<R>(&self, work: impl FnOnce() -> R) -> Result<R, ServiceError> {
        self.may_block()?;
        let _waiting = Waiting::begin();
        Ok(work())
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
        let _waiting = Waiting::begin();
        let mut work = pin!(work);
        let _runtime = self.runtime.enter();
        // Most work needs no waiting, and a runtime to wait on costs as much as it.
        let mut unwoken = Context::from_waker(Waker::noop());
        if let Poll::Ready(result) = work.as_mut().poll(&mut unwoken) {
            return result;
        }
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                result = work => result,
                () = self.context.reached(Phase::Stopped) => Err(ServiceError::stopped()),
            }
        })
    }
}

thread_local! {
    /// Whether this thread waits in [`Ops::block`]: it may do so while it runs a
    /// callback of the plugin, which may not wait as well.
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Marks the thread for the time of a wait.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WAITING.set(true);
        Waiting
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::name::PluginName;

    #[test]
    fn a_callback_of_a_call_that_waits_may_not_wait() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let name = PluginName::parse("notes").unwrap();
        let context = PluginContext::new(name, 1, Limits::default(), Vec::new());
        let ops = Ops::new(runtime.handle().clone(), Arc::new(context));
        let inner = ops.block(async { Ok(ops.block(async { Ok(()) })) });
        let misplaced = inner.unwrap().unwrap_err();
        assert_eq!(misplaced.status, Status::MISPLACED);
        assert!(misplaced.message.contains(".await it in Rust"));
        ops.block(async { Ok(()) }).unwrap();
    }
}
