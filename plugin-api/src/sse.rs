//! Event streams, as the HTML standard frames them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::Serialize;

use crate::export::tasks::BoxFuture;
use crate::stream::BodySender;
use crate::tasks::{Sleep, sleep};
use crate::{IntoResponse, Response, Result};

/// Server-sent events: a response that tells the client what happens, as it
/// happens.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::prelude::*;
///
/// async fn clock() -> Sse {
///     Sse::new(|mut events| async move {
///         for tick in 0.. {
///             events.send(Event::new(format!("tick {tick}")).id(tick)).await?;
///             exthost_plugin::sleep(Duration::from_secs(1)).await;
///         }
///         Ok(())
///     })
///     .keep_alive(Duration::from_secs(15))
/// }
/// ```
#[derive(Debug)]
pub struct Sse {
    write: Write,
    keep_alive: Option<Duration>,
}

/// The period of comments unless one is set.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Write(Box<dyn FnOnce(EventSender) -> BoxFuture<Result<()>> + Send>);

impl Sse {
    /// Events that `write` sends. Its future is dropped when the client leaves.
    pub fn new<F, W>(write: F) -> Self
    where
        F: FnOnce(EventSender) -> W + Send + 'static,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        Sse {
            write: Write(Box::new(|events| Box::pin(write(events)))),
            keep_alive: Some(KEEP_ALIVE),
        }
    }

    /// Sends an empty comment whenever nothing was sent for `period`, 15 s unless
    /// it is set, so that no proxy, and not the route's idle timeout, ends the
    /// stream.
    #[must_use]
    pub fn keep_alive(mut self, period: Duration) -> Self {
        self.keep_alive = Some(period);
        self
    }

    /// Sends no comments: a pause of the route's idle timeout, 30 s unless it is
    /// set, ends the stream and counts as a fault.
    #[must_use]
    pub fn without_keep_alive(mut self) -> Self {
        self.keep_alive = None;
        self
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        let Sse { write, keep_alive } = self;
        Response::streaming("text/event-stream", move |body| {
            let traffic = Arc::new(Traffic::default());
            let alive =
                keep_alive.map(|period| KeepAlive::new(period, body.share(), Arc::clone(&traffic)));
            let writer = (write.0)(EventSender { body, traffic });
            Session { writer, alive }
        })
        .with_header("cache-control", "no-cache")
    }
}

/// Sends events.
#[derive(Debug)]
pub struct EventSender {
    body: BodySender,
    traffic: Arc<Traffic>,
}

impl EventSender {
    /// Sends one event; done when there is room for the next.
    ///
    /// # Errors
    /// When the client left, or took nothing for the idle timeout.
    pub async fn send(&mut self, event: Event) -> Result<()> {
        let _sending = Sending::begin(&self.traffic);
        self.body.send(event.to_string()).await
    }
}

/// What the keep-alive must know of the events: one chunk at a time may be
/// under way.
#[derive(Debug, Default)]
struct Traffic {
    sending: AtomicBool,
    sent: AtomicBool,
}

/// An event is under way until this is dropped.
struct Sending<'a>(&'a Traffic);

impl<'a> Sending<'a> {
    fn begin(traffic: &'a Traffic) -> Self {
        traffic.sending.store(true, Ordering::Relaxed);
        traffic.sent.store(true, Ordering::Relaxed);
        Sending(traffic)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.sending.store(false, Ordering::Relaxed);
    }
}

/// The writer of events, and the keep-alive beside it. While a comment is under
/// way the writer is not polled, so that it cannot begin an event.
struct Session {
    writer: BoxFuture<Result<()>>,
    alive: Option<KeepAlive>,
}

struct KeepAlive {
    period: Duration,
    pause: Sleep,
    traffic: Arc<Traffic>,
    body: BodySender,
    beat: Option<BoxFuture<Result<()>>>,
}

impl Future for Session {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Session { writer, alive } = &mut *self;
        loop {
            if let Some(alive) = alive {
                if let Err(error) = ready!(alive.poll_beat(cx)) {
                    return Poll::Ready(Err(error));
                }
            }
            if let Poll::Ready(outcome) = writer.as_mut().poll(cx) {
                return Poll::Ready(outcome);
            }
            match alive {
                Some(alive) => ready!(alive.poll_pause(cx)),
                None => return Poll::Pending,
            }
        }
    }
}

impl KeepAlive {
    fn new(period: Duration, body: BodySender, traffic: Arc<Traffic>) -> Self {
        KeepAlive {
            period,
            pause: sleep(period),
            traffic,
            body,
            beat: None,
        }
    }

    /// Waits until no comment is under way.
    fn poll_beat(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(beat) = &mut self.beat {
            let sent = ready!(beat.as_mut().poll(cx));
            self.beat = None;
            return Poll::Ready(sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Waits for the end of a period, and begins a comment if it was silent.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.pause).poll(cx));
        self.pause = sleep(self.period);
        let silent = !self.traffic.sent.swap(false, Ordering::Relaxed)
            && !self.traffic.sending.load(Ordering::Relaxed);
        if silent {
            let mut body = self.body.share();
            self.beat = Some(Box::pin(async move { body.send(":\n\n").await }));
        }
        Poll::Ready(())
    }
}

/// One event.
///
/// # Examples
/// ```
/// use exthost_plugin::Event;
///
/// let event = Event::new("two\nlines").event("note").id(7);
/// assert_eq!(event.to_string(), "data: two\ndata: lines\nevent: note\nid: 7\n\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    lines: String,
}

impl Event {
    /// An event with text, of any number of lines.
    pub fn new(data: impl AsRef<str>) -> Self {
        let mut event = Event {
            lines: String::new(),
        };
        // Carriage returns end a line as well.
        let data = data.as_ref().replace("\r\n", "\n").replace('\r', "\n");
        for line in data.split('\n') {
            event.line("data", line);
        }
        event
    }

    /// An event with JSON.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(data: &impl Serialize) -> Result<Self> {
        Ok(Event::new(serde_json::to_string(data)?))
    }

    /// Sets the event's type, `message` unless set.
    #[must_use]
    pub fn event(mut self, name: &str) -> Self {
        self.line("event", name);
        self
    }

    /// Sets the id that a client sends back as `Last-Event-ID` when it
    /// reconnects.
    #[must_use]
    pub fn id(mut self, id: impl ToString) -> Self {
        self.line("id", &id.to_string());
        self
    }

    /// Sets how long a client waits before it reconnects.
    #[must_use]
    pub fn retry(mut self, delay: Duration) -> Self {
        self.line("retry", &delay.as_millis().to_string());
        self
    }

    /// Adds a field; nothing in its value can begin another.
    fn line(&mut self, field: &str, value: &str) {
        let value = value.replace(['\n', '\r', '\0'], "");
        self.lines.push_str(field);
        self.lines.push_str(": ");
        self.lines.push_str(&value);
        self.lines.push('\n');
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.lines)
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Write")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_is_one() {
        let event = Event::new("a\r\nb\rc\n");
        assert_eq!(event.to_string(), "data: a\ndata: b\ndata: c\ndata: \n\n");
    }

    #[test]
    fn a_field_cannot_smuggle_another_in() {
        let event = Event::new("x")
            .event("a\ndata: evil")
            .retry(Duration::from_secs(2));
        assert_eq!(
            event.to_string(),
            "data: x\nevent: adata: evil\nretry: 2000\n\n"
        );
    }
}
