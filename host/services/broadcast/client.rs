//! One connected client: what it listens to, and how far it has read.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::gate::CallPermit;
use crate::services::broadcast::patterns::Patterns;
use crate::services::broadcast::{Broadcast, Item};

/// A client is a position among all messages of the host, and patterns: nothing
/// waits for it anywhere, so one that stands still costs what one costs that
/// keeps up.
pub(crate) struct Client {
    broadcast: Arc<Broadcast>,
    interest: u64,
    /// The id up to which it has read.
    position: u64,
    /// Up to which id there is nothing more to tell of a channel, where that is
    /// beyond its position: it was told what is lost, or did not listen yet.
    told: BTreeMap<u32, u64>,
    /// Whether it is still to be told that nobody knows what it has missed.
    lost_track: bool,
    /// Whether it has read everything there was when its news were last heard.
    is_current: bool,
    /// Told when there may be more to read.
    news: Arc<Notify>,
    /// Resolves when `news` are told.
    woken: Pin<Box<OwnedNotified>>,
    /// Counts it among the clients.
    _permit: CallPermit,
}

impl Client {
    /// A client that goes on from `since`, an id of this or another run; without
    /// one it begins here.
    pub(super) fn new(
        broadcast: Arc<Broadcast>,
        patterns: Patterns,
        since: Option<&str>,
        permit: CallPermit,
    ) -> Self {
        let (interest, news, position, lost_track) = {
            let mut hub = broadcast.hub();
            let resumed = since.map(|since| {
                let known = broadcast.read_id(since);
                known.filter(|id| *id <= hub.last())
            });
            let position = resumed.flatten().unwrap_or(hub.last());
            let (interest, news) = hub.enter(patterns);
            (interest, news, position, resumed == Some(None))
        };
        Client {
            broadcast,
            interest,
            position,
            told: BTreeMap::new(),
            lost_track,
            is_current: false,
            woken: Box::pin(news.clone().notified_owned()),
            news,
            _permit: permit,
        }
    }

    /// How far it has read, as the id to resume from. While it is still to be told
    /// that nobody knows what it has missed, that id is of nowhere as well: who is
    /// cut off before is told then.
    pub(crate) fn position(&self) -> String {
        match self.lost_track {
            true => self.broadcast.id_of_nowhere(),
            false => self.broadcast.id(self.position),
        }
    }

    /// An id as the client sees it.
    pub(crate) fn id(&self, id: u64) -> String {
        self.broadcast.id(id)
    }

    /// What it listens to.
    pub(crate) fn patterns(&self) -> Patterns {
        self.broadcast.hub().patterns(self.interest)
    }

    /// Changes what it listens to: further channels are heard from now on, and
    /// those that it had from its position on.
    pub(crate) fn listen_to(&mut self, patterns: Patterns) {
        let mut hub = self.broadcast.hub();
        let (interest, news) = hub.enter(patterns);
        for channel in hub.beyond(interest, self.interest) {
            self.told.insert(channel, hub.last());
        }
        hub.leave(self.interest);
        drop(hub);
        self.interest = interest;
        self.news = news;
        self.listen();
    }

    /// Resolves when the host shuts down.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + use<> {
        let mut closed = self.broadcast.closed.subscribe();
        // Without a sender there is no host any more.
        async move { drop(closed.wait_for(|closed| *closed).await) }
    }

    /// Waits for the next messages and losses; nothing once the host shuts down.
    pub(crate) async fn next(&mut self) -> Option<Vec<Item>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next), polled.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<Item>>> {
        loop {
            if self.broadcast.is_closed() {
                return Poll::Ready(None);
            }
            // Listening again before reading, so that nothing falls in between.
            while self.woken.as_mut().poll(cx).is_ready() {
                self.listen();
            }
            if self.is_current {
                return Poll::Pending;
            }
            let items = self.read();
            if !items.is_empty() {
                return Poll::Ready(Some(items));
            }
        }
    }

    /// Listens for news; what there is by now is still to be read.
    fn listen(&mut self) {
        self.woken.set(self.news.clone().notified_owned());
        self.is_current = false;
    }

    fn read(&mut self) -> Vec<Item> {
        let hub = self.broadcast.hub();
        let batch = match std::mem::take(&mut self.lost_track) {
            true => hub.lost_track(&mut self.told),
            false => hub.read(self.interest, self.position, &mut self.told),
        };
        drop(hub);
        self.position = batch.position;
        self.is_current = !batch.more;
        batch.items
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.broadcast.hub().leave(self.interest);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("interest", &self.interest)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
