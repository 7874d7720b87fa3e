//! Who did what to what, in a record that can only grow.
//!
//! All records of a host are one chain in `audit.db`: each holds the hash of the one
//! before, and the newest is signed with the key in `audit.key`, so that a record
//! that was removed, edited or cut off shows. A record that is part of a plugin's
//! transaction is first in the plugin's own file, and the relay moves it here.

mod entry;
mod error;
mod hash;
mod identity;
mod key;
mod lane;
pub(crate) mod of_data;
mod query;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exthost_abi::Status;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::services::PluginServices;
use crate::services::actor::{Actor, ActorKind};
use crate::services::db::By;
use crate::services::error::ServiceError;
use lane::Lane;

pub(crate) use entry::AuditEntry;
pub use error::AuditError;
pub use hash::{Hash, HexError};
pub use key::PublicKey;
pub(crate) use lane::AuditStatus;
pub use query::{AuditQuery, Listed, list};
pub(crate) use record::Pending;
pub use record::Record;
pub use verify::{Fault, Noted, Verified, verify};

/// How long a call waits until its record is on the disk.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long a list may look for records.
const LIST_TIME: Duration = Duration::from_secs(5);

/// The audit of a host.
#[derive(Debug)]
pub(crate) struct Audit {
    file: PathBuf,
    clock: Clock,
    runtime: Handle,
    lane: Arc<Lane>,
}

/// Returns where a host with its data in `data` keeps its records.
pub fn file_in(data: &Path) -> PathBuf {
    data.join(store::FILE)
}

impl Audit {
    /// The audit in `data`, which begins with the first record. One that is there is
    /// looked at. Blocks on the disk.
    ///
    /// # Errors
    /// [`AuditError`], also when its end is not as it was signed.
    pub(crate) fn open(data: &Path, clock: Clock, runtime: &Handle) -> Result<Self, AuditError> {
        Ok(Audit {
            file: file_in(data),
            clock,
            runtime: runtime.clone(),
            lane: Arc::new(Lane::open(data)?),
        })
    }

    /// Opens what the first record would, or begins it, so that what cannot be recorded
    /// is known beforehand. Blocks on the disk.
    ///
    /// # Errors
    /// [`AuditError`].
    pub(crate) fn begin(&self) -> Result<(), AuditError> {
        self.lane.begin()
    }

    /// Appends a record, and returns once it is on the disk.
    pub(crate) async fn record(&self, record: Pending, by: By) -> Result<(), ServiceError> {
        let (reply, answer) = oneshot::channel();
        let mut is_to_serve = self.lane.queue(vec![record], reply)?;
        if is_to_serve && by == By::This {
            is_to_serve = self.lane.serve_once();
        }
        if is_to_serve {
            let lane = self.lane.clone();
            self.runtime.spawn_blocking(move || lane.serve());
        }
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(answered) => answered.unwrap_or_else(|_| Err(ServiceError::stopped())),
            Err(_) => Err(ServiceError::new(
                Status::TIMEOUT,
                "audit-deadline",
                format!(
                    "the disk did not take the record within {} ms; it may still do so",
                    DEADLINE.as_millis()
                ),
            )),
        }
    }

    /// Appends records that the relay brings; those that it has already are passed
    /// over. Blocks on the disk.
    pub(crate) fn accept(&self, records: Vec<Pending>) -> Result<(), ServiceError> {
        let (reply, answer) = oneshot::channel();
        if self.lane.queue(records, reply)? {
            self.lane.serve();
        }
        let answered = answer.blocking_recv();
        answered.unwrap_or_else(|_| Err(ServiceError::stopped()))
    }

    /// Records what an operator did with the host itself, in the course of the
    /// request `request_id`. The deed is done; where it cannot be recorded, the log
    /// says so.
    pub(crate) async fn operator(
        &self,
        actor: &Actor,
        request_id: &str,
        action: &str,
        (target_kind, target_id): (&str, &str),
        detail: Value,
    ) {
        let detail = detail.to_string().into_bytes();
        let recorded = match AuditEntry::new(action, target_kind, target_id, detail) {
            Ok(entry) => {
                let (time_ms, version) = (self.clock.now_ms(), env!("CARGO_PKG_VERSION"));
                let record = Pending::new(time_ms, "", version, actor, request_id, entry);
                self.record(record, By::Runtime).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::error!(%actor, action, target_id, %error, "not recorded in the audit");
        }
    }

    /// The newest records that match, oldest first. Blocks on the disk.
    pub(crate) fn list(&self, query: &AuditQuery) -> Result<Listed, AuditError> {
        match self.file.exists() {
            true => list(&self.file, query, LIST_TIME),
            false => Ok(Listed::default()),
        }
    }

    /// What is measured of it.
    pub(crate) fn status(&self) -> AuditStatus {
        self.lane.status()
    }

    /// Appends what waits, and nothing more. Blocks on the disk.
    pub(crate) fn close(&self) {
        self.lane.close();
    }
}

impl PluginServices {
    /// Records what a call did whose cause is `cause`: by itself, durable when this
    /// returns, or with the transaction `tx`.
    pub(crate) async fn audit(
        &self,
        cause: u64,
        tx: u64,
        entry: AuditEntry,
        by: By,
    ) -> Result<(), ServiceError> {
        let record = self.pending(cause, entry);
        match tx {
            0 => self.audit.record(record, by).await,
            tx => self.db.queue(cause, tx, record, by).await,
        }
    }

    /// The record of `entry`, with what the host knows of the call.
    fn pending(&self, cause: u64, entry: AuditEntry) -> Pending {
        let context = &self.context;
        let origin = self.causes.origin(context, cause);
        let actor = match &origin.exchange {
            Some(exchange) => Actor::clone(&exchange.actor),
            // Nobody has asked: it acts by itself.
            None => Actor {
                kind: ActorKind::Plugin,
                id: context.name.to_string(),
                ..Actor::default()
            },
        };
        let request_id = origin.request_id().unwrap_or_default();
        let time_ms = context.clock.now_ms();
        let (plugin, version) = (context.name.as_str(), &*context.version);
        Pending::new(time_ms, plugin, version, &actor, request_id, entry)
    }
}
