//! Are clients and operators told what happens, when it happens?

use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use super::{JSON, post, reload};
use crate::support::listen::{Listening, TRANSPORTS};
use crate::support::process::{Running, project};
use crate::support::rust_plugin;
use crate::support::server::{Server, eventually, options};

#[test]
fn a_plugin_hears_that_the_host_has_begun_and_its_own_event_once() {
    let server = Server::start(&[&rust_plugin("self-test")]);
    let result = || server.get("/api/ext/self-test/result").json();
    for _ in 0..3 {
        eventually("it has heard both", || {
            result() == json!({"inits": 1, "heard": 1})
        });
        // Whatever else was on its way to it would be there before this.
        let probe = "/api/host/events/test-event?policy=fail_closed";
        assert_eq!(post(&server, probe, &Value::Null).status, 200);
        eventually("it hears the probe", || result()["heard"] != 1);
        assert_eq!(result(), json!({"inits": 1, "heard": 2}));
        reload(&server, "self-test");
    }
}

#[test]
fn ticks_reach_every_client_and_whoever_waits_for_them() {
    let server = Server::start_with(&[&rust_plugin("ticker")], |builder| {
        builder.options("ticker", options(json!({"period_ms": 20})))
    });
    for transport in TRANSPORTS {
        let (mut client, _) = Listening::start(transport, server.address, "ticker/tick", None);
        let first = client.message();
        let number = first["data"]["tick"].as_u64().unwrap();
        for next in number + 1..number + 5 {
            let message = client.message();
            assert_eq!(message["data"], json!({"tick": next}));
            assert_eq!(message["sequence"], next, "{message}");
        }
    }
    // More who wait at a time than it could have threads.
    let now = server.get("/api/ext/ticker/ticks").json();
    let before = now["tick"].as_u64().unwrap();
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let waited = server.get("/api/ext/ticker/ticks?wait=20").json();
                assert!(waited["tick"].as_u64() >= Some(before + 20), "{waited}");
            });
        }
    });
}

#[test]
fn the_log_says_whether_too_much_memory_is_used() {
    if !Path::new("/proc/self/status").exists() {
        println!("skipped: this platform does not tell how much memory a process uses");
        return;
    }
    for (threshold, level, message) in [(1, "WARN", "high"), (1 << 30, "INFO", "ok")] {
        let directory = tempfile::tempdir().unwrap();
        if project(directory.path(), "memwatch").is_none() {
            return;
        }
        let config =
            format!("[plugin.memwatch.options]\nthreshold = {threshold}\nperiod_ms = 100\n");
        std::fs::write(directory.path().join("exthost.toml"), config).unwrap();
        let running = Running::start(directory.path());
        let wanted = format!(" {level} {message} plugin=\"memwatch\"");
        let mut lines = Vec::new();
        eventually(&wanted, || {
            let log = running.log();
            let of = log
                .lines()
                .filter(|line| line.contains("plugin=\"memwatch\""));
            lines = of.map(str::to_owned).collect();
            lines.len() >= 2
        });
        for line in lines {
            assert!(line.contains(&wanted), "{line}");
            let says = format!("\\\"threshold\\\":{threshold}");
            assert!(line.contains(&says), "{line}");
        }
    }
}

#[test]
fn clients_are_told_of_notes_once_they_are_kept_and_of_nothing_else() {
    const NOTES: &str = "/api/ext/notes/items";
    let server = Server::start(&[&rust_plugin("notes")]);
    let start = |transport| Listening::start(transport, server.address, "notes/>", None).0;
    let mut clients = TRANSPORTS.map(start);
    let mut hear = |event: &str| {
        let [first, second] = clients.each_mut().map(Listening::message);
        assert_eq!(first, second);
        assert_eq!(first["channel"], "notes/changed");
        assert_eq!(first["event"], event);
        first["data"].clone()
    };
    let create = |name: &str| post(&server, NOTES, &json!({"name": name}));
    for name in ["milk", "bread"] {
        // What is refused is told to nobody: the next they hear is what is kept.
        for refused in ["", "  ", &"x".repeat(201)] {
            assert_eq!(create(refused).status, 422);
        }
        assert_eq!(post(&server, NOTES, &json!({"title": name})).status, 422);
        let created = create(name);
        assert_eq!(created.status, 201, "{created:?}");
        let told = hear("created");
        assert_eq!(told["id"], created.json()["id"]);
        let one = format!("{NOTES}/{}", told["id"].as_str().unwrap());
        assert_eq!(
            server.get(&one).json(),
            told,
            "it is kept before it is told"
        );

        assert_eq!(server.request("DELETE", &one, JSON, b"").status, 204);
        assert_eq!(server.request("DELETE", &one, JSON, b"").status, 404);
        assert_eq!(hear("deleted"), json!({"id": told["id"]}));
        assert_eq!(server.get(&one).status, 404);
    }
}

#[test]
fn the_page_is_served_and_names_the_client() {
    let server = Server::start(&[&rust_plugin("live")]);
    let page = server.get("/api/ext/live/");
    assert_eq!(page.status, 200);
    let kind = page.header("content-type");
    assert_eq!(kind, Some("text/html; charset=utf-8"));
    assert!(page.text().contains("from \"/api/broadcast/client.js\""));
    let client = server.get("/api/broadcast/client.js");
    assert!(client.text().contains("export class Broadcast"));
}
