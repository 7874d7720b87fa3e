//! Told to end under load, does the host answer every accepted request, and does
//! `stop` then run for each plugin?

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::support::client::{Connection, Response};
use super::support::count;
use super::support::process::{Running, project};

/// Asks over and over on kept-alive connections; returns when the host takes no
/// more. Returns the address of the last connection if that was reset before its
/// first answer: the system may have accepted it in the instant when the listener
/// closed, but then the host has not.
fn load(address: SocketAddr, path: &str, answered: &AtomicU64) -> Option<SocketAddr> {
    loop {
        let mut connection = Connection::open(address).ok()?;
        let local = connection.local_address();
        for asked in 0.. {
            match connection.request("GET", path, &[], b"") {
                Ok(response) => {
                    assert_eq!(response.status, 200, "{path}: {response:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                    if closes(&response) {
                        break;
                    }
                }
                Err(_) if asked == 0 => return Some(local),
                Err(error) => panic!("{path}: lost an answer: {error}"),
            }
        }
    }
}

fn closes(response: &Response) -> bool {
    response.header("connection") == Some("close")
}

#[test]
fn a_signal_under_load_loses_no_accepted_request() {
    for round in 0..count(2, 200) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["hello", "faulty"] {
            if project(directory.path(), name).is_none() {
                return;
            }
        }
        let running = Running::start(directory.path());
        let address = running.address;
        let answered = AtomicU64::new(0);
        let (signalled, reset) = thread::scope(|scope| {
            let clients = [
                "/api/ext/hello/hello",
                "/api/ext/hello/whoami",
                "/api/ext/faulty/sleep?ms=30",
                "/api/ext/faulty/block?ms=20",
                "/api/ext/faulty/stream?chunks=5&ms=5",
            ]
            .map(|path| {
                let answered = &answered;
                scope.spawn(move || load(address, path, answered))
            });
            // A slow one that is under way when the signal comes.
            let slow = scope.spawn(move || {
                let mut connection = Connection::open(address).unwrap();
                connection.request("GET", "/api/ext/faulty/sleep?ms=900", &[], b"")
            });
            thread::sleep(Duration::from_millis(300 + round as u64 % 50));
            running.signal("-TERM");
            let signalled = Instant::now();
            assert_eq!(slow.join().unwrap().unwrap().status, 200);
            let reset = clients.map(|client| client.join().unwrap());
            (signalled, reset)
        });
        let (code, log) = running.wait();
        assert!(signalled.elapsed() < Duration::from_secs(10));
        assert_eq!(code, Some(0), "{log}");
        assert!(answered.into_inner() > 5);
        for peer in reset.into_iter().flatten() {
            let accepted = log.contains(&format!("peer={peer}"));
            assert!(!accepted, "{peer} was accepted and not answered");
        }
        assert!(
            log.contains("peer=127.0.0.1:"),
            "the log lacks what was accepted: {log}"
        );
        assert!(log.contains("stop of faulty"), "stop has not run: {log}");
        assert!(log.contains("drop of faulty"), "destroy has not run: {log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "faulty").is_none() {
        return;
    }
    let running = Running::start(directory.path());
    let mut connection = Connection::open(running.address).unwrap();
    connection
        .begin("GET", "/api/ext/faulty/sleep?ms=60000")
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let signalled = Instant::now();
    running.signal("-INT");
    thread::sleep(Duration::from_millis(300));
    running.signal("-INT");
    let (code, _) = running.wait();
    assert_eq!(code, Some(130));
    assert!(signalled.elapsed() < Duration::from_secs(5));
}
