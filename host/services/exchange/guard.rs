//! The front's hold on an exchange.

use std::sync::Arc;

use exthost_abi::Status;

use crate::services::cause::{Cause, Causes};
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

/// Ends an exchange when the front is done with it.
#[derive(Debug)]
pub(crate) struct ExchangeGuard {
    exchange: Arc<Exchange>,
    id: u64,
    complete: bool,
}

impl ExchangeGuard {
    /// Gives `exchange` an id. Dropped without [`complete`](Self::complete), the
    /// guard tells the plugin that the client has left.
    pub(crate) fn new(exchange: Arc<Exchange>) -> Result<Self, ServiceError> {
        let id = Causes::of_process().insert(|_| Cause::Request(exchange.clone()))?;
        Ok(ExchangeGuard {
            exchange,
            id,
            complete: false,
        })
    }

    /// The exchange.
    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Its id.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Says that the response was sent to its end.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }
}

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        self.exchange.give_up(match self.complete {
            true => Status::GONE,
            false => Status::CANCELLED,
        });
        Causes::of_process().remove(self.id);
        self.exchange.drop_body();
    }
}
