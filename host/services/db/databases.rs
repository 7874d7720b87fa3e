//! The databases of all plugins of a host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;

use crate::config::DbLimits;
use crate::name::PluginName;
use crate::services::db::database::Database;
use crate::services::db::folder::Folder;
use crate::services::db::outbox;
use crate::services::db::outboxes::Outboxes;
use crate::services::db::settings::DatabasesSettings;
use crate::services::db::slow::SlowStatement;
use crate::services::db::state::FileState;
use crate::services::db::status::DatabaseStatus;

/// All databases of a host, one file a plugin.
#[derive(Debug)]
pub(crate) struct Databases {
    data: PathBuf,
    settings: Mutex<DatabasesSettings>,
    runtime: Handle,
    open: Mutex<BTreeMap<PluginName, Arc<Database>>>,
    /// Databases that generations still use which were made with other settings.
    former: Mutex<Vec<Weak<Database>>>,
    states: Mutex<BTreeMap<PluginName, Arc<FileState>>>,
    /// Plugins on whose data operators work.
    pub(super) worked_on: Mutex<BTreeSet<PluginName>>,
    outboxes: Arc<Outboxes>,
}

impl Databases {
    /// The databases below the data directory, which has a folder a plugin;
    /// nothing is opened yet.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(data: PathBuf, settings: DatabasesSettings) -> Self {
        settings.limit_memory();
        Databases {
            // Operators are told of places in it, wherever they are.
            data: std::path::absolute(&data).unwrap_or(data),
            settings: Mutex::new(settings),
            runtime: Handle::current(),
            open: Mutex::default(),
            former: Mutex::default(),
            states: Mutex::default(),
            worked_on: Mutex::default(),
            outboxes: Arc::default(),
        }
    }

    /// Makes databases as `settings` say from here on. One that is used goes on
    /// as it is until it is [released](Self::release).
    pub(crate) fn set(&self, settings: DatabasesSettings) {
        settings.limit_memory();
        *self.settings() = settings;
    }

    /// The database of a plugin, as the settings say. Its file is opened by the
    /// first call that needs it.
    pub(crate) fn of(&self, name: &PluginName) -> Arc<Database> {
        let settings = self.settings().of(name).clone();
        let mut open = self.open();
        let before = open.get(name);
        if let Some(same) = before.filter(|before| before.settings == settings) {
            return same.clone();
        }
        if let Some(before) = before {
            let mut former = lock(&self.former);
            former.retain(|former| former.strong_count() > 0);
            former.push(Arc::downgrade(before));
        }
        let database = Arc::new(Database::new(
            self.folder(name),
            settings,
            self.state(name),
            before.map_or_else(Arc::default, |before| before.opening.counters.clone()),
            self.outboxes.clone(),
            &self.runtime,
        ));
        open.insert(name.clone(), database.clone());
        database
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

    /// The plugins whose file holds parcels, whether they are installed or not.
    /// Blocks.
    pub(crate) fn with_parcels(&self) -> Vec<PluginName> {
        let folders = std::fs::read_dir(&self.data).into_iter().flatten();
        folders
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = PluginName::parse(entry.file_name().to_str()?).ok()?;
                let (state, file) = (self.state(&name), self.folder(&name).file());
                let _alone = state.alone();
                // What is damaged SQLite would mend, and say nothing.
                (state.look(&file).is_ok() && outbox::holds_parcels(&file)).then_some(name)
            })
            .collect()
    }

    /// Those that some plugin uses, or has used.
    pub(crate) fn in_use(&self) -> Vec<Arc<Database>> {
        self.open().values().cloned().collect()
    }

    /// What operators see of each. Asks the disk.
    pub(crate) fn status(&self) -> Vec<DatabaseStatus> {
        let open = self.in_use();
        open.iter().map(|database| database.status()).collect()
    }

    /// The folder of a plugin.
    pub(super) fn folder(&self, name: &PluginName) -> Folder {
        Folder::new(self.data.join(name.as_ref()))
    }

    /// Where its tasks run.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The limits of a plugin's database.
    pub(super) fn limits(&self, name: &PluginName) -> DbLimits {
        self.settings().of(name).limits
    }

    /// What is known of a plugin's file.
    pub(super) fn state(&self, name: &PluginName) -> Arc<FileState> {
        let mut states = lock(&self.states);
        let state = states.entry(name.clone());
        state
            .or_insert_with(|| Arc::new(FileState::new(name.clone())))
            .clone()
    }

    /// The databases over a plugin's file that are not among `known`.
    pub(super) fn others(&self, name: &PluginName, known: &[Arc<Database>]) -> Vec<Arc<Database>> {
        let mut all: Vec<_> = lock(&self.former)
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|database| database.name == *name)
            .collect();
        all.extend(self.open().get(name).cloned());
        all.retain(|database| !known.iter().any(|known| Arc::ptr_eq(known, database)));
        all
    }

    /// The statements of a plugin that took long, the slowest first.
    pub(crate) fn slow(&self, name: &PluginName) -> Vec<SlowStatement> {
        let database = self.open().get(name).cloned();
        database.map_or_else(Vec::new, |database| database.opening.counters.slow.list())
    }

    /// How many statements of a plugin took long.
    pub(super) fn slow_count(&self, name: &PluginName) -> u64 {
        let database = self.open().get(name).cloned();
        database.map_or(0, |database| database.opening.counters.slow.count())
    }

    /// The plugins whose outbox may hold something.
    pub(crate) fn outboxes(&self) -> &Arc<Outboxes> {
        &self.outboxes
    }

    /// Closes all files; calls that wait or come later fail.
    pub(crate) fn close(&self) {
        let open = std::mem::take(&mut *self.open());
        let former = std::mem::take(&mut *lock(&self.former));
        let former = former.iter().filter_map(Weak::upgrade);
        for database in open.into_values().chain(former) {
            database.close();
        }
    }

    fn settings(&self) -> MutexGuard<'_, DatabasesSettings> {
        lock(&self.settings)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<PluginName, Arc<Database>>> {
        lock(&self.open)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
