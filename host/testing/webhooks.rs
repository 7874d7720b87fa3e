//! The endpoint of a host in a test, which takes what is delivered or fails.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::config::{Endpoint, Secret};
use crate::services::webhooks::{DeliveryQuery, DeliveryStatus, verify};
use crate::testing::TestHost;
use crate::testing::receiver::Receiver;
use crate::testing::running::within;

/// What the plugins of a [`TestHost`] tell the endpoints of their operator: one
/// endpoint that wants every event and keeps what it is sent, in order.
///
/// # Panics
/// The methods that wait panic when nothing comes for a minute, and say what did.
#[derive(Debug, Clone, Copy)]
pub struct Webhooks<'a> {
    host: &'a TestHost,
    endpoint: &'a TestEndpoint,
}

/// One attempt to deliver a message, with a signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The message's id, the same over all its attempts.
    pub id: String,
    /// What happened.
    pub event_type: String,
    /// The plugin that fired it.
    pub plugin: String,
    /// What the endpoint answered, 204 unless it was told to
    /// [fail](Webhooks::fail_next).
    pub status: StatusCode,
    /// The bytes that were sent.
    pub payload: Bytes,
}

impl<'a> Webhooks<'a> {
    pub(super) fn new(host: &'a TestHost, endpoint: &'a TestEndpoint) -> Self {
        Webhooks { host, endpoint }
    }

    /// Waits for the next attempt, of those that fail too.
    ///
    /// # Panics
    /// When none comes, and when its signature does not verify.
    pub async fn next(self) -> Delivery {
        let runtime = self.host.running().runtime();
        let Some(arrival) = within(runtime, self.endpoint.arrived()).await else {
            let came = self.endpoint.inbox().came.clone();
            let known = self.known().await;
            panic!("no webhook came; before it came {came:?}, and the host has {known:?}");
        };
        let Arrival {
            headers,
            payload,
            status,
        } = arrival;
        let id = self.endpoint.verified(&headers, &payload);
        let mut known = self.known().await.into_iter();
        let Some(known) = known.find(|known| known.id == id) else {
            panic!("the host knows nothing of the webhook {id}, which has come");
        };
        Delivery {
            id,
            event_type: known.event_type,
            plugin: known.plugin,
            status,
            payload,
        }
    }

    /// Answers the next `count` attempts with `status`.
    ///
    /// The host tries again after 5 s, 5 min, 30 min and so on, by a clock that
    /// [`TestHost::advance`] moves.
    ///
    /// # Panics
    /// When `status` is none.
    pub fn fail_next(self, count: usize, status: u16) {
        let status = StatusCode::from_u16(status);
        let status = status.unwrap_or_else(|error| panic!("{error}"));
        let answers = std::iter::repeat_n(status, count);
        self.endpoint.inbox().answers.extend(answers);
    }

    /// What the host knows of messages, newest first.
    async fn known(self) -> Vec<DeliveryStatus> {
        let (host, runtime) = (self.host.host().clone(), self.host.running());
        let query = DeliveryQuery {
            n: Some(usize::MAX),
            ..DeliveryQuery::default()
        };
        let read = async move {
            let read = tokio::task::spawn_blocking(move || host.webhooks().deliveries(query));
            read.await
        };
        match runtime.run(read).await {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => panic!("the file of webhooks cannot be read: {error}"),
            Err(error) => panic!("the file of webhooks was not read: {error}"),
        }
    }
}

impl Delivery {
    /// The payload, as JSON.
    ///
    /// # Panics
    /// When it is none, or no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.payload).unwrap_or_else(|error| panic!("{self}: {error}"))
    }
}

/// Event and payload, as far as a person can read it.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = String::from_utf8_lossy(&self.payload);
        write!(f, "{} {} {payload}", self.event_type, self.id)
    }
}

/// The endpoint behind [`Webhooks`].
#[derive(Debug)]
pub(super) struct TestEndpoint {
    secret: Secret,
    receiver: Receiver,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Inbox {
    /// What nobody has looked at yet.
    arrivals: VecDeque<Arrival>,
    /// The ids of all that has come, with their answers.
    came: Vec<(String, u16)>,
    /// How to answer, as long as there are such.
    answers: VecDeque<StatusCode>,
}

#[derive(Debug)]
struct Arrival {
    headers: HeaderMap,
    payload: Bytes,
    status: StatusCode,
}

impl TestEndpoint {
    /// Listens on a port that the system chooses.
    pub(super) fn start(runtime: &Handle) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let taking = shared.clone();
        let take = move |headers, payload| taking.take(headers, payload);
        TestEndpoint {
            secret: Secret::generate().unwrap_or_else(|error| panic!("{error}")),
            receiver: Receiver::start(runtime, take),
            shared,
        }
    }

    /// What the host is told of it.
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::new(&format!("http://{}/", self.receiver.address()))
            .named("test")
            .secret(&self.secret.reveal())
            .allow("127.0.0.0/8")
            .fifo(true)
    }

    async fn arrived(&self) -> Arrival {
        loop {
            let arrived = self.shared.arrived.notified();
            if let Some(arrival) = self.inbox().arrivals.pop_front() {
                return arrival;
            }
            arrived.await;
        }
    }

    /// The id of a message whose signature verifies.
    fn verified(&self, headers: &HeaderMap, payload: &[u8]) -> String {
        let header = |name| text(headers, name);
        let id = header("webhook-id");
        let signature = header("webhook-signature");
        let verified = match header("webhook-timestamp").parse() {
            Ok(timestamp) => verify(&self.secret, &id, timestamp, payload, &signature),
            Err(_) => false,
        };
        assert!(
            verified,
            "the signature `{signature}` of the webhook {id} does not verify"
        );
        id
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.shared.inbox()
    }
}

impl Shared {
    fn take(&self, headers: HeaderMap, payload: Bytes) -> StatusCode {
        let mut inbox = self.inbox();
        let status = inbox.answers.pop_front().unwrap_or(StatusCode::NO_CONTENT);
        inbox
            .came
            .push((text(&headers, "webhook-id"), status.as_u16()));
        inbox.arrivals.push_back(Arrival {
            headers,
            payload,
            status,
        });
        drop(inbox);
        self.arrived.notify_waiters();
        status
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.as_bytes());
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}
