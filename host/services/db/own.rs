//! What services of the host keep in the plugin's file, beside its own tables.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use exthost_abi::Status;
use rusqlite::Connection as Raw;

use crate::name::PluginName;
use crate::services::db::connection::Connection;
use crate::services::db::database::Database;
use crate::services::db::error::of_statement;
use crate::services::db::group::Work;
use crate::services::db::lane::Lane;
use crate::services::db::{By, Db};
use crate::services::error::ServiceError;

/// Why a service's own statements failed.
#[derive(Debug)]
pub(crate) enum OwnError {
    /// SQLite's reason.
    Sql(rusqlite::Error),
    /// The service's own.
    Refused(ServiceError),
}

impl Db {
    /// Runs statements of a service that only read, all as of one moment: inside the
    /// transaction `tx`, or on a reader, which sees all that was acknowledged.
    pub(crate) async fn own_read<T: Send + 'static>(
        &self,
        tx: u64,
        run: impl FnOnce(&Raw) -> Result<T, OwnError> + Send + 'static,
        by: By,
    ) -> Result<T, ServiceError> {
        if tx != 0 {
            let run = move |connection: &Connection, _| trusted(connection, run);
            return self.within(tx, by, run).await;
        }
        let run = move |connection: &Connection| {
            trusted(connection, |raw| {
                // One moment is one snapshot; nothing was written, so its end is no
                // matter.
                let moment = raw.unchecked_transaction()?;
                run(&moment)
            })
        };
        let database = &self.database;
        database
            .alone(&database.readers, by, self.turn(), run)
            .await
    }

    /// Runs statements of a service, all or none, inside the transaction `tx` or
    /// with a commit that others may share. They may have to run again.
    pub(crate) async fn own_write<T: Send + 'static>(
        &self,
        cause: u64,
        tx: u64,
        run: impl Fn(&Raw) -> Result<T, OwnError> + Send + 'static,
        by: By,
    ) -> Result<T, ServiceError> {
        let run = move |connection: &Connection| connection.savepoint(|| trusted(connection, &run));
        if tx != 0 {
            return self
                .within(tx, by, move |connection, _| run(connection))
                .await;
        }
        self.check_no_own(cause)?;
        let returned = Arc::new(Mutex::new(None));
        let kept = returned.clone();
        let own = move |connection: &Connection| {
            let value = run(connection)?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            Ok(())
        };
        self.write(Work::Own(Box::new(own)), by).await?;
        let value = returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        value.ok_or_else(|| ServiceError::status(Status::INTERNAL))
    }
}

/// What is done beside the calls of the plugin, one statement at a time.
impl Database {
    /// Whose it is.
    pub(crate) fn name(&self) -> &PluginName {
        &self.name
    }

    /// Whether there is anything at all.
    pub(crate) fn has_file(&self) -> bool {
        self.opening.file.is_file()
    }

    /// Runs a statement of a service on a reader.
    pub(crate) async fn own_read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Raw) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.own(&self.readers, run).await
    }

    /// Runs a statement of a service on the writer.
    pub(crate) async fn own_write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Raw) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.own(&self.writer, run).await
    }

    async fn own<T: Send + 'static>(
        &self,
        lane: &Arc<Lane>,
        run: impl FnOnce(&Raw) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let turn = Instant::now() + self.settings.limits.transaction_deadline * 2;
        let run = move |connection: &Connection| connection.own(run);
        self.alone(lane, By::Runtime, turn, run).await
    }
}

fn trusted<T>(
    connection: &Connection,
    run: impl FnOnce(&Raw) -> Result<T, OwnError>,
) -> Result<T, ServiceError> {
    let outcome = match connection.own(|raw| Ok(run(raw)))? {
        Ok(value) => Ok(value),
        Err(OwnError::Refused(error)) => Err(error),
        Err(OwnError::Sql(error)) => Err(of_statement(&error)),
    };
    connection.note(&outcome);
    outcome
}

impl From<rusqlite::Error> for OwnError {
    fn from(error: rusqlite::Error) -> Self {
        OwnError::Sql(error)
    }
}

impl From<ServiceError> for OwnError {
    fn from(error: ServiceError) -> Self {
        OwnError::Refused(error)
    }
}
