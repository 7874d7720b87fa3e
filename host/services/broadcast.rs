//! Messages to connected clients: channels with a ring of messages each, and
//! clients that are positions among them.
//!
//! A message is made once, as the bytes that go out, and is handed to all. A
//! client that lags and one that reconnects are the same thing: a position from
//! which the rings are read on. What they no longer hold is counted, and told.

mod channel;
mod client;
mod error;
mod hub;
mod interest;
mod journal;
mod message;
mod owner;
mod patterns;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::config::is_channel;
use crate::gate::CallGate;
use crate::name::PluginName;
use hub::{Bounds, Hub};

pub(crate) use client::Client;
pub(crate) use error::ListenError;
pub use error::PublishError;
pub(crate) use message::Message;
pub(crate) use patterns::{PATTERNS_MAX, Patterns};

/// Largest payload in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// Whose channels are the application's.
pub const APPLICATION: &str = "host";

/// The messages of all plugins, and the clients that listen.
///
/// # Threading
/// Publishing holds one lock for the time of a copy of the message, and waits
/// for no client: a task of its own wakes those concerned.
#[derive(Debug)]
pub struct Broadcast {
    /// Tells the ids of this run of the host from those of others.
    run: Arc<str>,
    hub: Mutex<Hub>,
    /// Told when there are messages of which clients were not told yet.
    published: Notify,
    /// Counts the clients; closed when the host shuts down.
    clients: Arc<CallGate>,
    clients_max: AtomicUsize,
    /// Whether clients are to go, for those who wait for it.
    closed: watch::Sender<bool>,
}

/// What a client reads.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A message.
    Message(Message),
    /// A loss.
    Gap(Gap),
}

/// Messages that a client does not get, because it was too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The id to resume from.
    pub(crate) id: u64,
    /// Their channel; nothing when it is not known.
    pub(crate) channel: Option<Arc<str>>,
    /// How many there are; nothing when it is not known.
    pub(crate) lost: Option<u64>,
}

/// What operators see: `GET /api/host/broadcast`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BroadcastStatus {
    /// Clients connected.
    pub clients: u64,
    /// All channels, by name.
    pub channels: Vec<ChannelStatus>,
}

/// What operators see of a channel.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ChannelStatus {
    /// Its name with its plugin's.
    pub name: String,
    /// Messages published to it since the host's start.
    pub sequence: u64,
    /// Messages that are kept.
    pub retained: usize,
    /// What they take in memory, in bytes.
    pub bytes: usize,
    /// Clients connected that listen to it.
    pub subscribers: u64,
}

impl Broadcast {
    /// A hub without channels, for `clients_max` clients. They hear of messages
    /// as long as [`wake_clients`](Self::wake_clients) runs.
    pub fn new(clients_max: usize) -> Arc<Self> {
        Self::with_bounds(clients_max, Bounds::default())
    }

    /// Lets so many clients be connected from here on; those that are stay.
    pub(crate) fn set_clients_max(&self, clients_max: usize) {
        self.clients_max.store(clients_max, Ordering::Relaxed);
    }

    fn with_bounds(clients_max: usize, bounds: Bounds) -> Arc<Self> {
        let run = std::iter::repeat_with(|| fastrand::char('0'..='z'));
        let base_36 = |c: &char| c.is_ascii_digit() || c.is_ascii_lowercase();
        let run: Arc<str> = run.filter(base_36).take(8).collect::<String>().into();
        Arc::new(Broadcast {
            hub: Mutex::new(Hub::new(run.clone(), bounds)),
            run,
            published: Notify::new(),
            clients: CallGate::new(),
            clients_max: AtomicUsize::new(clients_max),
            closed: watch::Sender::new(false),
        })
    }

    /// Wakes clients when there are messages for them, for ever.
    pub async fn wake_clients(self: Arc<Self>) {
        loop {
            self.published.notified().await;
            let news = self.hub().take_news();
            news.iter().for_each(|news| news.notify_waiters());
        }
    }

