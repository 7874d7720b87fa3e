//! Endpoints and deliveries, as operators see them.

use serde::Serialize;

use crate::config::Pattern;
use crate::name::PluginName;
use crate::services::webhooks::lane::Lane;
use crate::services::webhooks::store::{AttemptRow, Counts, DeliveryRow, DeliveryState};

/// An endpoint. Its secrets and the query of its URL are left out.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Which events it wants.
    pub events: Vec<Pattern>,
    /// Of which plugins; of all if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<PluginName>>,
    /// One message at a time, in order.
    pub fifo: bool,
    /// Messages in a second at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<f64>,
    /// `on`, `off` by its configuration, or `disabled`.
    pub state: &'static str,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `closed`, `open` or `half-open`.
    pub breaker: &'static str,
    /// Failures in a row.
    pub failures: u32,
    /// Attempts under way.
    pub in_flight: usize,
    /// Deliveries that wait, those under way with them.
    pub pending: i64,
    /// Deliveries that the endpoint has answered with 2xx.
    pub done: i64,
    /// Dead letters.
    pub dead: i64,
    /// When the next is due, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due_ms: Option<i64>,
}

/// A delivery: a message on its way to one endpoint.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DeliveryStatus {
    /// The message's id.
    pub id: String,
    /// The plugin that fired it.
    pub plugin: String,
    /// What happened.
    pub event_type: String,
    /// Where it goes.
    pub endpoint: String,
    /// `pending`, `leased` (an attempt is under way), `done` or `dead`.
    pub state: &'static str,
    /// When it was fired, in milliseconds since 1970.
    pub created_ms: i64,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// Why it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// All attempts so far.
    pub attempts: Vec<AttemptStatus>,
}

/// An attempt to deliver.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AttemptStatus {
    /// Counted from 1.
    pub number: u32,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// How long it took.
    pub took_ms: i64,
    /// What the endpoint answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer, or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first 4 KiB of the answer; what is not UTF-8 is replaced.
    pub answer: String,
}

impl EndpointStatus {
    pub(crate) fn new(lane: &Lane, counts: Counts) -> Self {
        let (endpoint, status) = (lane.endpoint(), lane.status());
        EndpointStatus {
            name: endpoint.name().to_owned(),
            url: endpoint.shown_url(),
            events: endpoint.patterns().to_vec(),
            plugins: endpoint.plugin_names().map(<[_]>::to_vec),
            fifo: endpoint.is_fifo(),
            rate_per_second: endpoint.rate(),
            state: match (endpoint.is_enabled(), &status.disabled) {
                (false, _) => "off",
                (true, Some(_)) => "disabled",
                (true, None) => "on",
            },
            reason: status.disabled,
            breaker: status.breaker,
            failures: status.failures,
            in_flight: status.in_flight,
            pending: counts.pending + counts.leased,
            done: counts.done,
            dead: counts.dead,
            next_due_ms: counts.next_due_ms,
        }
    }
}

impl From<DeliveryRow> for DeliveryStatus {
    fn from(row: DeliveryRow) -> Self {
        let waits = row.state == DeliveryState::Pending;
        DeliveryStatus {
            id: row.id,
            plugin: row.plugin,
            event_type: row.event_type,
            endpoint: row.endpoint,
            state: row.state.name(),
            created_ms: row.created_ms,
            due_ms: waits.then_some(row.due_ms),
            reason: row.reason,
            attempts: row.attempts.into_iter().map(AttemptStatus::from).collect(),
        }
    }
}

impl From<AttemptRow> for AttemptStatus {
    fn from(row: AttemptRow) -> Self {
        AttemptStatus {
            number: row.number,
            started_ms: row.started_ms,
            took_ms: row.took_ms,
            status: row.status,
            error: row.error,
            answer: String::from_utf8_lossy(&row.answer).into_owned(),
        }
    }
}
