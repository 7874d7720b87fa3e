//! Connections of one kind, and the work that waits for one.

mod lent;
mod pause;
mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::services::db::connection::Connection;
use crate::services::db::group;
use crate::services::error::ServiceError;
use queue::{Batch, Place, Queue};

pub(super) use lent::Lent;
pub(super) use queue::Job;

/// Some connections of one kind and a queue in front of them.
///
/// There is no thread per connection. Whoever brings work while a connection is
/// idle runs it: a thread that may block does so itself, any other borrows one
/// of the runtime's blocking threads, which then takes what has come meanwhile
/// as well. So a single caller pays for no change of threads, and many callers
/// share one.
pub(super) struct Lane {
    runtime: Handle,
    queue: Mutex<Queue>,
    /// Told when a connection was closed.
    closed_one: Condvar,
    /// Says why no call is let in, if none is.
    admit: Box<dyn Fn() -> Result<(), ServiceError> + Send + Sync>,
    open: Box<dyn Fn() -> Result<Connection, ServiceError> + Send + Sync>,
    /// Called after a batch, with the connection that ran it.
    after: Box<dyn Fn(&Connection) + Send + Sync>,
}

/// Who runs the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// This thread, which may block.
    This,
    /// This thread, which may not block: if a connection is at hand, and for work
    /// that is short.
    Worker,
    /// A blocking thread of the runtime.
    Runtime,
}

impl Lane {
    /// A lane of at most `connections`, each opened when it is first needed.
    pub(super) fn new(
        runtime: Handle,
        connections: usize,
        admit: impl Fn() -> Result<(), ServiceError> + Send + Sync + 'static,
        open: impl Fn() -> Result<Connection, ServiceError> + Send + Sync + 'static,
        after: impl Fn(&Connection) + Send + Sync + 'static,
    ) -> Self {
        Lane {
            runtime,
            queue: Mutex::new(Queue::new(connections)),
            closed_one: Condvar::new(),
            admit: Box::new(admit),
            open: Box::new(open),
            after: Box::new(after),
        }
    }

    /// Queues a job and sees to it that it is run; it is dropped when the lane is
    /// closed.
    pub(super) fn submit(self: &Arc<Self>, job: Job, by: By) -> Result<(), ServiceError> {
        (self.admit)()?;
        let place = {
            let mut queue = self.queue();
            queue.push(job)?;
            match queue.place() {
                Some(place) => place,
                None => return Ok(()),
            }
        };
        match (by, &place) {
            (By::This, _) | (By::Worker, Place::Idle(_)) => self.serve(place, Serve::Once),
            (By::Worker | By::Runtime, _) => self.serve_elsewhere(place),
        }
        Ok(())
    }

    /// Runs `run` on this thread, which may block, if a connection is idle. `None`
    /// when there is none, and `run` has not run then.
    pub(super) fn at_once<R>(self: &Arc<Self>, run: impl FnOnce(&Connection) -> R) -> Option<R> {
        (self.admit)().ok()?;
        // While one is idle nothing waits.
        let connection = self.queue().idle.pop()?;
        match catch_unwind(AssertUnwindSafe(|| run(&connection))) {
            Ok(returned) => {
                self.settle(&connection);
                self.give_back(connection);
                Some(returned)
            }
            Err(panic) => {
                self.give_up(connection);
                resume_unwind(panic)
            }
        }
    }

    /// Runs what is queued on one connection.
    fn serve(self: &Arc<Self>, place: Place, how: Serve) {
        let mut connection = match place {
            Place::Idle(connection) => connection,
            Place::Unopened => match (self.open)() {
                Ok(connection) => connection,
                Err(error) => return self.refuse_all(&error),
            },
        };
        loop {
            let batch = {
                let mut queue = self.queue();
                match queue.next_batch() {
                    Some(batch) => batch,
                    None => return self.rest(queue, connection),
                }
            };
            match self.run(connection, batch) {
                Some(back) => connection = back,
                None => return,
            }
            if how == Serve::Once {
                return self.give_back(connection);
            }
        }
    }

    fn serve_elsewhere(self: &Arc<Self>, place: Place) {
        let lane = self.clone();
        self.runtime
            .spawn_blocking(move || lane.serve(place, Serve::All));
    }

    /// Runs a batch and returns the connection, unless it was lent.
    fn run(self: &Arc<Self>, connection: Connection, batch: Batch) -> Option<Connection> {
        let run = match batch {
            Batch::Lend(job) => {
                job(Ok(Lent::new(connection, self.clone())));
                return None;
            }
            Batch::Alone(job) => catch_unwind(AssertUnwindSafe(|| job(Ok(&connection)))),
            Batch::Writes(writes) => {
                catch_unwind(AssertUnwindSafe(|| group::run(&connection, writes)))
            }
        };
        if run.is_err() {
            // The panic is in the log.
            self.give_up(connection);
            return None;
        }
        self.settle(&connection);
        Some(connection)
    }

    /// Leaves a connection that has run something as the next one is to find it.
    fn settle(&self, connection: &Connection) {
        connection.roll_back();
        (self.after)(connection);
    }

    /// Drops a connection on which something panicked: what that left of it is not
    /// used again.
    fn give_up(self: &Arc<Self>, connection: Connection) {
        drop(connection);
        self.replace();
    }

    /// Takes a connection back: it goes on with what waits, or rests.
    fn give_back(self: &Arc<Self>, connection: Connection) {
        let queue = self.queue();
        if queue.jobs.is_empty() || queue.paused || queue.closed {
            return self.rest(queue, connection);
        }
        drop(queue);
        self.serve_elsewhere(Place::Idle(connection));
    }

    /// Lets a connection rest, or closes it if nothing is to begin.
    fn rest(&self, mut queue: MutexGuard<'_, Queue>, connection: Connection) {
        if !queue.paused && !queue.closed {
            return queue.idle.push(connection);
        }
        drop(queue);
        self.end(connection);
    }

    /// Closes a connection, which takes a while, and only then counts it as
    /// closed.
    fn end(&self, connection: Connection) {
        drop(connection);
        self.queue().unopened += 1;
        self.closed_one.notify_all();
    }

    /// Lets another connection be opened in place of one that is gone.
    fn replace(self: &Arc<Self>) {
        let mut queue = self.queue();
        queue.unopened += 1;
        self.closed_one.notify_all();
        let waits = !queue.jobs.is_empty();
        let place = if waits { queue.place() } else { None };
        drop(queue);
        if let Some(place) = place {
            self.serve_elsewhere(place);
        }
    }

    /// Tells all that wait why there is no connection.
    fn refuse_all(&self, error: &ServiceError) {
        let jobs = {
            let mut queue = self.queue();
            queue.unopened += 1;
            self.closed_one.notify_all();
            std::mem::take(&mut queue.jobs)
        };
        for job in jobs {
            job.refuse(error.clone());
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a thread goes on serving.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serve {
    /// One batch, in which its own call is.
    Once,
    /// Until nothing is queued.
    All,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}
