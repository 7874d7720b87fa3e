//! One plugin's database: its file, its writer, its readers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::runtime::Handle;

use crate::name::PluginName;
use crate::services::db::after::After;
use crate::services::db::checkpoint::Checkpointer;
use crate::services::db::connection::Connection;
use crate::services::db::folder::Folder;
use crate::services::db::lane::{By, Job, Lane};
use crate::services::db::opening::Opening;
use crate::services::db::outboxes::Outboxes;
use crate::services::db::pace::Paces;
use crate::services::db::scope::Scope;
use crate::services::db::settings::DbSettings;
use crate::services::db::state::FileState;
use crate::services::db::status::{Counters, DatabaseStatus};
use crate::services::db::ticket::ticket;
use crate::services::db::transaction::Holder;
use crate::services::error::ServiceError;

/// The database of one plugin, which its generations share.
#[derive(Debug)]
pub(crate) struct Database {
    pub(super) name: PluginName,
    pub(super) writer: Arc<Lane>,
    pub(super) readers: Arc<Lane>,
    pub(super) settings: DbSettings,
    pub(super) folder: Folder,
    holder: Mutex<Option<Holder>>,
    pub(super) opening: Arc<Opening>,
    pub(super) checkpointer: Arc<Checkpointer>,
    pub(super) paces: Paces,
}

impl Database {
    /// The database in `folder`, whose file `state` is of. It is opened by the first
    /// call that needs it.
    pub(super) fn new(
        folder: Folder,
        settings: DbSettings,
        state: Arc<FileState>,
        counters: Arc<Counters>,
        outboxes: Arc<Outboxes>,
        runtime: &Handle,
    ) -> Self {
        let name = state.plugin().clone();
        let tables = settings.tables.clone();
        let opening = Arc::new(Opening {
            file: folder.file(),
            host: settings.host.clone().filter(|_| !tables.is_empty()),
            scope: Arc::new(Scope::new(name.as_ref(), tables)),
            limits: settings.limits,
            counters,
            state,
        });
        let checkpointer = Arc::new(Checkpointer::new(opening.file.clone()));
        Database {
            writer: writer(&opening, &checkpointer, outboxes, runtime),
            readers: readers(&opening, runtime),
            name,
            settings,
            folder,
            holder: Mutex::default(),
            opening,
            checkpointer,
            paces: Paces::new(),
        }
    }

    /// Runs `run` on a connection of `lane` that has nothing else to do, and waits
    /// until `turn` for it.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        lane: &Arc<Lane>,
        by: By,
        turn: Instant,
        run: impl FnOnce(&Connection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (ticket, waiting) = ticket();
        let job = move |connection: Result<&Connection, ServiceError>| {
            if ticket.begin() {
                ticket.answer(connection.and_then(run));
            }
        };
        lane.submit(Job::Alone(Box::new(job)), by)?;
        waiting.answer(turn).await
    }

    /// What holds the writer, if a transaction does.
    pub(super) fn holder(&self) -> MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a transaction no longer holds the writer.
    pub(super) fn let_go(&self, holder: Holder) {
        let mut held = self.holder();
        if *held == Some(holder) {
            *held = None;
        }
    }

    /// What operators see of it. Asks the disk.
    pub(crate) fn status(&self) -> DatabaseStatus {
        let Opening {
            counters,
            file,
            state,
            limits,
            ..
        } = &*self.opening;
        counters.status(&self.name, file, state, limits)
    }

    /// Closes the file; calls that wait or come later fail.
    pub(super) fn close(&self) {
        self.readers.close();
        drop(self.checkpointer.pause());
        self.writer.close();
    }
}

fn writer(
    opening: &Arc<Opening>,
    checkpointer: &Arc<Checkpointer>,
    outboxes: Arc<Outboxes>,
    runtime: &Handle,
) -> Arc<Lane> {
    // What runs after a batch needs the lane that it runs in.
    Arc::new_cyclic(|writer: &Weak<Lane>| {
        let (admits, opens) = (opening.clone(), opening.clone());
        let after = After {
            name: opening.state.plugin().clone(),
            runtime: runtime.clone(),
            outboxes,
            checkpointer: checkpointer.clone(),
            writer: writer.clone(),
        };
        Lane::new(
            runtime.clone(),
            1,
            move || admits.state.check(),
            move || opens.writer(),
            move |connection| after.batch(connection),
        )
    })
}

fn readers(opening: &Arc<Opening>, runtime: &Handle) -> Arc<Lane> {
    let (admits, opens) = (opening.clone(), opening.clone());
    Arc::new(Lane::new(
        runtime.clone(),
        opening.limits.readers,
        move || admits.state.check(),
        move || opens.reader(),
        |_| {},
    ))
}
