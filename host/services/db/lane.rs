//! Connections of one kind, and the work that waits for one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::runtime::Handle;

use crate::services::db::connection::Connection;
use crate::services::db::group::{self, Write};
use crate::services::error::ServiceError;

/// Some connections of one kind and a queue in front of them.
///
/// There is no thread per connection. Whoever brings work while a connection is
/// idle runs it: a thread that may block does so itself, any other borrows one
/// of the runtime's blocking threads, which then takes what has come meanwhile
/// as well. So a single caller pays for no change of threads, and many callers
/// share one.
pub(super) struct Lane {
    runtime: Handle,
    state: Mutex<State>,
    /// Told when a connection was closed.
    closed_one: Condvar,
    /// Says why no call is let in, if none is.
    admit: Box<dyn Fn() -> Result<(), ServiceError> + Send + Sync>,
    open: Box<dyn Fn() -> Result<Connection, ServiceError> + Send + Sync>,
    /// Called after a batch, with the connection that ran it.
    after: Box<dyn Fn(&Connection) + Send + Sync>,
}

struct State {
    idle: Vec<Connection>,
    /// Connections there may be.
    connections: usize,
    /// Those that may still be opened.
    unopened: usize,
    queue: VecDeque<Job>,
    /// Nothing is begun while somebody has paused it.
    paused: bool,
    closed: bool,
}

/// Work for a connection. Whatever becomes of it, it is called once; with an
/// error when no connection could be opened.
pub(super) enum Job {
    /// Has the connection to itself.
    Alone(Run),
    /// One statement, which may share a commit with others.
    Write(Box<Write>),
    /// Takes the connection away until [`Lent`] is dropped.
    Lend(Take),
}

/// Work that has a connection to itself.
pub(super) type Run = Box<dyn FnOnce(Result<&Connection, ServiceError>) + Send>;

