//! One plugin's database: its file, its writer, its readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::config::DbLimits;
use crate::name::PluginName;
use crate::services::db::checkpoint::Checkpointer;
use crate::services::db::connection::Connection;
use crate::services::db::lane::{By, Job, Lane};
use crate::services::db::opening::Opening;
use crate::services::db::outbox;
use crate::services::db::pace::Paces;
use crate::services::db::scope::Scope;
use crate::services::db::status::{Counters, DatabaseStatus};
use crate::services::db::ticket::ticket;
use crate::services::db::transaction::Holder;
use crate::services::error::ServiceError;
use crate::services::webhooks::OutboxMessage;

/// All databases of a host, one file a plugin.
#[derive(Debug)]
pub(crate) struct Databases {
    data: PathBuf,
    settings: Mutex<DatabasesSettings>,
    runtime: Handle,
    open: Mutex<BTreeMap<PluginName, Arc<Database>>>,
    outboxes: Arc<Outboxes>,
}

/// What each plugin's database is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatabasesSettings {
    /// Of plugins that have settings of their own.
    pub(crate) of_plugin: BTreeMap<String, DbSettings>,
    /// Of all others.
    pub(crate) others: DbSettings,
}

/// What one plugin's database is to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DbSettings {
    /// The application's database.
    pub(crate) host: Option<PathBuf>,
    /// The tables of it that the plugin may read.
    pub(crate) tables: Vec<String>,
    /// What it may use.
    pub(crate) limits: DbLimits,
}

/// The plugins whose outbox may hold something.
#[derive(Debug, Default)]
pub(crate) struct Outboxes {
    filled: Mutex<Vec<PluginName>>,
    told: Notify,
}

/// The database of one plugin, which its generations share.
#[derive(Debug)]
pub(crate) struct Database {
    pub(super) name: PluginName,
    pub(super) writer: Arc<Lane>,
    pub(super) readers: Arc<Lane>,
    pub(super) settings: DbSettings,
    pub(super) backups: PathBuf,
    holder: Mutex<Option<Holder>>,
    opening: Arc<Opening>,
    checkpointer: Arc<Checkpointer>,
    pub(super) paces: Paces,
}

impl Databases {
    /// The databases below the data directory, which has a folder a plugin;
    /// nothing is opened yet.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(data: PathBuf, settings: DatabasesSettings) -> Self {
        Databases {
            data,
            settings: Mutex::new(settings),
            runtime: Handle::current(),
            open: Mutex::default(),
            outboxes: Arc::default(),
        }
    }

    /// Makes databases as `settings` say from here on. One that is used goes on
    /// as it is until it is [released](Self::release).
    pub(crate) fn set(&self, settings: DatabasesSettings) {
        *self.settings() = settings;
    }

    /// The database of a plugin, as the settings say. Its file is opened by the
    /// first call that needs it.
    pub(crate) fn of(&self, name: &PluginName) -> Arc<Database> {
        let settings = self.settings().of(name).clone();
        let mut open = self.open();
        match open.get(name) {
            Some(database) if database.settings == settings => database.clone(),
            before => {
                let counters = before.map(|before| before.opening.counters.clone());
                let counters = counters.unwrap_or_default();
                let database = Arc::new(self.database(name, settings, counters));
                open.insert(name.clone(), database.clone());
                database
            }
        }
    }

    /// Closes a database that a retired generation used, if other settings hold
    /// by now. Blocks.
    pub(crate) fn release(&self, database: &Arc<Database>) {
        let is_current = {
            let open = self.open();
            let current = open.get(&database.name);
            current.is_none_or(|current| Arc::ptr_eq(current, database))
        };
        if !is_current {
            database.close();
        }
    }

    /// The plugins whose file holds messages, whether they are installed or not.
    /// Blocks.
    pub(crate) fn with_messages(&self) -> Vec<PluginName> {
        let folders = std::fs::read_dir(&self.data).into_iter().flatten();
        folders
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = PluginName::parse(entry.file_name().to_str()?).ok()?;
                outbox::holds_messages(&file_of(&entry.path())).then_some(name)
            })
            .collect()
    }

    /// What operators see of each. Asks the disk.
    pub(crate) fn status(&self) -> Vec<DatabaseStatus> {
        let open: Vec<_> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        let status = |database: &Arc<Database>| {
            let Opening { counters, file, .. } = &*database.opening;
            counters.status(&database.name, file)
        };
        open.iter().map(status).collect()
    }

    /// The plugins whose outbox may hold something.
    pub(crate) fn outboxes(&self) -> &Arc<Outboxes> {
        &self.outboxes
    }

    /// Closes all files; calls that wait or come later fail.
    pub(crate) fn close(&self) {
        let open = std::mem::take(&mut *self.open());
        for database in open.values() {
            database.close();
        }
    }

    fn settings(&self) -> MutexGuard<'_, DatabasesSettings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<PluginName, Arc<Database>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(
        &self,
        name: &PluginName,
        settings: DbSettings,
        counters: Arc<Counters>,
    ) -> Database {
        let tables = settings.tables.clone();
        let folder = self.data.join(name.as_ref());
        let opening = Arc::new(Opening {
            file: file_of(&folder),
            host: settings.host.clone().filter(|_| !tables.is_empty()),
            scope: Arc::new(Scope::new(name.as_ref(), tables)),
            limits: settings.limits,
            counters,
            alone: Mutex::new(()),
        });
        let checkpointer = Arc::new(Checkpointer::new(opening.file.clone()));
        let for_readers = opening.clone();
        let for_writer = opening.clone();
        // What runs after a batch needs the lane that it runs in.
        let writer = Arc::new_cyclic(|writer: &std::sync::Weak<Lane>| {
            let after = After {
                name: name.clone(),
                runtime: self.runtime.clone(),
                outboxes: self.outboxes.clone(),
                checkpointer: checkpointer.clone(),
                writer: writer.clone(),
            };
            Lane::new(
                self.runtime.clone(),
                1,
                move || for_writer.writer(),
                move |connection| after.batch(connection),
            )
        });
        let readers = Lane::new(
            self.runtime.clone(),
            settings.limits.readers,
            move || for_readers.reader(),
            |_| {},
        );
        Database {
            name: name.clone(),
            writer,
            readers: Arc::new(readers),
            settings,
            backups: folder.join("db").join("backups"),
            holder: Mutex::default(),
            opening,
            checkpointer,
            paces: Paces::new(),
        }
    }
}

