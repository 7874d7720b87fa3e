//! Does a filter or an observer that fails cost no more than the policy says, or
//! nothing?

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use exthost::Limits;
use serde_json::{Value, json};

use crate::support::client::Connection;
use crate::support::count;
use crate::support::server::{Server, eventually};

use super::faulty;

/// Each way to panic in a handler of events.
const PANICS: [&str; 4] = ["panic", "panic-async", "panic-later", "panic-drop"];

const POLICIES: [&str; 2] = ["fail_open", "fail_closed"];

/// What the filters of `faulty.<name>` decide under a policy.
fn ask(server: &Server, name: &str, policy: &str, deadline_ms: u64) -> Value {
    ask_on(&mut server.connect(), name, policy, deadline_ms)
}

fn ask_on(connection: &mut Connection, name: &str, policy: &str, deadline_ms: u64) -> Value {
    let path = format!("/api/host/events/faulty.{name}?policy={policy}&deadline_ms={deadline_ms}");
    let headers = [("content-type", "application/json")];
    let answer = connection.request("POST", &path, &headers, b"1").unwrap();
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    answer.json()
}

/// A filter has failed in this way: passed over, or a veto.
fn assert_failed(decision: &Value, policy: &str, why: &str) {
    assert_eq!(decision["payload"], 1, "{decision}");
    let (by, reason) = match policy {
        "fail_open" => (Value::Null, Value::Null),
        _ => (json!("faulty"), json!(format!("its filter failed: {why}"))),
    };
    assert_eq!(decision["vetoed_by"], by, "{policy}: {decision}");
    assert_eq!(decision["reason"], reason, "{policy}: {decision}");
}

fn faults(server: &Server) -> u64 {
    server.plugin("faulty")["faults"].as_u64().unwrap()
}

/// A number that the plugin counts.
fn counted(server: &Server, what: &str) -> u64 {
    let counts = server.get("/api/ext/faulty/events/counts").json();
    counts[what].as_u64().unwrap()
}

fn assert_serves(server: &Server) {
    assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
    let decision = ask(server, "filter.fine", "fail_closed", 30_000);
    assert_eq!(decision["vetoed_by"], Value::Null, "{decision}");
}

#[test]
fn the_policy_says_what_a_filter_that_fails_means() {
    let server = faulty(json!({}));
    let mut before = faults(&server);
    for (how, deadline_ms, why) in [
        ("panic", 30_000, "panicked"),
        ("panic-async", 30_000, "panicked"),
        ("panic-later", 30_000, "internal"),
        ("panic-drop", 30_000, "panicked"),
        ("error", 30_000, "internal"),
        ("silent", 20, "timeout"),
        ("late", 20, "timeout"),
    ] {
        for policy in POLICIES {
            let decision = ask(&server, &format!("filter.{how}"), policy, deadline_ms);
            assert_failed(&decision, policy, why);
            let now = faults(&server);
            assert!(now > before, "{how}: {now} faults, {before} before");
            before = now;
        }
        assert_serves(&server);
    }
    eventually("the futures that nobody waits for are dropped", || {
        server.get("/api/ext/faulty/left").json()["left"] == 2
    });
}

#[test]
fn a_verdict_that_comes_too_late_changes_nothing() {
    let server = faulty(json!({}));
    for (before, policy) in POLICIES.iter().enumerate() {
        // Its time may be over before it is called.
        eventually("it is called", || {
            let decision = ask(&server, "filter.late", policy, 20);
            assert_failed(&decision, policy, "timeout");
            counted(&server, "held") > before as u64
        });
    }
    assert_eq!(counted(&server, "late"), 0);
    assert_eq!(server.get("/api/ext/faulty/events/release").status, 204);
    eventually("the vetoes come", || {
        counted(&server, "late") == counted(&server, "held")
    });
    assert_serves(&server);
    let decision = ask(&server, "filter.late", "fail_open", 30_000);
    assert_eq!(decision["reason"], "it was late", "now it is in time");
}

