//! The plugins whose outbox may hold something, for the relay.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::name::PluginName;

/// The plugins whose outbox may hold something.
#[derive(Debug, Default)]
pub(crate) struct Outboxes {
    filled: Mutex<Vec<PluginName>>,
    told: Notify,
}

impl Outboxes {
    /// Says that a plugin's outbox may hold something.
    pub(crate) fn fill(&self, name: PluginName) {
        let mut filled = self.lock();
        if !filled.contains(&name) {
            filled.push(name);
        }
        drop(filled);
        self.told.notify_one();
    }

    /// Waits until some outbox holds something, and says which do.
    pub(crate) async fn filled(&self) -> Vec<PluginName> {
        loop {
            let filled = std::mem::take(&mut *self.lock());
            if !filled.is_empty() {
                return filled;
            }
            self.told.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PluginName>> {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
