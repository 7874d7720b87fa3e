//! Messages over a WebSocket.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::auth::DISPATCH;
use crate::http::Front;
use crate::http::broadcast::frame::{ClientFrame, Loss, Ready, Refused, ServerFrame};
use crate::http::broadcast::listener::Listener;
use crate::http::events::Dispatch;
use crate::services::broadcast::{Client, Item, Patterns};

/// Longest frame of a client in bytes. One that is longer than twice that ends
/// the connection.
const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Bytes that are read ahead, and that are gathered before they are sent.
const BUFFER_BYTES: usize = 4 * 1024;

/// Pings that a client may leave unanswered until the next is due.
const PINGS_MAX: u32 = 2;

/// How long a client may take to say goodbye, or to hear it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Makes a connection a WebSocket.
pub(super) fn upgrade(
    upgrade: WebSocketUpgrade,
    client: Client,
    listener: Listener,
    front: Arc<Front>,
) -> Response {
    let upgrade = upgrade
        .max_frame_size(2 * FRAME_BYTES_MAX)
        .max_message_size(2 * FRAME_BYTES_MAX)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES);
    upgrade.on_upgrade(|socket| async move {
        let connection = Connection {
            socket,
            client,
            listener,
            front,
            pings: 0,
        };
        connection.run().await;
    })
}

/// One client on a WebSocket.
#[derive(Debug)]
struct Connection {
    socket: WebSocket,
    client: Client,
    listener: Listener,
    front: Arc<Front>,
    /// Pings since the client was last heard of.
    pings: u32,
}

/// The client left, or takes nothing, or was silent for too long.
#[derive(Debug)]
struct Gone;

impl Connection {
    async fn run(mut self) {
        let closed = self.client.closed();
        let is_left = tokio::select! {
            // Also while something is being sent.
            () = closed => false,
            served = self.serve() => match served {
                Ok(()) => true,
                Err(Gone) => return,
            },
        };
        let farewell = async {
            if !is_left {
                let close = CloseFrame {
                    code: close_code::AWAY,
                    reason: Utf8Bytes::from_static("the host is shutting down"),
                };
                self.send(Message::Close(Some(close))).await?;
            }
            // A goodbye of the client is answered by reading on.
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<_, Gone>(())
        };
        let _ = timeout(FAREWELL, farewell).await;
    }

    /// Serves the client until it says goodbye or is gone. Once the host shuts down
    /// there are no more items, and `run` ends this.
    async fn serve(&mut self) -> Result<(), Gone> {
        let ready = ServerFrame::Ready(Ready::of(&self.client));
        self.send(ready.message()).await?;
        let keep_alive = self.front.listening.load().keep_alive;
        let mut pings = interval_at(Instant::now() + keep_alive, keep_alive);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // What it has said comes first, or one that takes long to take what
                // it is sent would pass for silent.
                biased;
                frame = self.socket.recv() => {
                    let frame = frame.and_then(Result::ok).ok_or(Gone)?;
                    self.pings = 0;
                    if let Message::Close(_) = frame {
                        return Ok(());
                    }
                    self.hear(frame).await?;
                }
                _ = pings.tick() => {
                    if self.pings == PINGS_MAX {
                        return Err(Gone);
                    }
                    self.pings += 1;
                    self.send(Message::Ping(Bytes::new())).await?;
                }
                Some(items) = self.client.next() => self.deliver(items).await?,
            }
        }
    }

    async fn deliver(&mut self, items: Vec<Item>) -> Result<(), Gone> {
        for item in &items {
            let message = match item {
                Item::Message(message) => {
                    let text = Utf8Bytes::try_from(message.json());
                    Message::Text(text.map_err(|_| Gone)?)
                }
                Item::Gap(gap) => ServerFrame::Gap(Loss::of(gap, &self.client)).message(),
            };
            taken(&self.front, self.socket.feed(message)).await?;
        }
        taken(&self.front, self.socket.flush()).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        taken(&self.front, self.socket.send(message)).await
    }

    /// Answers a frame of the client.
    async fn hear(&mut self, frame: Message) -> Result<(), Gone> {
        let read = match frame {
            Message::Text(text) if text.len() > FRAME_BYTES_MAX => {
                let (bytes, most) = (text.len(), FRAME_BYTES_MAX);
                let message = format!("the frame has {bytes} bytes, and may have {most}");
                Err(Refused::new("too-large", message))
            }
            Message::Text(text) => ClientFrame::read(&text),
            Message::Binary(_) => Err(Refused::new("bad-frame", "send text, not binary frames")),
            // The answer is gathered by now. Who asks and takes no answers must wait,
            // or they would pile up.
            Message::Ping(_) => return taken(&self.front, self.socket.flush()).await,
            Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        let answer = match read.and_then(|frame| self.obey(frame)) {
            Ok(answer) => answer,
            Err(refused) => ServerFrame::Error(refused).message(),
        };
        self.send(answer).await
    }

    /// Does what the client says; returns the answer.
    fn obey(&mut self, frame: ClientFrame) -> Result<Message, Refused> {
        let parse = |texts: &[String]| Patterns::parse(texts.iter().map(String::as_str));
        let had = self.client.patterns();
        let patterns = match frame {
            ClientFrame::Subscribe(texts) => parse(&texts).and_then(|more| had.with(&more)),
            ClientFrame::Unsubscribe(texts) => parse(&texts).map(|less| had.without(&less)),
            ClientFrame::Dispatch(dispatch) => return self.dispatch(&dispatch),
        };
        let patterns = patterns.map_err(|error| Refused::new(error.code(), error.to_string()))?;
        let allowed = self.listener.check(&patterns);
        allowed.map_err(|denied| Refused::new(denied.code(), denied.to_string()))?;
        self.client.listen_to(patterns.clone());
        Ok(ServerFrame::Subscribed(patterns.all()).message())
    }

    /// Sends an event of the client to one plugin.
    fn dispatch(&self, dispatch: &Dispatch) -> Result<Message, Refused> {
        if !self.listener.may_dispatch() {
            let message = format!(
                "sending events requires the scope `{DISPATCH}`, which this client has not"
            );
            return Err(Refused::new("missing-scope", message));
        }
        let sent = dispatch.send(&self.front.events);
        let sent = sent.map_err(|error| Refused::new(error.code, error.message))?;
        Ok(ServerFrame::Dispatched(sent).message())
    }
}

/// Waits until a client has taken something, for a while.
async fn taken(
    front: &Front,
    sent: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Gone> {
    let write_timeout = front.listening.load().write_timeout;
    let taken = timeout(write_timeout, sent).await;
    taken.map_err(|_| Gone)?.map_err(|_| Gone)
}
