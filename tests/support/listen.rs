//! Clients that listen to published messages, over both transports.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::{Request, Response};
use tungstenite::{Message, WebSocket};

use super::client::{Connection, head};

/// What a client is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// Where it begins.
    Ready(String),
    /// A message.
    Message(Value),
    /// A loss.
    Gap(Value),
    /// Anything else on a WebSocket: an answer.
    Other(Value),
}

impl Told {
    /// The message.
    pub(crate) fn message(self) -> Value {
        match self {
            Told::Message(message) => message,
            other => panic!("{other:?} is no message"),
        }
    }

    /// The loss.
    pub(crate) fn gap(self) -> Value {
        match self {
            Told::Gap(gap) => gap,
            other => panic!("{other:?} is no gap"),
        }
    }
}

/// The two ways to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Events,
    Socket,
}

pub(crate) const TRANSPORTS: [Transport; 2] = [Transport::Events, Transport::Socket];

/// A client that listens.
pub(crate) enum Listening {
    Events(Events),
    Socket(Socket),
}

impl Listening {
    /// Listens to `channels`, from `since` on; the first thing told is left out
    /// and returned beside it: where it begins.
    pub(crate) fn start(
        transport: Transport,
        address: SocketAddr,
        channels: &str,
        since: Option<&str>,
    ) -> (Self, String) {
        let mut query = format!("?channels={channels}");
        if let Some(since) = since {
            query += &format!("&last_event_id={since}");
        }
        let mut listening = match transport {
            Transport::Events => Listening::Events(Events::open(address, &query, &[])),
            Transport::Socket => Listening::Socket(Socket::open(address, &query)),
        };
        match listening.next() {
            Some(Told::Ready(id)) => (listening, id),
            other => panic!("{transport:?} begins with {other:?}"),
        }
    }

    /// What it is told next; nothing at a clean end.
    pub(crate) fn next(&mut self) -> Option<Told> {
        match self {
            Listening::Events(events) => events.next().unwrap(),
            Listening::Socket(socket) => socket.next(),
        }
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Value {
        self.next().expect("it ended").message()
    }

    /// The next loss.
    pub(crate) fn gap(&mut self) -> Value {
        self.next().expect("it ended").gap()
    }
}

/// Server-sent events.
pub(crate) struct Events {
    connection: Connection,
    text: String,
    events: VecDeque<Told>,
    /// Comments so far.
    pub(crate) comments: usize,
    /// The id that the last event set.
    pub(crate) last_id: String,
}

impl Events {
    pub(crate) fn open(address: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut connection = Connection::open(address).unwrap();
        let path = format!("/api/broadcast{}", encoded(query));
        connection
            .send(&head("GET", &path, headers, Some(0)))
            .unwrap();
        let (status, headers) = connection.response_head().unwrap();
        assert_eq!(status, 200, "{headers:?}");
        let kind = ("content-type".to_owned(), "text/event-stream".to_owned());
        assert!(headers.contains(&kind), "{headers:?}");
        Events {
            connection,
            text: String::new(),
            events: VecDeque::new(),
            comments: 0,
            last_id: String::new(),
        }
    }

    /// The next event; nothing at a clean end, an error at any other.
    pub(crate) fn next(&mut self) -> io::Result<Option<Told>> {
        loop {
            if let Some(told) = self.events.pop_front() {
                return Ok(Some(told));
            }
            let Some(chunk) = self.connection.chunk()? else {
                assert_eq!(self.text, "", "it ended within an event");
                return Ok(None);
            };
            self.text += std::str::from_utf8(&chunk).unwrap();
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                self.take(&block);
            }
        }
    }

    /// Takes one block as the standard says, as far as it is used.
    fn take(&mut self, block: &str) {
        let (mut event, mut data) = ("message", String::new());
        for line in block.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("event", name) => event = name,
                ("id", id) => id.clone_into(&mut self.last_id),
                ("data", text) => data += text,
                ("retry", text) => assert_eq!(text, "1000"),
                (":", _) => self.comments += 1,
                other => panic!("{other:?} in {block:?}"),
            }
        }
        if data.is_empty() {
            return;
        }
        let json: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(json["id"], *self.last_id, "{block}");
        self.events.push_back(match event {
            "ready" => Told::Ready(self.last_id.clone()),
            "message" => Told::Message(json),
            "gap" => Told::Gap(json),
            other => panic!("there is no event {other}"),
        });
    }
}

/// A WebSocket.
pub(crate) struct Socket {
    socket: WebSocket<TcpStream>,
    /// Why the host closed it: code and reason.
    pub(crate) closed: Option<(u16, String)>,
}

impl Socket {
    pub(crate) fn open(address: SocketAddr, query: &str) -> Self {
        Self::begin(address, request(query, "localhost", None))
    }

    /// One of somebody else than the developer: an actor in JSON.
    pub(crate) fn open_as(address: SocketAddr, query: &str, actor: &Value) -> Self {
        let mut request = request(query, "localhost", None);
        let actor = actor.to_string().parse().unwrap();
        request.headers_mut().insert("x-exthost-actor", actor);
        Self::begin(address, request)
    }

    fn begin(address: SocketAddr, request: Request) -> Self {
        let (socket, _) = handshake(address, request).unwrap();
        Socket {
            socket,
            closed: None,
        }
    }

    /// What it is told next; nothing once it is closed or cut.
    pub(crate) fn next(&mut self) -> Option<Told> {
        loop {
            return match self.socket.read() {
                Ok(Message::Text(text)) => Some(told(&text)),
                Ok(Message::Close(frame)) => {
                    self.closed = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                    continue;
                }
                Ok(Message::Ping(_)) => continue,
                Ok(other) => panic!("{other:?} from the host"),
                Err(_) => None,
            };
        }
    }

    /// Sends a frame, and returns the answer.
    pub(crate) fn ask(&mut self, frame: Message) -> Value {
        self.socket.send(frame).unwrap();
        match self.next() {
            Some(Told::Other(answer)) => answer,
            other => panic!("{other:?} is no answer"),
        }
    }
}

fn told(text: &str) -> Told {
    let json: Value = serde_json::from_str(text).unwrap();
    if json["channel"].is_string() {
        Told::Message(json)
    } else if json["gap"].is_object() {
        Told::Gap(json["gap"].clone())
    } else if let Some(id) = json["ready"]["id"].as_str() {
        Told::Ready(id.to_owned())
    } else {
        Told::Other(json)
    }
}

/// A query as browsers send it.
pub(crate) fn encoded(query: &str) -> String {
    query.replace('>', "%3E").replace(' ', "%20")
}

/// A request to become a WebSocket.
pub(crate) fn request(query: &str, host: &str, origin: Option<&str>) -> Request {
    let uri = format!("ws://localhost/api/broadcast/ws{}", encoded(query));
    let mut request = uri.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("host", host.parse().unwrap());
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    request
}

/// Asks the host for a WebSocket; otherwise returns status and body.
pub(crate) fn handshake(
    address: SocketAddr,
    request: Request,
) -> Result<(WebSocket<TcpStream>, Response), (u16, String)> {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    match tungstenite::client(request, stream) {
        Ok(opened) => Ok(opened),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            let body = response.body().clone().unwrap_or_default();
            Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
        }
        Err(other) => panic!("{other}"),
    }
}
