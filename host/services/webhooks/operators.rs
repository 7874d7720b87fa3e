//! What operators see of webhooks, and what they can do.

use std::sync::Arc;

use exthost_abi::Status;

use crate::services::error::ServiceError;
use crate::services::webhooks::Webhooks;
use crate::services::webhooks::dispatcher::Shared;
use crate::services::webhooks::lane::Lane;
use crate::services::webhooks::status::{DeliveryStatus, EndpointStatus};
use crate::services::webhooks::store::{DeliveryFilter, DeliveryState, Replay};

/// Most deliveries that one list shows.
const LIST_MAX: usize = 1000;

/// Which deliveries to list; `None` is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Of this endpoint.
    pub endpoint: Option<String>,
    /// In this state: `pending`, `leased`, `done` or `dead`.
    pub state: Option<String>,
    /// Of this plugin.
    pub plugin: Option<String>,
    /// At most so many; 50 if there is no word of it, 1,000 at most.
    pub n: Option<usize>,
}

/// Each method blocks on the disk.
impl Webhooks {
    /// All endpoints.
    pub(crate) fn endpoints(&self) -> Result<Vec<EndpointStatus>, ServiceError> {
        let Some(shared) = self.shared() else {
            return Ok(Vec::new());
        };
        let mut counts = shared.store.counts()?;
        let status = shared
            .lanes
            .iter()
            .map(|lane| EndpointStatus::new(lane, counts.remove(lane.name()).unwrap_or_default()));
        Ok(status.collect())
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// `invalid` for a state that there is not.
    pub(crate) fn deliveries(
        &self,
        query: DeliveryQuery,
    ) -> Result<Vec<DeliveryStatus>, ServiceError> {
        let named = |name: &String| {
            let state = DeliveryState::ALL.into_iter().find(|it| it.name() == name);
            state.ok_or_else(|| {
                ServiceError::invalid(format!(
                    "`{}` is no state of a delivery; ask for pending, leased, done or dead",
                    name.escape_debug()
                ))
            })
        };
        let filter = DeliveryFilter {
            state: query.state.as_ref().map(named).transpose()?,
            endpoint: query.endpoint,
            plugin: query.plugin,
            most: query.n.unwrap_or(50).min(LIST_MAX),
        };
        let Some(shared) = self.shared() else {
            return Ok(Vec::new());
        };
        let rows = shared.store.deliveries(&filter)?;
        Ok(rows.into_iter().map(DeliveryStatus::from).collect())
    }

    /// Delivers the dead letters of one message again. Returns how many.
    ///
    /// # Errors
    /// `no-dead-letter` when it has none for an endpoint that is on.
    pub(crate) fn replay_message(&self, id: &str) -> Result<usize, ServiceError> {
        let count = self.replay(&Replay::Message(id.to_owned()))?;
        match count {
            0 => Err(ServiceError::new(
                Status::NOT_FOUND,
                "no-dead-letter",
                format!(
                    "the message {} has no dead letter for an endpoint that is on",
                    id.escape_debug()
                ),
            )),
            count => Ok(count),
        }
    }

    /// Delivers all dead letters of one endpoint again. Returns how many.
    ///
    /// # Errors
    /// `no-such-endpoint`, and `endpoint-off` for one that is not on.
    pub(crate) fn replay_endpoint(&self, name: &str) -> Result<usize, ServiceError> {
        let (_, lane) = self.lane(name)?;
        if !lane.is_on() {
            return Err(ServiceError::new(
                Status::CONFLICT,
                "endpoint-off",
                format!("the endpoint {name} is off; enable it first"),
            ));
        }
        self.replay(&Replay::Endpoint(name.to_owned()))
    }

    /// Sends to an endpoint again that was disabled while it served, and closes
    /// its breaker.
    ///
    /// # Errors
    /// `no-such-endpoint`, and `endpoint-off` for one that is switched off in
    /// the configuration.
    pub(crate) fn enable(&self, name: &str) -> Result<(), ServiceError> {
        let (shared, lane) = self.lane(name)?;
        if !lane.endpoint().is_enabled() {
            return Err(ServiceError::new(
                Status::CONFLICT,
                "endpoint-off",
                format!("the endpoint {name} is switched off in the configuration; change that"),
            ));
        }
        shared.store.enable(name)?;
        lane.enable();
        shared.wake.notify_one();
        Ok(())
    }

    fn replay(&self, which: &Replay) -> Result<usize, ServiceError> {
        let Some(shared) = self.shared() else {
            return Ok(0);
        };
        let on: Vec<&str> = shared
            .lanes
            .iter()
            .filter(|lane| lane.is_on())
            .map(|lane| lane.name())
            .collect();
        let now_ms = shared.settings.clock.now_ms();
        let count = shared.store.replay(which, &on, now_ms)?;
        shared.wake.notify_one();
        Ok(count)
    }

    fn lane(&self, name: &str) -> Result<(Arc<Shared>, Arc<Lane>), ServiceError> {
        let shared = self.shared();
        let found = shared.and_then(|shared| {
            let lane = shared.lane(name)?.clone();
            Some((shared, lane))
        });
        found.ok_or_else(|| {
            ServiceError::new(
                Status::NOT_FOUND,
                "no-such-endpoint",
                format!("no endpoint is named {}", name.escape_debug()),
            )
        })
    }
}
