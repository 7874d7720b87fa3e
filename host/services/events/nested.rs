//! Threads for filters, apart from all others, so that plugins which wait for a
//! filter never hold the thread it needs.
//!
//! There is a lane for each depth of events that cause each other. A filter that
//! asks others waits for the next lane only, and the last one has nothing to
//! wait for, so no circle of waiting closes, whatever the plugins do.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use exthost_abi::Status;

use crate::services::error::ServiceError;
use crate::services::events::event::DEPTH_MAX;

/// Threads of one lane, at most.
const THREADS_MAX: usize = 16;

/// Calls that wait in one lane, at most.
const WAITING_MAX: usize = 1024;

/// How long a thread waits for something to do before it ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs filters that may block.
///
/// # Threading
/// A thread is made when a call finds none idle, and ends when it has been idle
/// for 10 s.
#[derive(Debug)]
pub(super) struct Nested {
    lanes: [Arc<Lane>; DEPTH_MAX as usize],
}

/// A call of a filter.
type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug, Default)]
struct Lane {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Nested {
    pub(super) fn new() -> Self {
        Nested {
            lanes: std::array::from_fn(|_| Arc::default()),
        }
    }

    /// Runs `job` for an event of this depth, counted from 1, as soon as a thread
    /// is free.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub(super) fn run(
        &self,
        depth: u8,
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), ServiceError> {
        let last = self.lanes.len() - 1;
        let lane = &self.lanes[usize::from(depth.saturating_sub(1)).min(last)];
        let mut state = lane.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(ServiceError::new(
                Status::BUSY,
                "filters-busy",
                format!(
                    "{WAITING_MAX} calls of filters wait for a thread; a filter is too slow for \
                     what is asked of it"
                ),
            ));
        }
        state.waiting.push_back(Box::new(job));
        if state.idle >= state.waiting.len() {
            lane.work.notify_one();
            return Ok(());
        }
        if state.threads >= THREADS_MAX {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        lane.clone().spawn()
    }
}

impl Lane {
    fn spawn(self: Arc<Self>) -> Result<(), ServiceError> {
        let lane = self.clone();
        let thread = thread::Builder::new().name("filters".to_owned());
        let Err(error) = thread.spawn(move || lane.work()) else {
            return Ok(());
        };
        let mut state = self.lock();
        state.threads -= 1;
        if state.threads > 0 {
            // One of the others takes it.
            return Ok(());
        }
        let lost = std::mem::take(&mut state.waiting);
        drop(state);
        drop(lost);
        Err(ServiceError::busy(format!(
            "no thread for a filter: {error}"
        )))
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                drop(state);
                // What is the plugin's own is fenced already; this keeps the count
                // of threads right.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let waited = self.work.wait_timeout(state, IDLE_TIMEOUT);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = again;
            state.idle -= 1;
            if timeout.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs, which may panic, run outside the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("waiting", &self.waiting.len())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_lane_full_of_waiting_calls_leaves_the_next_one_free() {
        let nested = Arc::new(Nested::new());
        let (done, all) = mpsc::channel();
        for _ in 0..4 * THREADS_MAX {
            let (inner, done) = (nested.clone(), done.clone());
            let outer = move || {
                let (tell, told) = mpsc::channel();
                inner.run(2, move || tell.send(()).unwrap()).unwrap();
                told.recv().unwrap();
                done.send(()).unwrap();
            };
            nested.run(1, outer).unwrap();
        }
        for _ in 0..4 * THREADS_MAX {
            all.recv().unwrap();
        }
        assert!(nested.lanes[0].lock().threads <= THREADS_MAX);
    }

    #[test]
    fn too_many_calls_are_refused() {
        let nested = Nested::new();
        let (hold, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let refused = (0..THREADS_MAX + WAITING_MAX + 1).any(|_| {
            let held = held.clone();
            let job = move || {
                let _ = held.lock().unwrap().recv();
            };
            nested
                .run(1, job)
                .is_err_and(|error| error.code == "filters-busy")
        });
        assert!(refused);
        drop(hold);
    }
}
