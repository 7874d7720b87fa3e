//! Dead letters are delivered again.

use rusqlite::params;

use super::Store;
use crate::services::error::ServiceError;

/// Which dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Those of one message.
    Message(String),
    /// Those of one endpoint.
    Endpoint(String),
}

impl Store {
    /// Queues dead letters for those of `endpoints` once more, under their own
    /// id and from the beginning of the schedule. Returns how many.
    pub(crate) fn replay(
        &self,
        which: &Replay,
        endpoints: &[&str],
        now_ms: i64,
    ) -> Result<usize, ServiceError> {
        self.write(|transaction| {
            let mut count = 0;
            for endpoint in endpoints {
                count += match which {
                    Replay::Message(id) => transaction.execute(
                        "UPDATE deliveries
                         SET state = 0, tries = 0, due_ms = ?, finished_ms = NULL, reason = NULL
                         WHERE state = 3 AND endpoint = ?
                           AND message = (SELECT seq FROM messages WHERE id = ?)",
                        params![now_ms, endpoint, id],
                    )?,
                    Replay::Endpoint(name) if name == endpoint => transaction.execute(
                        "UPDATE deliveries
                         SET state = 0, tries = 0, due_ms = ?, finished_ms = NULL, reason = NULL
                         WHERE state = 3 AND endpoint = ?",
                        params![now_ms, endpoint],
                    )?,
                    Replay::Endpoint(_) => 0,
                };
            }
            Ok(count)
        })
    }
}
