//! A tiny receiver of webhooks that can misbehave.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub(crate) fn id(&self) -> String {
        self.headers["webhook-id"].to_str().unwrap().to_owned()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status with header lines and a body.
    Whole(u16, &'static str, String),
    /// A head of 200, then a byte now and then, for ever.
    Drip,
    /// A head of 200, then bytes as fast as they are taken.
    Endless,
    /// Nothing, for ever.
    Silence,
    /// The connection is closed.
    Close,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Reply::Whole(status, "", String::new())
    }
}

type Answer = Box<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

/// A receiver that answers by a function of the request and its number.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    answer: Answer,
    received: Mutex<Vec<Received>>,
    connects: AtomicUsize,
    /// Requests that are being answered, and the most there were at a time.
    current: AtomicUsize,
    peak: AtomicUsize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Receiver {
    pub(crate) async fn new(
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    /// Answers all with one status.
    pub(crate) async fn always(status: u16) -> Self {
        Self::new(move |_, _| Reply::status(status)).await
    }

    pub(crate) async fn at(
        address: SocketAddr,
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            received: Mutex::default(),
            connects: AtomicUsize::new(0),
            current: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let address = listener.local_addr().unwrap();
        let accepted = shared.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.connects.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, accepted.clone()));
            }
        });
        Receiver {
            address,
            shared,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.received().iter().map(Received::id).collect()
    }

    pub(crate) fn connects(&self) -> usize {
        self.shared.connects.load(Ordering::SeqCst)
    }

    pub(crate) fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers the requests of one connection; an error is a client that has gone.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = read(&mut stream).await {
        let number = {
            let mut received = shared.received.lock().unwrap();
            received.push(request.clone());
            received.len()
        };
        let current = shared.current.fetch_add(1, Ordering::SeqCst) + 1;
        shared.peak.fetch_max(current, Ordering::SeqCst);
        let reply = (shared.answer)(number, &request);
        // So that requests that may overlap do.
        tokio::time::sleep(Duration::from_millis(2)).await;
        shared.current.fetch_sub(1, Ordering::SeqCst);
        if !send(&mut stream, reply).await {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("POST "), "{head}");
    let mut headers = HeaderMap::new();
    for line in head.trim_end().lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let length = headers["content-length"].to_str().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { headers, body })
}

/// Whether the connection goes on.
async fn send(stream: &mut TcpStream, reply: Reply) -> bool {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    match reply {
        Reply::Whole(status, lines, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{lines}\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.is_ok()
        }
        Reply::Drip => {
            let mut open = stream.write_all(HEAD).await.is_ok();
            while open {
                tokio::time::sleep(Duration::from_millis(5)).await;
                open = stream.write_all(b".").await.is_ok();
            }
            false
        }
        Reply::Endless => {
            let mut open = stream.write_all(HEAD).await.is_ok();
            while open {
                open = stream.write_all(&[b'x'; 1024]).await.is_ok();
            }
            false
        }
        Reply::Silence => {
            // Until the client goes.
            let _ = stream.read_u8().await;
            false
        }
        Reply::Close => false,
    }
}
