//! Does a client that stands still harm nobody, and learn what it has missed?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use tower_service::Service;

use super::super::support::count;
use super::super::support::listen::{Listening, TRANSPORTS, Told};
use super::super::support::server::Server;
use super::{listen, with_settings};

/// How far each client has come.
type Progress = Arc<Vec<AtomicU64>>;

fn progress(clients: usize) -> Progress {
    Arc::new((0..clients).map(|_| AtomicU64::new(0)).collect())
}

/// Publishes so many messages, and never so fast that a client which takes what
/// it is sent would be left behind.
fn publish(server: &Server, messages: u64, beside: &str, healthy: &Progress) {
    let begun = Instant::now();
    let slowest = || {
        let all = healthy.iter().map(|seen| seen.load(Ordering::Relaxed));
        all.min().unwrap_or(u64::MAX)
    };
    for n in 1..=messages {
        while n > slowest() + 512 {
            assert!(
                begun.elapsed() < Duration::from_secs(3600),
                "a client is stuck"
            );
            thread::sleep(Duration::from_micros(200));
        }
        let payload = json!({"n": n, "beside": beside});
        assert_eq!(server.host.publish("ticks", "", &payload).unwrap(), n);
    }
}

#[test]
fn who_takes_nothing_harms_nobody() {
    let (clients, stalled, messages) = (20, 4, 20_000);
    let server = with_settings(|_| {});
    let healthy = progress(clients - stalled);
    let start = |at: usize| listen(&server, TRANSPORTS[at % 2], "host/>").0;
    let mut standing: Vec<_> = (0..stalled).map(start).collect();
    let reading: Vec<_> = (0..clients - stalled)
        .map(|at| {
            let (mut client, healthy) = (start(at), healthy.clone());
            thread::spawn(move || {
                for n in 1..=messages {
                    assert_eq!(client.message()["data"]["n"], n);
                    healthy[at].store(n, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // More than the buffers of their sockets take.
    publish(&server, messages, &"x".repeat(1000), &healthy);
    for client in reading {
        client.join().unwrap();
    }
    let mut told = 0;
    for client in &mut standing {
        let (last, gaps) = catch_up(client, messages);
        assert!(gaps > 0 || last < messages, "it was told all of it");
        told += usize::from(last == messages);
    }
    println!("{told} of {stalled} caught up, the others were let go");
}

/// Reads to the last message or the end; returns the last number and how many
/// losses were told.
fn catch_up(client: &mut Listening, messages: u64) -> (u64, usize) {
    let (mut last, mut gaps) = (0, 0);
    let next = |client: &mut Listening| match client {
        // It may have been cut.
        Listening::Events(events) => events.next().ok().flatten(),
        Listening::Socket(socket) => socket.next(),
    };
    while last < messages {
        match next(client) {
            Some(Told::Message(message)) => {
                assert_eq!(message["data"]["n"], last + 1);
                last += 1;
            }
            Some(Told::Gap(gap)) => {
                assert_eq!(gap["channel"], "host/ticks");
                last += gap["lost"].as_u64().unwrap();
                gaps += 1;
            }
            None => break,
            other => panic!("{other:?}"),
        }
    }
    (last, gaps)
}

#[test]
fn many_that_stand_still_are_told_how_much_they_missed() {
    let (clients, stalled) = (count(40, 1000), count(8, 100));
    let messages = count(10_000, 1_000_000) as u64;
    let server = with_settings(|_| {});
    let healthy = progress(clients - stalled);
    let connect = || {
        let request = Request::get("/api/broadcast?channels=host/%3E");
        let request = request.header("host", "localhost").body(Body::empty());
        let response = server.block_on(server.host.router().call(request.unwrap()));
        Stream::new(response.unwrap().into_body())
    };
    let mut standing: Vec<_> = (0..stalled).map(|_| connect()).collect();
    let reading: Vec<_> = (0..clients - stalled)
        .map(|at| {
            let (mut stream, healthy) = (connect(), healthy.clone());
            server.spawn(async move {
                assert_eq!(stream.next().await, "ready");
                for n in 1..=messages {
                    assert_eq!(stream.next().await, format!("{n}"));
                    healthy[at].store(n, Ordering::Relaxed);
                }
            })
        })
        .collect();
    publish(&server, messages, "", &healthy);
    for client in reading {
        server.block_on(client).unwrap();
    }
    let channel = &server.get("/api/host/broadcast").json()["channels"][0];
    assert_eq!(channel["retained"], 1024);
    assert!(
        channel["bytes"].as_u64().unwrap() < 1024 * 1024,
        "{channel}"
    );
    for stream in &mut standing {
        server.block_on(async {
            assert_eq!(stream.next().await, "ready");
            assert_eq!(stream.next().await, format!("lost {}", messages - 1024));
            for n in messages - 1023..=messages {
                assert_eq!(stream.next().await, format!("{n}"));
            }
        });
    }
}

/// The events of a body, which nobody reads unless they are asked for.
struct Stream {
    body: Body,
    /// What was read last.
    text: String,
    /// Up to where it was told.
    at: usize,
}

impl Stream {
    fn new(body: Body) -> Self {
        Stream {
            body,
            text: String::new(),
            at: 0,
        }
    }

    /// The next event: `ready`, the number of a message, or what is lost.
    async fn next(&mut self) -> String {
        loop {
            if let Some((event, _)) = self.text[self.at..].split_once("\n\n") {
                self.at += event.len() + 2;
                if event != ":" {
                    return told(event);
                }
                continue;
            }
            let frame = self.body.frame().await.expect("it ended").unwrap();
            self.text.drain(..self.at);
            self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
            self.at = 0;
        }
    }
}

fn told(event: &str) -> String {
    let number = |name: &str| {
        let (_, rest) = event.split_once(name)?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        Some(rest[..end].to_owned())
    };
    if event.contains("event: ready") {
        return "ready".to_owned();
    }
    let lost = number("\"lost\":").map(|lost| format!("lost {lost}"));
    lost.or_else(|| number("\"sequence\":")).unwrap()
}
