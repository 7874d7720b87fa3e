//! What operators read of the file.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::{DeliveryState, Store};
use crate::services::error::ServiceError;

/// Deliveries of one endpoint, by their state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub pending: i64,
    pub leased: i64,
    pub done: i64,
    pub dead: i64,
    pub next_due_ms: Option<i64>,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeliveryFilter {
    pub endpoint: Option<String>,
    pub plugin: Option<String>,
    pub state: Option<DeliveryState>,
    pub most: usize,
}

/// A delivery.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryRow {
    pub id: String,
    pub plugin: String,
    pub event_type: String,
    pub endpoint: String,
    pub state: DeliveryState,
    pub created_ms: i64,
    pub due_ms: i64,
    pub reason: Option<String>,
    pub attempts: Vec<AttemptRow>,
}

/// An attempt.
#[derive(Debug, Clone)]
pub(crate) struct AttemptRow {
    pub number: u32,
    pub started_ms: i64,
    pub took_ms: i64,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub answer: Vec<u8>,
}

impl Store {
    /// Counts deliveries by endpoint and state.
    pub(crate) fn counts(&self) -> Result<HashMap<String, Counts>, ServiceError> {
        self.read(|connection| {
            let mut counts: HashMap<String, Counts> = HashMap::new();
            let mut rows = connection.prepare_cached(
                "SELECT endpoint, state, count(*), min(due_ms) FROM deliveries
                 GROUP BY endpoint, state",
            )?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let of = counts.entry(row.get(0)?).or_default();
                let count = row.get(2)?;
                match DeliveryState::of(row.get(1)?) {
                    DeliveryState::Pending => {
                        of.pending = count;
                        of.next_due_ms = row.get(3)?;
                    }
                    DeliveryState::Leased => of.leased = count,
                    DeliveryState::Done => of.done = count,
                    DeliveryState::Dead => of.dead = count,
                }
            }
            Ok(counts)
        })
    }

    /// Lists deliveries with their attempts, newest first.
    pub(crate) fn deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> Result<Vec<DeliveryRow>, ServiceError> {
        self.read(|connection| {
            let mut rows = connection.prepare_cached(
                "SELECT deliveries.seq, id, plugin, event_type, endpoint, state, created_ms,
                        due_ms, reason
                 FROM deliveries JOIN messages ON messages.seq = deliveries.message
                 WHERE (?1 IS NULL OR endpoint = ?1)
                   AND (?2 IS NULL OR state = ?2)
                   AND (?3 IS NULL OR plugin = ?3)
                 ORDER BY deliveries.seq DESC LIMIT ?4",
            )?;
            let mut rows = rows.query(params![
                filter.endpoint,
                filter.state.map(|state| state as i64),
                filter.plugin,
                filter.most as i64,
            ])?;
            let mut deliveries = Vec::new();
            while let Some(row) = rows.next()? {
                deliveries.push(DeliveryRow {
                    id: row.get(1)?,
                    plugin: row.get(2)?,
                    event_type: row.get(3)?,
                    endpoint: row.get(4)?,
                    state: DeliveryState::of(row.get(5)?),
                    created_ms: row.get(6)?,
                    due_ms: row.get(7)?,
                    reason: row.get(8)?,
                    attempts: attempts(connection, row.get(0)?)?,
                });
            }
            Ok(deliveries)
        })
    }
}

fn attempts(connection: &Connection, delivery: i64) -> rusqlite::Result<Vec<AttemptRow>> {
    let mut rows = connection.prepare_cached(
        "SELECT number, started_ms, took_ms, status, error, answer FROM attempts
         WHERE delivery = ? ORDER BY number",
    )?;
    let rows = rows.query_map([delivery], |row| {
        Ok(AttemptRow {
            number: row.get(0)?,
            started_ms: row.get(1)?,
            took_ms: row.get(2)?,
            status: row.get(3)?,
            error: row.get(4)?,
            answer: row.get(5)?,
        })
    })?;
    rows.collect()
}
