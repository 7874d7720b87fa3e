//! Webhooks as a whole, against a receiver in this process.

mod delivery;
mod failures;
mod operators;
mod order;
mod receiver;
mod replaced;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use receiver::Receiver;

pub(super) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// No test waits longer for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Short pauses, so that a test sees many attempts.
fn settings() -> WebhookSettings {
    WebhookSettings {
        retries: vec![Duration::from_millis(5); 7],
        connect_timeout: Duration::from_secs(5),
        deadline: Duration::from_secs(10),
        lease_margin: Duration::ZERO,
        breaker_failures: u32::MAX,
        breaker_pause: Duration::from_millis(5),
        breaker_pause_max: Duration::from_millis(20),
        ..WebhookSettings::default()
    }
}

/// The endpoint `a` at the receiver.
fn endpoint(receiver: &Receiver) -> Endpoint {
    Endpoint::new(&receiver.url())
        .named("a")
        .secret(SECRET)
        .allow("127.0.0.1")
}

fn message(event_type: &str) -> OutboxMessage {
    let payload = br#"{"a":1}"#.to_vec();
    OutboxMessage::new("notes", event_type, "", payload, 0).unwrap()
}

fn open(data: &Path, endpoints: Vec<Endpoint>, settings: WebhookSettings) -> Arc<Webhooks> {
    Webhooks::open(data, endpoints, settings, &Handle::current()).unwrap()
}

/// Webhooks to one endpoint, in a directory that goes with them.
fn begin(endpoint: Endpoint, settings: WebhookSettings) -> (TempDir, Arc<Webhooks>) {
    let data = tempfile::tempdir().unwrap();
    let webhooks = open(data.path(), vec![endpoint], settings);
    (data, webhooks)
}

fn all(webhooks: &Webhooks) -> Vec<DeliveryStatus> {
    let query = DeliveryQuery {
        n: Some(1000),
        ..DeliveryQuery::default()
    };
    webhooks.deliveries(query).unwrap()
}

/// Waits until `is_so`, however long this machine takes.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waited).await;
    assert!(waited.is_ok(), "never {what}");
}

async fn until_all(webhooks: &Webhooks, state: &str) {
    let is_so = || all(webhooks).iter().all(|delivery| delivery.state == state);
    until(state, is_so).await;
}
