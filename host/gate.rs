//! Counts calls in flight; closing the gate is how a plugin drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Admits calls until it is closed, and tells when the last one has left.
///
/// # Threading
/// Entering and leaving is one atomic addition each, from any thread.
#[derive(Debug, Default)]
pub struct CallGate {
    /// Calls in flight, with [`CLOSED`] on top.
    state: AtomicU64,
    left: Notify,
}

/// The bit of the state that refuses further calls.
const CLOSED: u64 = 1 << 63;

impl CallGate {
    /// Makes an open gate.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Admits one call, or returns nothing when the gate is closed.
    pub fn enter(self: &Arc<Self>) -> Option<CallPermit> {
        let admit = |state: u64| (state & CLOSED == 0).then_some(state + 1);
        let admitted = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, admit);
        admitted.ok().map(|_| CallPermit { gate: self.clone() })
    }

    /// Refuses every further call.
    pub fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Whether the gate was closed.
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Number of calls in flight.
    pub fn in_flight(&self) -> u64 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    /// Waits until no call is in flight.
    pub async fn idle(&self) {
        loop {
            let left = self.left.notified();
            if self.in_flight() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// Proof of one call in flight; dropping it ends the call.
#[derive(Debug)]
pub struct CallPermit {
    gate: Arc<CallGate>,
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        let before = self.gate.state.fetch_sub(1, Ordering::AcqRel);
        if before == CLOSED + 1 {
            self.gate.left.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_admits_nobody() {
        let gate = CallGate::new();
        let permit = gate.enter().unwrap();
        gate.close();
        assert!(gate.enter().is_none());
        assert_eq!(gate.in_flight(), 1);
        drop(permit);
        assert_eq!(gate.in_flight(), 0);
    }

    #[tokio::test]
    async fn idle_waits_for_the_last_permit() {
        let gate = CallGate::new();
        let permit = gate.enter().unwrap();
        gate.close();
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(permit);
        waiting.await.unwrap();
    }
}
