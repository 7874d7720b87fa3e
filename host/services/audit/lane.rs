//! Records that wait for the disk, and share a commit and a signature.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use exthost_abi::Status;
use tokio::sync::oneshot;

use crate::services::audit::Pending;
use crate::services::audit::error::AuditError;
use crate::services::audit::store::{FILE, Store};
use crate::services::error::ServiceError;

/// The one place where records are appended.
///
/// There is no thread of its own: whoever brings a record while nobody serves does
/// so, and takes along what has come meanwhile.
#[derive(Debug)]
pub(super) struct Lane {
    data: PathBuf,
    state: Mutex<State>,
    /// Nothing while there is no file. Held by the one who serves.
    store: Mutex<Option<Store>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// How many of those are of each plugin, and of the host under no name.
    shares: HashMap<String, usize>,
    served: bool,
    closed: bool,
    records: u64,
    failed: u64,
    /// The code of the failure that the log tells of: once, not at each call.
    told: Option<String>,
}

/// Records that are appended all or none, and who is told.
#[derive(Debug)]
struct Job {
    /// Whose they are.
    plugin: String,
    records: Vec<Pending>,
    reply: Reply,
}

type Reply = oneshot::Sender<Answer>;

type Answer = Result<(), ServiceError>;

/// What is measured of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditStatus {
    /// Records in the chain.
    pub(crate) records: u64,
    /// Calls that wait for the disk.
    pub(crate) waiting: u64,
    /// Calls that failed since the host began.
    pub(crate) failed: u64,
}

/// Calls of plugins that may wait.
const QUEUE_MAX: usize = 1024;

/// Calls of any one plugin that may wait: one that calls more often than the disk can
/// write does not keep off the record what others do.
const SHARE_MAX: usize = QUEUE_MAX / 4;

/// Calls of the host itself that may wait beyond those of plugins: nor do several such
/// plugins keep off the record what operators do.
const HOST_MAX: usize = 256;

/// Calls that share a commit at most.
const GROUP_MAX: usize = 256;

impl Lane {
    /// Opens the chain in `data`, if there is one. Blocks on the disk.
    pub(super) fn open(data: &Path) -> Result<Self, AuditError> {
        let store = match data.join(FILE).exists() {
            true => Some(Store::open(data)?),
            false => None,
        };
        let state = State {
            records: store.as_ref().map_or(0, Store::seq),
            ..State::default()
        };
        Ok(Lane {
            data: data.to_owned(),
            state: Mutex::new(state),
            store: Mutex::new(store),
        })
    }

    /// Begins the chain, if there is none. Blocks on the disk.
    pub(super) fn begin(&self) -> Result<(), AuditError> {
        let mut store = self.store();
        if store.is_none() {
            *store = Some(Store::open(&self.data)?);
        }
        Ok(())
    }

    /// Queues records, of which `reply` will tell. Returns whether somebody is to
    /// [serve](Self::serve) them.
    pub(super) fn queue(&self, records: Vec<Pending>, reply: Reply) -> Result<bool, ServiceError> {
        let mut state = self.state();
        if state.closed {
            return Err(ServiceError::stopped());
        }
        let plugin = records.first().map(|record| record.plugin.clone());
        let plugin = plugin.unwrap_or_default();
        if let Some(busy) = state.no_room_for(&plugin) {
            state.failed += 1;
            return Err(busy);
        }
        *state.shares.entry(plugin.clone()).or_default() += 1;
        let job = Job {
            plugin,
            records,
            reply,
        };
        state.waiting.push_back(job);
        Ok(!std::mem::replace(&mut state.served, true))
    }

    /// Appends what waits, until nothing does. Blocks on the disk.
    pub(super) fn serve(&self) {
        while self.serve_once() {}
    }

    /// Appends what shares one commit. Returns whether somebody is to go on. Blocks on
    /// the disk.
    pub(super) fn serve_once(&self) -> bool {
        let mut store = self.store();
        let Some(jobs) = self.next_jobs() else {
            return false;
        };
        let (records, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.records, job.reply)).unzip();
        let records = records.into_iter().flatten().collect();
        let append = || self.append(&mut store, records);
        let appended = catch_unwind(AssertUnwindSafe(append));
        let appended = appended.unwrap_or_else(|_| {
            // The panic is in the log; what it left is not used again.
            *store = None;
            Err(ServiceError::status(Status::INTERNAL))
        });
        self.count(store.as_ref(), &appended, replies.len());
        for reply in replies {
            // Whoever waited may have left.
            let _ = reply.send(appended.clone());
        }
        true
    }

    /// What is measured of it.
    pub(super) fn status(&self) -> AuditStatus {
        let state = self.state();
        AuditStatus {
            records: state.records,
            waiting: state.waiting.len() as u64,
            failed: state.failed,
        }
    }

    /// Appends what waits, and nothing more. Blocks on the disk.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.serve();
        let mut store = self.store();
        leave_if_taken_away(&mut store);
        *store = None;
    }

    fn append(&self, store: &mut Option<Store>, records: Vec<Pending>) -> Result<(), ServiceError> {
        if leave_if_taken_away(store) {
            tracing::warn!("audit.db was taken away; a new chain begins");
        }
        let store = match store {
            Some(store) => store,
            None => store.insert(Store::open(&self.data).map_err(|error| self.refused(error))?),
        };
        store.append(records)
    }

    fn next_jobs(&self) -> Option<Vec<Job>> {
        let mut state = self.state();
        let count = state.waiting.len().min(GROUP_MAX);
        state.served = count > 0;
        (count > 0).then(|| state.next(count))
    }

    fn count(&self, store: Option<&Store>, appended: &Result<(), ServiceError>, calls: usize) {
        let mut state = self.state();
        state.records = store.map_or(state.records, Store::seq);
        match appended {
            Ok(()) if state.told.take().is_some() => tracing::info!("the audit goes on"),
            Ok(()) => {}
            Err(error) => {
                state.failed += calls as u64;
                state.tell(&error.code, error);
            }
        }
    }

    /// What a plugin sees of it, which names no path.
    fn refused(&self, error: AuditError) -> ServiceError {
        let code = error.code();
        self.state().tell(code, &error);
        ServiceError::new(
            Status::INTERNAL,
            code,
            "nothing can be recorded; the host's log has the reason",
        )
    }

    fn store(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the file have no more than these pages, as a full disk does.
    #[cfg(test)]
    pub(super) fn set_pages_max(&self, pages: u32) {
        self.store().as_ref().unwrap().set_pages_max(pages);
    }
}