impl DatabasesSettings {
    fn of(&self, name: &PluginName) -> &DbSettings {
        self.of_plugin.get(name.as_str()).unwrap_or(&self.others)
    }
}

fn file_of(folder: &Path) -> PathBuf {
    folder.join("db").join("data.db")
}

impl Database {
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

    /// The oldest messages of the outbox, `max` at most and some MiB.
    pub(crate) async fn oldest_messages(
        &self,
        max: usize,
    ) -> Result<Vec<OutboxMessage>, ServiceError> {
        let name = self.name.clone();
        let read = move |connection: &Connection| {
            connection.own(|raw| outbox::oldest(raw, name.as_ref(), max))
        };
        let turn = Instant::now() + self.settings.limits.statement_deadline;
        self.alone(&self.readers, By::Runtime, turn, read).await
    }

    /// Removes messages from the outbox that were moved on.
    pub(crate) async fn remove_messages(&self, ids: Vec<String>) -> Result<(), ServiceError> {
        let remove = move |connection: &Connection| connection.own(|raw| outbox::remove(raw, &ids));
        let turn = Instant::now() + self.settings.limits.transaction_deadline * 2;
        self.alone(&self.writer, By::Runtime, turn, remove).await
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

    fn close(&self) {
        self.readers.close();
        self.checkpointer.close();
        self.writer.close();
    }
}

/// What follows a batch of the writer.
struct After {
    name: PluginName,
    runtime: Handle,
    outboxes: Arc<Outboxes>,
    checkpointer: Arc<Checkpointer>,
    writer: std::sync::Weak<Lane>,
}

impl After {
    fn batch(&self, connection: &Connection) {
        if connection.took_message() {
            self.outboxes.fill(self.name.clone());
        }
        let pages = connection.wal_pages();
        if self.checkpointer.claim(pages) {
            self.checkpoint(pages);
        }
    }

    /// Moves most of the log beside the writer, then what was added meanwhile
    /// with the writer at rest, so that the log begins anew.
    fn checkpoint(&self, pages: u32) {
        let (checkpointer, writer) = (self.checkpointer.clone(), self.writer.clone());
        let name = self.name.clone();
        self.runtime.spawn_blocking(move || {
            let failed = move |error: &ServiceError| {
                tracing::warn!(plugin = %name, %error, "the log of the database could not be checkpointed");
            };
            for _ in 0..PASSES {
                if let Err(error) = checkpointer.run() {
                    failed(&error);
                    return checkpointer.release(pages);
                }
            }
            let Some(writer) = writer.upgrade() else {
                return;
            };
            let rest = checkpointer.clone();
            let job = Job::Alone(Box::new(move |connection| {
                let moved = connection.and_then(Connection::checkpoint);
                if let Err(error) = &moved {
                    failed(error);
                }
                rest.release(moved.unwrap_or(pages));
            }));
            // The lane is closed, or its queue is full.
            if writer.submit(job, By::This).is_err() {
                checkpointer.release(pages);
            }
        });
    }
}

/// Passes beside the writer: the second has little to move, so that next to
/// nothing is left for the one that the writer waits for.
const PASSES: usize = 2;

impl Outboxes {
    /// Says that a plugin's outbox may hold something.
    pub(crate) fn fill(&self, name: PluginName) {
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        if !filled.contains(&name) {
            filled.push(name);
        }
        drop(filled);
        self.told.notify_one();
    }

    /// Waits until some outbox holds something, and says which do.
    pub(crate) async fn filled(&self) -> Vec<PluginName> {
        loop {
            {
                let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
                if !filled.is_empty() {
                    return std::mem::take(&mut *filled);
                }
            }
            self.told.notified().await;
        }
    }
}
