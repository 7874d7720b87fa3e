//! What follows a batch of the writer: messages are told of, and the log is kept
//! short.

use std::sync::{Arc, Weak};

use tokio::runtime::Handle;

use crate::name::PluginName;
use crate::services::db::checkpoint::Checkpointer;
use crate::services::db::connection::Connection;
use crate::services::db::lane::{By, Job, Lane};
use crate::services::db::outboxes::Outboxes;
use crate::services::error::ServiceError;

/// What follows a batch of the writer.
pub(super) struct After {
    pub(super) name: PluginName,
    pub(super) runtime: Handle,
    pub(super) outboxes: Arc<Outboxes>,
    pub(super) checkpointer: Arc<Checkpointer>,
    pub(super) writer: Weak<Lane>,
}

impl After {
    /// Sees to what a batch has left.
    pub(super) fn batch(&self, connection: &Connection) {
        if connection.took_message() {
            self.outboxes.fill(self.name.clone());
        }
        let pages = connection.wal_pages();
        if connection.met_full() {
            self.checkpointer.hurry();
        }
        if self.checkpointer.claim(pages) {
            self.checkpoint(pages);
        }
    }

    /// Moves most of the log beside the writer, then what was added meanwhile
    /// with the writer at rest, so that the log begins anew.
    fn checkpoint(&self, pages: u32) {
        let (checkpointer, writer) = (self.checkpointer.clone(), self.writer.clone());
        let (name, is_urgent) = (self.name.clone(), checkpointer.is_urgent());
        self.runtime.spawn_blocking(move || {
            // A full disk has been told of, and it is tried after each write.
            let failed = move |error: &ServiceError| match is_urgent {
                true => tracing::debug!(plugin = %name, %error, "the log fills the disk"),
                false => {
                    tracing::warn!(plugin = %name, %error, "the log of the database could not be checkpointed");
                }
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
                match &moved {
                    Ok(_) => rest.moved(),
                    Err(error) => failed(error),
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