/// Lets go of a chain whose file is no longer in its place. Returns whether it was.
fn leave_if_taken_away(store: &mut Option<Store>) -> bool {
    let Some(left) = store.take_if(|store| store.was_taken_away()) else {
        return false;
    };
    if let Err(error) = left.leave() {
        tracing::error!(%error, "the newest records may be missing in the audit.db that was moved");
    }
    true
}

impl State {
    /// Why a call of `plugin` may not wait, if so.
    fn no_room_for(&self, plugin: &str) -> Option<ServiceError> {
        let busy = |message| ServiceError::new(Status::BUSY, "busy", message);
        let is_of_host = plugin.is_empty();
        let share = self.shares.get(plugin).copied().unwrap_or_default();
        if !is_of_host && share >= SHARE_MAX {
            return Some(busy(format!(
                "{share} calls of {plugin} wait for the disk, which is its share; try again"
            )));
        }
        let most = match is_of_host {
            true => QUEUE_MAX + HOST_MAX,
            false => QUEUE_MAX,
        };
        let waiting = self.waiting.len();
        (waiting >= most).then(|| busy(format!("{waiting} calls wait for the disk; try again")))
    }

    /// Takes the first `count` of those that wait.
    fn next(&mut self, count: usize) -> Vec<Job> {
        let jobs: Vec<Job> = self.waiting.drain(..count).collect();
        for job in &jobs {
            if let Some(share) = self.shares.get_mut(&job.plugin) {
                *share -= 1;
            }
        }
        self.shares.retain(|_, share| *share > 0);
        jobs
    }

    fn tell(&mut self, code: &str, error: &dyn std::fmt::Display) {
        if self.told.as_deref() != Some(code) {
            tracing::error!(code, "nothing can be recorded: {error}");
            self.told = Some(code.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::actor::Actor;
    use crate::services::audit::AuditEntry;

    fn of(plugin: &str) -> Vec<Pending> {
        let entry = AuditEntry::new("item.created", "", "", Vec::new()).unwrap();
        vec![Pending::new(0, plugin, "1", &Actor::default(), "", entry)]
    }

    fn queue(lane: &Lane, plugin: &str) -> Result<oneshot::Receiver<Answer>, ServiceError> {
        let (reply, answer) = oneshot::channel();
        lane.queue(of(plugin), reply).map(|_| answer)
    }

    #[test]
    fn plugins_that_flood_leave_room_for_others_and_for_the_host() {
        let data = tempfile::tempdir().unwrap();
        let lane = Lane::open(data.path()).unwrap();
        // Nobody serves, so that all wait.
        let mut answers: Vec<_> = (0..SHARE_MAX)
            .map(|_| queue(&lane, "notes").unwrap())
            .collect();
        let refused = queue(&lane, "notes").unwrap_err();
        assert_eq!(refused.status, Status::BUSY);
        assert!(refused.message.contains("256 calls of notes"), "{refused}");
        assert_eq!(lane.status().failed, 1);
        answers.push(queue(&lane, "links").unwrap());
        answers.push(queue(&lane, "").unwrap());

        // Several together fill what there is for plugins, and no more.
        let mut plugins = (0..).map(|number| format!("plugin-{number}"));
        while lane.status().waiting < QUEUE_MAX as u64 {
            let plugin = plugins.next().unwrap();
            while let Ok(answer) = queue(&lane, &plugin) {
                answers.push(answer);
            }
        }
        assert_eq!(queue(&lane, "links").unwrap_err().status, Status::BUSY);
        for _ in 0..HOST_MAX {
            answers.push(queue(&lane, "").unwrap());
        }
        assert_eq!(queue(&lane, "").unwrap_err().status, Status::BUSY);

        // Once they are on the disk, there is room for as many again.
        lane.serve();
        answers.push(queue(&lane, "notes").unwrap());
        lane.close();
        for answer in &mut answers {
            assert_eq!(answer.try_recv(), Ok(Ok(())));
        }
        assert_eq!(lane.status().records, answers.len() as u64);
    }
}
