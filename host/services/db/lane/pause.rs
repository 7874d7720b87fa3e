//! How a lane comes to rest: for a while, or for good.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::services::db::error::busy_since;
use crate::services::db::lane::Lane;
use crate::services::error::ServiceError;

/// A lane in which nothing begins and that has no connection; it goes on when
/// this is dropped.
#[derive(Debug)]
pub(in crate::services::db) struct Paused {
    lane: Arc<Lane>,
}

impl Lane {
    /// Lets nothing begin, waits until `until` for what has begun, and closes the
    /// connections. Calls wait until the pause is over, or as long as they may.
    /// Blocks.
    pub(in crate::services::db) fn pause(
        self: &Arc<Self>,
        until: Instant,
    ) -> Result<Paused, ServiceError> {
        let begun = Instant::now();
        let mut queue = self.queue();
        if queue.paused {
            return Err(ServiceError::busy("somebody else has stopped the database"));
        }
        queue.paused = true;
        let idle = std::mem::take(&mut queue.idle);
        drop(queue);
        // From here on, so that a failure lets the lane go on.
        let paused = Paused { lane: self.clone() };
        for connection in idle {
            self.end(connection);
        }
        let mut queue = self.queue();
        while queue.unopened < queue.connections {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // What is dropped after it takes the lock again.
                drop(queue);
                return Err(busy_since(begun));
            }
            let waited = self.closed_one.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        Ok(paused)
    }

    fn resume(self: &Arc<Self>) {
        let mut queue = self.queue();
        queue.paused = false;
        let places: Vec<_> = (0..queue.jobs.len()).map_while(|_| queue.place()).collect();
        drop(queue);
        for place in places {
            self.serve_elsewhere(place);
        }
    }

    /// Drops what waits, and the connections as they come back.
    pub(in crate::services::db) fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let jobs = std::mem::take(&mut queue.jobs);
        let idle = std::mem::take(&mut queue.idle);
        drop(queue);
        drop(jobs);
        for connection in idle {
            self.end(connection);
        }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.lane.resume();
    }
}
