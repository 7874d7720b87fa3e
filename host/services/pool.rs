//! A plugin's share of the host's blocking threads.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    /// Callers of [`lend`](Self::lend) that wait.
    borrowers: Arc<AtomicUsize>,
}

impl Pool {
    /// A pool of the size that `limits` says, on the threads of `runtime`.
    pub fn new(runtime: Handle, limits: &Limits) -> Self {
        let threads_max = limits.pool_threads_max.min(Semaphore::MAX_PERMITS);
        Pool {
            runtime,
            threads: Arc::new(Semaphore::new(threads_max)),
            threads_max,
            queued: Arc::default(),
            queue_max: limits.pool_queue_max,
            borrowers: Arc::default(),
        }
    }

    /// Jobs that run.
    pub fn running(&self) -> usize {
        self.threads_max - self.threads.available_permits()
    }

    /// Calls and firings that wait for a thread.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed) + self.borrowers.load(Ordering::Relaxed)
    }

    /// Whether a thread is wanted by others than those who wait for their
    /// [turn](Self::run_in_turn).
    pub fn is_wanted(&self) -> bool {
        self.queued() > 0
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
            start(&self.runtime, thread, job);
            return Ok(());
        }
        let place = Place::take(&self.queued, self.queue_max).ok_or_else(|| {
            ServiceError::busy(format!(
                "all {} blocking threads of this plugin are in use and {} calls wait for one",
                self.threads_max, self.queue_max
            ))
        })?;
        accepted();
        self.wait(end, move || {
            drop(place);
            job();
        });
        Ok(())
    }

    /// Runs `job` once a thread is free, however long that takes; it is dropped
    /// when `end` resolves before that. Its callers are bounded in number, so
    /// there is no queue to be full; they give the thread back while it
    /// [is wanted](Self::is_wanted), and wait for another turn.
    pub fn run_in_turn(
        &self,
        end: impl Future<Output = ()> + Send + 'static,
        job: impl FnOnce() + Send + 'static,
    ) {
        match self.threads.clone().try_acquire_owned() {
            Ok(thread) => start(&self.runtime, thread, job),
            Err(_) => self.wait(end, job),
        }
    }

    fn wait(
        &self,
        end: impl Future<Output = ()> + Send + 'static,
        job: impl FnOnce() + Send + 'static,
    ) {
        let (threads, runtime) = (self.threads.clone(), self.runtime.clone());
        self.runtime.spawn(async move {
            tokio::select! {
                biased;
                () = end => {}
                Ok(thread) = threads.acquire_owned() => start(&runtime, thread, job),
            }
        });
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
        let place = Place::take(&self.borrowers, usize::MAX);
        let thread = tokio::select! {
            biased;
            () = end => return None,
            thread = self.threads.clone().acquire_owned() => thread.ok()?,
        };
        drop(place);
        let job = move || {
            let returned = call(&mut owned);
            drop(thread);
            (owned, returned)
        };
        self.runtime.spawn_blocking(job).await.ok()
    }
}

fn start(runtime: &Handle, thread: OwnedSemaphorePermit, job: impl FnOnce() + Send + 'static) {
    runtime.spawn_blocking(move || {
        job();
        drop(thread);
    });
}

/// A place among those who wait.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn more_threads_than_can_be_counted_are_no_limit() {
        let limits = Limits {
            pool_threads_max: usize::MAX,
            ..Limits::default()
        };
        let pool = Pool::new(Handle::current(), &limits);
        let (tell, told) = mpsc::channel();
        let job = move || tell.send(()).unwrap();
        pool.run(|| {}, std::future::pending(), job).unwrap();
        told.recv().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thread_is_wanted_while_a_call_waits_for_it() {
        let limits = Limits {
            pool_threads_max: 1,
            ..Limits::default()
        };
        let pool = Pool::new(Handle::current(), &limits);
        let (go_on, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let hold = move || {
            let _ = wait.recv();
        };
        pool.run(|| {}, std::future::pending(), hold).unwrap();
        assert!(!pool.is_wanted());
        assert_eq!((pool.running(), pool.queued()), (1, 0));
        let call = move || tell.send(()).unwrap();
        pool.run(|| {}, std::future::pending(), call).unwrap();
        assert!(pool.is_wanted());
        assert_eq!((pool.running(), pool.queued()), (1, 1));
        drop(go_on);
        told.recv().unwrap();
        assert!(!pool.is_wanted());
    }
}