    /// Publishes to the channel `<plugin>/<channel>`, and returns the message's
    /// number in it, from 1.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish(
        &self,
        plugin: &PluginName,
        channel: &str,
        event: &str,
        payload: &str,
    ) -> Result<u64, PublishError> {
        match plugin.as_str() {
            APPLICATION => Err(PublishError::Reserved),
            plugin => self.publish_as(plugin, channel, event, payload),
        }
    }

    /// Publishes to the channel `host/<channel>`, as the application.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish_as_application(
        &self,
        channel: &str,
        event: &str,
        payload: &impl Serialize,
    ) -> Result<u64, PublishError> {
        let payload = serde_json::to_string(payload);
        let payload = payload.map_err(|source| PublishError::NotJson { source })?;
        self.publish_as(APPLICATION, channel, event, &payload)
    }

    fn publish_as(
        &self,
        owner: &str,
        channel: &str,
        event: &str,
        payload: &str,
    ) -> Result<u64, PublishError> {
        check_name("the channel", channel)?;
        if !event.is_empty() {
            check_name("the event", event)?;
        }
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(PublishError::TooLarge {
                bytes: payload.len(),
                bytes_max: PAYLOAD_BYTES_MAX,
            });
        }
        let data = message::json_of(payload);
        let (sequence, news) = self.hub().publish(owner, channel, event, &data)?;
        if news {
            self.published.notify_one();
        }
        Ok(sequence)
    }

    /// How many clients would receive a message of the channel
    /// `<plugin>/<channel>`.
    ///
    /// # Errors
    /// [`PublishError::Name`].
    pub fn subscriber_count(
        &self,
        plugin: &PluginName,
        channel: &str,
    ) -> Result<u64, PublishError> {
        check_name("the channel", channel)?;
        Ok(self.hub().subscribers(plugin.as_str(), channel))
    }

    /// Connects a client, which goes on after the message `since`, an id that a
    /// client was told; without one it hears what is published from now on.
    ///
    /// # Errors
    /// [`ListenError::Clients`] and [`ListenError::Closed`].
    pub(crate) fn connect(
        self: &Arc<Self>,
        patterns: Patterns,
        since: Option<&str>,
    ) -> Result<Client, ListenError> {
        let permit = self.clients.enter().ok_or(ListenError::Closed)?;
        let clients_max = self.clients_max.load(Ordering::Relaxed);
        if self.clients.in_flight() > clients_max as u64 {
            return Err(ListenError::Clients { clients_max });
        }
        Ok(Client::new(self.clone(), patterns, since, permit))
    }

    /// What operators see.
    pub fn status(&self) -> BroadcastStatus {
        BroadcastStatus {
            clients: self.clients.in_flight(),
            channels: self.hub().status(),
        }
    }

    /// Lets all clients go, and takes no more of them. Publishing goes on.
    pub fn close(&self) {
        self.clients.close();
        self.closed.send_replace(true);
        let news = self.hub().all_news();
        news.iter().for_each(|news| news.notify_waiters());
    }

    /// Waits until the last client has gone.
    pub async fn idle(&self) {
        self.clients.idle().await;
    }

    fn is_closed(&self) -> bool {
        self.clients.is_closed()
    }

    /// An id as clients see it.
    fn id(&self, id: u64) -> String {
        format!("{}-{id}", self.run)
    }

    /// An id from which nobody can resume.
    fn id_of_nowhere(&self) -> String {
        format!("{}-lost", self.run)
    }

    /// The id that a client was told; nothing if it was not in this run.
    fn read_id(&self, text: &str) -> Option<u64> {
        let (run, id) = text.rsplit_once('-')?;
        id.parse().ok().filter(|_| *run == *self.run)
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), PublishError> {
    match is_channel(name) {
        true => Ok(()),
        false => Err(PublishError::Name {
            what,
            name: name
                .chars()
                .take(crate::config::CHANNEL_BYTES_MAX)
                .collect(),
        }),
    }
}
