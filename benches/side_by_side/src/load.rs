//! Keeps connections busy from one thread, and times every answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Result;
use crate::call::{Head, head};
use crate::spread::at;
use crate::work::Work;

/// What came of one run.
#[derive(Debug)]
pub(crate) struct Answers {
    /// Of each answer, in order of time, in nanoseconds.
    latencies: Vec<u64>,
    elapsed: Duration,
}

impl Answers {
    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time within which the given part of all was answered, in ms.
    pub(crate) fn latency_ms(&self, part: f64) -> f64 {
        at(&self.latencies, part) as f64 / 1e6
    }
}

/// Repeats a request on each of `connections` for as long as told.
///
/// # Errors
/// When any answer is not what it must be.
pub(crate) fn run(
    address: SocketAddr,
    work: &'static Work,
    connections: usize,
    time: Duration,
) -> Result<Answers> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for stream in streams {
            running.spawn(repeat(stream, work, begun + time));
        }
        let mut latencies = Vec::new();
        while let Some(ended) = running.join_next().await {
            latencies.extend(ended??);
        }
        let elapsed = begun.elapsed();
        latencies.sort_unstable();
        Ok(Answers { latencies, elapsed })
    })
}

async fn repeat(
    mut stream: TcpStream,
    work: &'static Work,
    end: Instant,
) -> std::io::Result<Vec<u64>> {
    let request = work.request();
    let mut latencies = Vec::with_capacity(16 * 1024);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        stream.write_all(&request).await?;
        let (head, body) = answer(&mut stream, &mut buffer).await?;
        latencies.push(sent.elapsed().as_nanos() as u64);
        if head.status != work.status || !(work.is_right)(body) {
            let body = String::from_utf8_lossy(body);
            let told = format!("{} was answered {}: {body}", work.name, head.status);
            return Err(std::io::Error::other(told));
        }
    }
}

/// Reads one answer.
async fn answer<'b>(
    stream: &mut TcpStream,
    buffer: &'b mut [u8],
) -> std::io::Result<(Head, &'b [u8])> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(std::io::Error::other(
                "the connection ended within an answer",
            ));
        }
        filled += read;
        if let Some(head) = head(&buffer[..filled])
            && filled >= head.length + head.body_length
        {
            let body = &buffer[head.length..filled];
            return Ok((head, body));
        }
    }
}
