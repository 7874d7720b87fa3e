//! Messages as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use crate::http::broadcast::frame::{Loss, Ready};
use crate::services::broadcast::{Client, Item};

/// A comment, which keeps proxies from closing an idle stream.
const SIGN_OF_LIFE: Bytes = Bytes::from_static(b":\n\n");

/// Events that are shorter than this are gathered, for a piece of a response
/// costs more than their copy; longer ones are shared by all clients.
const SHORT: usize = 4 * 1024;

/// What is gathered of them in one piece.
const PIECE_BYTES: usize = 16 * 1024;

/// The body of a response that ends when the client leaves or the host shuts
/// down. It is read on as the socket takes it, so a client that stands still
/// holds one batch and its socket's buffers.
#[derive(Debug)]
pub(super) struct EventStream {
    client: Client,
    /// The rest of a batch, in pieces.
    pieces: VecDeque<Bytes>,
    keep_alive: Duration,
    /// When the next sign of life is due, unless something was sent.
    alive: Pin<Box<Sleep>>,
    has_sent: bool,
}

impl EventStream {
    pub(super) fn new(client: Client, keep_alive: Duration) -> Self {
        let ready = Ready::of(&client).event();
        EventStream {
            client,
            pieces: VecDeque::from([ready.into()]),
            keep_alive,
            alive: Box::pin(tokio::time::sleep(keep_alive)),
            has_sent: false,
        }
    }

    fn event(&self, item: &Item) -> Bytes {
        match item {
            Item::Message(message) => message.event(),
            Item::Gap(gap) => Loss::of(gap, &self.client).event().into(),
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                self.has_sent = true;
                return Poll::Ready(Some(piece));
            }
            match self.client.poll_next(cx) {
                Poll::Ready(Some(items)) => {
                    self.pieces = gathered(items.iter().map(|item| self.event(item)));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        while self.alive.as_mut().poll(cx).is_ready() {
            let due = Instant::now() + self.keep_alive;
            self.alive.as_mut().reset(due);
            if !std::mem::take(&mut self.has_sent) {
                return Poll::Ready(Some(SIGN_OF_LIFE));
            }
        }
        Poll::Pending
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = std::task::ready!(self.poll_piece(cx));
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Makes few pieces of many events.
fn gathered(events: impl ExactSizeIterator<Item = Bytes>) -> VecDeque<Bytes> {
    if events.len() == 1 {
        return events.collect();
    }
    let mut pieces = VecDeque::new();
    let mut short = BytesMut::new();
    for event in events {
        let is_short = event.len() < SHORT;
        if !short.is_empty() && (!is_short || short.len() + event.len() > PIECE_BYTES) {
            pieces.push_back(short.split().freeze());
        }
        match is_short {
            true => short.extend_from_slice(&event),
            false => pieces.push_back(event),
        }
    }
    if !short.is_empty() {
        pieces.push_back(short.freeze());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_events_are_gathered_in_order() {
        let event = |length: usize| Bytes::from(vec![length as u8; length]);
        for lengths in [
            vec![],
            vec![10],
            vec![5000],
            vec![10, 20, 30],
            vec![10, 5000, 20, 30, 5000, 5000],
            vec![SHORT - 1; 9],
        ] {
            let pieces = gathered(lengths.iter().map(|length| event(*length)));
            let whole: Vec<u8> = lengths.iter().flat_map(|length| event(*length)).collect();
            assert_eq!(pieces.iter().flatten().copied().collect::<Vec<_>>(), whole);
            for pair in pieces.iter().zip(pieces.iter().skip(1)) {
                assert!(pair.0.len() + pair.1.len() > SHORT, "{pieces:?}");
            }
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        }
    }
}
