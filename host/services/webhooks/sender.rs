//! One attempt to deliver a message.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::clock::{self, Clock};
use crate::config::Endpoint;
use crate::services::webhooks::address::{AddressError, Allowed};
use crate::services::webhooks::error::WebhooksError;
use crate::services::webhooks::resolver::Resolver;
use crate::services::webhooks::settings::WebhookSettings;
use crate::services::webhooks::{retry_after, signature};

/// How much of an answer is read before its connection is closed.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// How much of an answer is kept.
const KEPT_BYTES_MAX: usize = 4 * 1024;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Sends to one endpoint.
pub(crate) struct Sender {
    endpoint: Endpoint,
    url: reqwest::Url,
    allowed: Arc<Allowed>,
    client: Client,
    deadline: Duration,
    clock: Clock,
}

/// The URL itself may hold a token.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub id: String,
    pub content_type: String,
    pub payload: Vec<u8>,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// When it began.
    pub started_ms: i64,
    /// How long it took.
    pub took_ms: i64,
    /// The signature that was sent.
    pub signature: String,
    /// The receiver's status, if it sent one.
    pub status: Option<StatusCode>,
    /// Why there is no status, or no whole answer.
    pub error: Option<String>,
    /// How long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of its answer.
    pub body: Vec<u8>,
}

impl Answer {
    /// No answer, because sending panicked.
    pub(crate) fn broken(started_ms: i64) -> Self {
        Answer {
            started_ms,
            took_ms: 0,
            signature: String::new(),
            status: None,
            error: Some("sending panicked; the log has the reason".to_owned()),
            retry_after: None,
            body: Vec::new(),
        }
    }
}

impl Sender {
    /// Makes the client of an endpoint. It follows no redirect, asks no proxy,
    /// and keeps no cookie.
    pub(crate) fn new(
        endpoint: Endpoint,
        settings: &WebhookSettings,
    ) -> Result<Self, WebhooksError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An application that has installed one keeps it.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let endpoint = endpoint.check()?;
        let url = endpoint.url().cloned().ok_or(WebhooksError::NoUrl)?;
        let allowed = Arc::new(Allowed::new(endpoint.allowed(), &settings.allow));
        allowed.admit_literal(&url)?;
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .pool_max_idle_per_host(settings.endpoint_in_flight_max)
            .pool_idle_timeout(Duration::from_secs(30))
            .connect_timeout(settings.connect_timeout)
            .dns_resolver(Resolver(allowed.clone()));
        if url.scheme() == "http" {
            // It needs none, so a system without any may have it.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| WebhooksError::Client {
            endpoint: endpoint.name().to_owned(),
            why: chain(&error),
        })?;
        Ok(Sender {
            endpoint,
            url,
            allowed,
            client,
            deadline: settings.deadline,
            clock: settings.clock.clone(),
        })
    }

    /// The endpoint.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Signs and sends a message, within the deadline.
    pub(crate) async fn send(&self, message: &Message) -> Answer {
        let started_ms = self.clock.now_ms();
        let started = Instant::now();
        let timestamp = started_ms / 1000;
        let secrets = self.endpoint.secrets();
        let mut answer = Answer {
            started_ms,
            took_ms: 0,
            signature: signature::sign(secrets, &message.id, timestamp, &message.payload),
            status: None,
            error: None,
            retry_after: None,
            body: Vec::new(),
        };
        // What has come by the deadline stays: a receiver that accepted and then
        // drips has accepted.
        let exchange = self.exchange(message, timestamp, &mut answer);
        let ended = tokio::time::timeout(self.deadline, exchange).await;
        answer.error = match ended {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some(format!(
                "no whole answer within {} ms",
                self.deadline.as_millis()
            )),
        };
        answer.body.truncate(KEPT_BYTES_MAX);
        answer.took_ms = clock::ms(started.elapsed());
        answer
    }

    async fn exchange(
        &self,
        message: &Message,
        timestamp: i64,
        answer: &mut Answer,
    ) -> Result<(), String> {
        self.allowed
            .admit_literal(&self.url)
            .map_err(|error| error.to_string())?;
        let request = self
            .client
            .post(self.url.clone())
            .header(USER_AGENT, concat!("exthost/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, &message.content_type)
            .header(ID, &message.id)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, &answer.signature)
            .body(message.payload.clone());
        let mut response = request.send().await.map_err(|error| explain(&error))?;
        answer.status = Some(response.status());
        answer.retry_after = self.asked_pause(&response);
        while answer.body.len() < ANSWER_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = ANSWER_BYTES_MAX - answer.body.len();
                    answer
                        .body
                        .extend_from_slice(&chunk[..chunk.len().min(room)]);
                }
                Ok(None) => break,
                Err(error) => return Err(explain(&error)),
            }
        }
        Ok(())
    }

    fn asked_pause(&self, response: &Response) -> Option<Duration> {
        let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
        retry_after::parse(value, self.clock.now_ms() / 1000)
    }
}

/// Why there is no answer: the address that was refused, else all that is known,
/// without the URL, which may hold what is secret.
fn explain(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<AddressError>() {
            return refused.to_string();
        }
        cause = error.source();
    }
    if error.is_timeout() && error.is_connect() {
        return "no connection within the connect timeout".to_owned();
    }
    chain(error)
}

/// The causes of an error, without the error itself, which only says that
/// sending has failed, and where to.
fn chain(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Says no more than that its cause is one.
        let is_empty = text.starts_with("client error (");
        if !is_empty && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    match texts.is_empty() {
        true => "the request cannot be made".to_owned(),
        false => texts.join(": "),
    }
}
