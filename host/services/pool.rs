//! A plugin's share of the host's blocking threads.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::services::error::ServiceError;

/// Runs blocking code of one plugin, so many at a time, the rest in a bounded
/// queue. There is no thread per plugin: the threads are the host runtime's.
#[derive(Debug)]
pub struct Pool {
    runtime: Handle,
    threads: Arc<Semaphore>,
    threads_max: usize,
    queued: Arc<AtomicUsize>,
    queue_max: usize,
}

impl Pool {
    /// A pool of the size that `limits` says, on the threads of `runtime`.
    pub fn new(runtime: Handle, limits: &Limits) -> Self {
        Pool {
            runtime,
            threads: Arc::new(Semaphore::new(limits.pool_threads_max)),
            threads_max: limits.pool_threads_max,
            queued: Arc::default(),
            queue_max: limits.pool_queue_max,
        }
    }

    /// Runs `job` on a thread as soon as one is free. It is dropped without having
    /// run when `end` resolves before that. `accepted` is called before anything
    /// of the job can run, unless the queue is full.
    pub fn run(
        &self,
        accepted: impl FnOnce(),
        end: impl Future<Output = ()> + Send + 'static,
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), ServiceError> {
        if let Ok(thread) = self.threads.clone().try_acquire_owned() {
            accepted();
            self.runtime.spawn_blocking(move || {
                job();
                drop(thread);
            });
            return Ok(());
        }
        let place = Place::take(&self.queued, self.queue_max).ok_or_else(|| {
            ServiceError::busy(format!(
                "all {} blocking threads of this plugin are in use and {} calls wait for one",
                self.threads_max, self.queue_max
            ))
        })?;
        accepted();
        let threads = self.threads.clone();
        let runtime = self.runtime.clone();
        self.runtime.spawn(async move {
            tokio::select! {
                biased;
                () = end => {}
                thread = threads.acquire_owned() => {
                    drop(place);
                    runtime.spawn_blocking(move || {
                        job();
                        drop(thread);
                    });
                }
            }
        });
        Ok(())
    }

    /// Runs `call` with `owned` once a thread is free, however long that takes,
    /// and gives `owned` back; nothing when `end` resolves before that. Its
    /// callers are bounded in number, so there is no queue to be full.
    pub async fn lend<T: Send + 'static, R: Send + 'static>(
        &self,
        end: impl Future<Output = ()>,
        mut owned: T,
        call: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Option<(T, R)> {
        let thread = tokio::select! {
            biased;
            () = end => return None,
            thread = self.threads.clone().acquire_owned() => thread.ok()?,
        };
        let job = move || {
            let returned = call(&mut owned);
            drop(thread);
            (owned, returned)
        };
        self.runtime.spawn_blocking(job).await.ok()
    }
}

/// A place in the queue.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(queued: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let taken = queued.fetch_update(Ordering::AcqRel, Ordering::Acquire, |queued| {
            (queued < max).then_some(queued + 1)
        });
        taken.ok().map(|_| Place(queued.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