/// Work that takes a connection away.
pub(super) type Take = Box<dyn FnOnce(Result<Lent, ServiceError>) + Send>;

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
            state: Mutex::new(State {
                idle: Vec::new(),
                connections,
                unopened: connections,
                queue: VecDeque::new(),
                paused: false,
                closed: false,
            }),
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
            let mut state = self.state();
            if state.closed {
                return Err(ServiceError::stopped());
            }
            if state.queue.len() >= QUEUE_MAX {
                return Err(ServiceError::busy(format!(
                    "{QUEUE_MAX} calls wait for this plugin's database"
                )));
            }
            state.queue.push_back(job);
            match state.place() {
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
        let connection = self.state().idle.pop()?;
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

    /// Drops what waits, and the connections as they come back.
    pub(super) fn close(&self) {
        let (idle, queue) = {
            let mut state = self.state();
            state.closed = true;
            (
                std::mem::take(&mut state.idle),
                std::mem::take(&mut state.queue),
            )
        };
        drop(queue);
        for connection in idle {
            self.end(connection);
        }
    }

    /// Lets nothing begin, waits until `until` for what has begun, and closes the
    /// connections. Calls wait until the pause is over, or as long as they may.
    /// Blocks.
    pub(super) fn pause(self: &Arc<Self>, until: Instant) -> Result<Paused, ServiceError> {
        let begun = Instant::now();
        let mut state = self.state();
        if state.paused {
            return Err(ServiceError::busy("somebody else has stopped the database"));
        }
        state.paused = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        let paused = Paused { lane: self.clone() };
        for connection in idle {
            self.end(connection);
        }
        let mut state = self.state();
        while state.unopened < state.connections {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                let waited = begun.elapsed().as_millis();
                return Err(ServiceError::busy(format!(
                    "the database was busy for {waited} ms; a transaction or a long statement holds it"
                )));
            }
            let waited = self.closed_one.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        Ok(paused)
    }

    fn resume(self: &Arc<Self>) {
        let mut state = self.state();
        state.paused = false;
        let places: Vec<_> = (0..state.queue.len())
            .map_while(|_| state.place())
            .collect();
        drop(state);
        for place in places {
            self.serve_elsewhere(place);
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
                let mut state = self.state();
                match state.next_batch() {
                    Some(batch) => batch,
                    None => return self.rest(state, connection),
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
                job(Ok(Lent {
                    connection: Some(connection),
                    lane: self.clone(),
                }));
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
        let state = self.state();
        if state.queue.is_empty() || state.paused || state.closed {
            return self.rest(state, connection);
        }
        drop(state);
        self.serve_elsewhere(Place::Idle(connection));
    }

    /// Lets a connection rest, or closes it if nothing is to begin.
    fn rest(&self, mut state: MutexGuard<'_, State>, connection: Connection) {
        if !state.paused && !state.closed {
            return state.idle.push(connection);
        }
        drop(state);
        self.end(connection);
    }

    /// Closes a connection, which takes a while, and only then counts it as
    /// closed.
    fn end(&self, connection: Connection) {
        drop(connection);
        self.state().unopened += 1;
        self.closed_one.notify_all();
    }

    /// Lets another connection be opened in place of one that is gone.
    fn replace(self: &Arc<Self>) {
        let mut state = self.state();
        state.unopened += 1;
        self.closed_one.notify_all();
        let waits = !state.queue.is_empty();
        let place = if waits { state.place() } else { None };
        drop(state);
        if let Some(place) = place {
            self.serve_elsewhere(place);
        }
    }

    /// Tells all that wait why there is no connection.
    fn refuse_all(&self, error: &ServiceError) {
        let queue = {
            let mut state = self.state();
            state.unopened += 1;
            self.closed_one.notify_all();
            std::mem::take(&mut state.queue)
        };
        for job in queue {
            match job {
                Job::Alone(job) => job(Err(error.clone())),
                Job::Lend(job) => job(Err(error.clone())),
                Job::Write(write) => write.refuse(error.clone()),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that may wait in one lane.
const QUEUE_MAX: usize = 10_000;

/// Statements that share a commit at most.
const GROUP_MAX: usize = 128;

/// A connection that nobody uses, or leave to open one.
enum Place {
    Idle(Connection),
    Unopened,
}

/// How long a thread goes on serving.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serve {
    /// One batch, in which its own call is.
    Once,
    /// Until nothing is queued.
    All,
}

/// What a connection runs at a time.
enum Batch {
    Alone(Run),
    Writes(Vec<Write>),
    Lend(Take),
}

impl State {
    /// A place for whoever would serve, if there is one.
    fn place(&mut self) -> Option<Place> {
        if self.paused {
            return None;
        }
        if let Some(connection) = self.idle.pop() {
            return Some(Place::Idle(connection));
        }
        self.unopened = self.unopened.checked_sub(1)?;
        Some(Place::Unopened)
    }

    /// The next job, with the writes behind it if it is one.
    fn next_batch(&mut self) -> Option<Batch> {
        if self.paused {
            return None;
        }
        let mut writes = match self.queue.pop_front()? {
            Job::Alone(job) => return Some(Batch::Alone(job)),
            Job::Lend(job) => return Some(Batch::Lend(job)),
            Job::Write(write) => vec![*write],
        };
        while writes.len() < GROUP_MAX
            && let Some(Job::Write(_)) = self.queue.front()
            && let Some(Job::Write(write)) = self.queue.pop_front()
        {
            writes.push(*write);
        }
        Some(Batch::Writes(writes))
    }
}

/// A lane in which nothing begins and that has no connection; it goes on when
/// this is dropped.
#[derive(Debug)]
pub(super) struct Paused {
    lane: Arc<Lane>,
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.lane.resume();
    }
}

/// A connection taken away from its lane; goes back when dropped, with no
/// transaction open. Dropped on a thread that may block.
pub(super) struct Lent {
    connection: Option<Connection>,
    lane: Arc<Lane>,
}

impl Lent {
    pub(super) fn connection(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken out by drop alone"),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.lane.settle(&connection);
            self.lane.give_back(connection);
        }
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