#[test]
fn panics_in_filters_and_observers_cost_nothing_else() {
    let server = faulty(json!({}));
    let rounds = count(125, 1_250) as u64;
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = server.connect();
            while !over.load(Ordering::Relaxed) {
                for path in ["/api/ext/hello/hello", "/api/ext/faulty/items/1"] {
                    let response = connection.request("GET", path, &[], b"").unwrap();
                    assert_eq!(response.status, 200, "{path}: {response:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let mut connection = server.connect();
        for round in 0..rounds {
            for how in PANICS {
                let policy = POLICIES[round as usize % 2];
                let decision = ask_on(&mut connection, &format!("filter.{how}"), policy, 30_000);
                assert_eq!(decision["vetoed_by"].is_null(), policy == "fail_open");
                let name = format!("faulty.observer.{how}");
                server.host.emit(&name, &round).unwrap();
            }
            // Never more than a queue has room for.
            if round % 50 == 0 {
                assert_heard(&server, 4 * (round + 1));
            }
        }
        assert_heard(&server, 4 * rounds);
        over.store(true, Ordering::Relaxed);
    });
    eventually("each panic counts", || faults(&server) >= 8 * rounds);
    assert_serves(&server);
    let plugin = server.plugin("faulty");
    assert_eq!(plugin["generation"], 1);
    for subscription in plugin["subscriptions"].as_array().unwrap() {
        assert_eq!(subscription["lost"], 0, "{subscription}");
    }
    println!(
        "{} panics, {} requests answered",
        8 * rounds,
        answered.into_inner()
    );
}

/// Waits until every observer has dealt with what it was told, `events` in all.
fn assert_heard(server: &Server, events: u64) {
    eventually("all is heard", || {
        let plugin = server.plugin("faulty");
        let subscriptions = plugin["subscriptions"].as_array().unwrap();
        let none_waits = subscriptions.iter().all(|each| each["queued"] == 0);
        none_waits && counted(server, "heard") == events
    });
}

#[test]
fn an_observer_that_fails_is_counted_and_goes_on() {
    let server = faulty(json!({}));
    for how in PANICS.into_iter().chain(["error"]) {
        for _ in 0..3 {
            let before = faults(&server);
            let name = format!("faulty.observer.{how}");
            server.host.emit(&name, &1).unwrap();
            eventually(&name, || faults(&server) > before);
        }
    }
    eventually("all is heard", || counted(&server, "heard") == 15);
    assert_serves(&server);
}

#[test]
fn an_observer_that_blocks_holds_up_nobody_and_the_next_generation_takes_over() {
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_millis(300);
    let server = super::with_limits(json!({}), limits);
    let block = |ms: u64| {
        let event = json!({"ms": ms});
        server.host.emit("faulty.observer.block", &event).unwrap();
    };
    // Far longer than the test waits for anything.
    block(600_000);
    eventually("it blocks", || counted(&server, "blocked") == 1);
    block(0);
    let waiting = || {
        let plugin = server.plugin("faulty");
        let subscriptions = plugin["subscriptions"].as_array().unwrap();
        let of = |each: &&Value| each["pattern"] == "faulty.observer.block";
        subscriptions.iter().find(of).unwrap()["queued"].clone()
    };
    assert_eq!(waiting(), 1);
    let before = faults(&server);
    server.host.emit("faulty.observer.panic", &1).unwrap();
    eventually("others are called", || faults(&server) > before);
    for _ in 0..20 {
        assert_serves(&server);
        assert_eq!(server.get("/api/ext/hello/hello").status, 200);
    }
    assert_eq!(waiting(), 1, "an observer hears in order");
    let reload = server.request("POST", "/api/host/plugins/faulty/reload", &[], b"");
    assert_eq!(reload.status, 200, "{reload:?}");
    eventually("the next generation hears what waits", || {
        counted(&server, "blocked") == 1
    });
    eventually("the one that blocks is given up", || {
        server.plugin("faulty")["abandoned"] == 1
    });
    assert_serves(&server);
}

#[test]
fn subscriptions_that_come_and_go_disturb_nobody() {
    let server = faulty(json!({}));
    let subscriptions = || server.plugin("faulty")["subscriptions"].clone();
    let before = subscriptions();
    let over = AtomicBool::new(false);
    let rounds = count(300, 10_000);
    thread::scope(|scope| {
        let asks: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = server.connect();
                    let mut asked = 0;
                    while !over.load(Ordering::Relaxed) || asked == 0 {
                        let decision = ask_on(&mut connection, "churn", "fail_closed", 30_000);
                        assert_eq!(decision["vetoed_by"], Value::Null, "{decision}");
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        let churns: Vec<_> = (0..4)
            .map(|_| {
                let route = format!("/api/ext/faulty/events/churn?rounds={rounds}");
                scope.spawn(|| server.connect().request("GET", &{ route }, &[], b""))
            })
            .collect();
        for churned in churns {
            let churned = churned.join().unwrap().unwrap();
            assert_eq!(churned.status, 204, "{churned:?}");
        }
        over.store(true, Ordering::Relaxed);
        let asked: u64 = asks.into_iter().map(|asks| asks.join().unwrap()).sum();
        println!("asked {asked} times over {} subscriptions", 12 * rounds);
    });
    assert_eq!(subscriptions(), before);
    assert_eq!(faults(&server), 0);
    assert_serves(&server);
}

#[test]
fn what_waits_behind_an_observer_that_blocks_goes_to_the_next_generation() {
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_millis(300);
    let server = super::with_limits(json!({}), limits);
    // The second is taken together with those behind it.
    for ms in [500, 600_000, 0, 0, 0] {
        let event = json!({"ms": ms});
        server.host.emit("faulty.observer.block", &event).unwrap();
    }
    eventually("the second blocks", || counted(&server, "blocked") == 2);
    let reload = server.request("POST", "/api/host/plugins/faulty/reload", &[], b"");
    assert_eq!(reload.status, 200, "{reload:?}");
    eventually("the one that blocks is given up", || {
        server.plugin("faulty")["abandoned"] == 1
    });
    eventually("the next generation hears the others", || {
        counted(&server, "blocked") == 3
    });
}
