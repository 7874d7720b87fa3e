//! Clients that count what they are sent, on one thread.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::Result;

/// The thread's runtime.
pub(crate) struct Load {
    runtime: Runtime,
    tasks: LocalSet,
}

/// Clients of one server.
pub(crate) struct Listening {
    clients: usize,
    count: Rc<Count>,
    published: Cell<u64>,
}

/// What one run came to.
pub(crate) struct Ran {
    pub(crate) delivered: u64,
    pub(crate) elapsed: Duration,
}

/// Events that clients have got, over all of them.
#[derive(Default)]
struct Count {
    events: Cell<u64>,
    awaited: Cell<u64>,
    reached: Notify,
}

/// Longest that is waited for a message to reach all.
const PATIENCE: Duration = Duration::from_secs(30);

impl Load {
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Load {
            runtime,
            tasks: LocalSet::new(),
        })
    }

    /// Connects clients, each of which gets one event to begin with.
    pub(crate) fn connect(&self, address: SocketAddr, clients: usize) -> Result<Listening> {
        let count = Rc::new(Count::default());
        self.tasks.block_on(&self.runtime, async {
            for _ in 0..clients {
                let mut stream = TcpStream::connect(address).await?;
                let request = "GET /api/broadcast?channels=host/%3E HTTP/1.1\r\n\
                               host: localhost\r\n\r\n";
                stream.write_all(request.as_bytes()).await?;
                tokio::task::spawn_local(listen(stream, count.clone()));
            }
            count.reach(clients as u64).await?;
            count.events.set(0);
            let published = Cell::new(0);
            Ok(Listening {
                clients,
                count,
                published,
            })
        })
    }

    /// Publishes bursts for a while, each once the one before has reached all.
    pub(crate) fn run(
        &self,
        listening: &Listening,
        burst: u64,
        time: Duration,
        publish: impl Fn(u64) -> Result<()>,
    ) -> Result<Ran> {
        self.tasks.block_on(&self.runtime, async {
            let (begun, before) = (Instant::now(), listening.count.events.get());
            while begun.elapsed() < time {
                for _ in 0..burst {
                    let n = listening.published.get() + 1;
                    listening.published.set(n);
                    publish(n)?;
                }
                let all = listening.published.get() * listening.clients as u64;
                listening.count.reach(all).await?;
            }
            Ok(Ran {
                delivered: listening.count.events.get() - before,
                elapsed: begun.elapsed(),
            })
        })
    }
}

impl Count {
    fn add(&self, events: u64) {
        let now = self.events.get() + events;
        self.events.set(now);
        if now >= self.awaited.get() {
            self.reached.notify_one();
        }
    }

    /// Waits until there are so many, and not one more.
    async fn reach(&self, events: u64) -> Result<()> {
        self.awaited.set(events);
        while self.events.get() < events {
            let waited = timeout(PATIENCE, self.reached.notified()).await;
            waited.map_err(|_| format!("{} of {events} events came", self.events.get()))?;
        }
        match self.events.get() {
            more if more > events => Err(format!("{more} events came, not {events}").into()),
            _ => Ok(()),
        }
    }
}

/// Counts events by the empty lines behind them, until the server ends.
async fn listen(mut stream: TcpStream, count: Rc<Count>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut last = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let mut events = 0;
        for &byte in &buffer[..read] {
            events += u64::from(byte == b'\n' && last == b'\n');
            last = byte;
        }
        if events > 0 {
            count.add(events);
        }
    }
}
