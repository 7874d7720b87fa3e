//! What the file knows of endpoints.

use rusqlite::{OptionalExtension, params};

use super::Store;
use crate::services::error::ServiceError;

/// What the file knows of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Failures in a row.
    pub failures: u32,
    /// Why it is disabled.
    pub disabled: Option<String>,
}

impl Store {
    /// Takes the endpoints, each with its fingerprint, for the only ones. What
    /// waits for one that is gone becomes a dead letter; one that has changed
    /// begins anew. Returns what is known of each.
    pub(crate) fn settle(
        &self,
        endpoints: &[(String, String)],
        now_ms: i64,
    ) -> Result<Vec<Known>, ServiceError> {
        self.write(|transaction| {
            // One host has the data directory at a time, so what an earlier one had
            // under way is nobody's now.
            transaction.execute(
                "UPDATE deliveries SET state = 0, lease_until_ms = 0 WHERE state = 1",
                [],
            )?;
            let names: Vec<String> = transaction
                .prepare("SELECT DISTINCT endpoint FROM deliveries WHERE state < 2")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for name in names {
                if endpoints.iter().all(|(known, _)| *known != name) {
                    transaction.execute(
                        "UPDATE deliveries SET state = 3, finished_ms = ?, reason = ?
                         WHERE endpoint = ? AND state < 2",
                        params![now_ms, "the endpoint is no longer configured", name],
                    )?;
                }
            }
            let mut all = Vec::new();
            for (name, fingerprint) in endpoints {
                let known = transaction
                    .query_row(
                        "SELECT failures, disabled FROM endpoints
                         WHERE name = ? AND fingerprint = ?",
                        [name, fingerprint],
                        |row| {
                            Ok(Known {
                                failures: row.get(0)?,
                                disabled: row.get(1)?,
                            })
                        },
                    )
                    .optional()?;
                if known.is_none() {
                    transaction.execute(
                        "INSERT OR REPLACE INTO endpoints (name, fingerprint) VALUES (?, ?)",
                        [name, fingerprint],
                    )?;
                }
                all.push(known.unwrap_or_default());
            }
            Ok(all)
        })
    }

    /// Notes that an endpoint is no longer disabled.
    pub(crate) fn enable(&self, endpoint: &str) -> Result<(), ServiceError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE endpoints SET disabled = NULL, failures = 0 WHERE name = ?",
                [endpoint],
            )?;
            Ok(())
        })
    }
}
