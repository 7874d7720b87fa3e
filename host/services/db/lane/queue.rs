//! What waits in a lane, and the connections that it waits for.

use std::collections::VecDeque;

use crate::services::db::connection::Connection;
use crate::services::db::group::Write;
use crate::services::db::lane::Lent;
use crate::services::error::ServiceError;

/// The jobs of a lane, in the order in which they came, and its connections.
pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    pub(super) idle: Vec<Connection>,
    /// Connections there may be.
    pub(super) connections: usize,
    /// Those that may still be opened.
    pub(super) unopened: usize,
    /// Nothing is begun while somebody has paused it.
    pub(super) paused: bool,
    pub(super) closed: bool,
}

/// Work for a connection. Whatever becomes of it, it is called once; with an
/// error when no connection could be opened.
pub(in crate::services::db) enum Job {
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

/// What a connection runs at a time.
pub(super) enum Batch {
    Alone(Run),
    Writes(Vec<Write>),
    Lend(Take),
}

/// A connection that nobody uses, or leave to open one.
pub(super) enum Place {
    Idle(Connection),
    Unopened,
}

/// Jobs that may wait in one lane.
const JOBS_MAX: usize = 10_000;

/// Statements that share a commit at most.
const GROUP_MAX: usize = 128;

impl Queue {
    /// An empty one, in front of `connections` that are still to be opened.
    pub(super) fn new(connections: usize) -> Self {
        Queue {
            jobs: VecDeque::new(),
            idle: Vec::new(),
            connections,
            unopened: connections,
            paused: false,
            closed: false,
        }
    }

    /// Puts a job behind all others.
    pub(super) fn push(&mut self, job: Job) -> Result<(), ServiceError> {
        if self.closed {
            return Err(ServiceError::stopped());
        }
        if self.jobs.len() >= JOBS_MAX {
            return Err(ServiceError::busy(format!(
                "{JOBS_MAX} calls wait for this plugin's database already; try again later"
            )));
        }
        self.jobs.push_back(job);
        Ok(())
    }

    /// A place for whoever would serve, if there is one.
    pub(super) fn place(&mut self) -> Option<Place> {
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
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        if self.paused {
            return None;
        }
        let mut writes = match self.jobs.pop_front()? {
            Job::Alone(job) => return Some(Batch::Alone(job)),
            Job::Lend(job) => return Some(Batch::Lend(job)),
            Job::Write(write) => vec![*write],
        };
        while writes.len() < GROUP_MAX
            && let Some(Job::Write(_)) = self.jobs.front()
            && let Some(Job::Write(write)) = self.jobs.pop_front()
        {
            writes.push(*write);
        }
        Some(Batch::Writes(writes))
    }
}

impl Job {
    /// Answers without having run.
    pub(super) fn refuse(self, error: ServiceError) {
        match self {
            Job::Alone(job) => job(Err(error)),
            Job::Lend(job) => job(Err(error)),
            Job::Write(write) => write.refuse(error),
        }
    }
}
