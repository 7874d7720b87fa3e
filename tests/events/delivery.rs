//! Is what was sent heard once, in order, whatever its plugin goes through?

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use exthost::{Decision, Limits, Policy};
use serde_json::{Value, json};

use super::*;
use crate::support::count;

/// Limits under which an `init` may wait for a test.
fn patient() -> Limits {
    let mut limits = Limits::default();
    limits.init_deadline = Duration::from_secs(120);
    limits
}

fn numbers(range: impl Iterator<Item = u64>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[test]
fn what_is_sent_before_a_plugin_is_ready_comes_first_in_order_and_once() {
    let Some(plugin) = shared_c_plugin(EVENTS_C) else {
        return;
    };
    let journal = Journal::new();
    let gate = journal.file("gate");
    let option = journal.beside(json!({"gate": gate, "hear": "to.>"}));
    let server = Server::start_with(&[], |builder| {
        let builder = builder.options("events-c", options(option));
        builder.limits(patient())
    });
    let send = |number: u64| dispatch(&server, "events-c", "to.it", number);
    assert_eq!(send(0).code(), "no-such-plugin");
    thread::scope(|scope| {
        let installed = scope.spawn(|| server.block_on(server.host.install(plugin)));
        // Its init has begun, and waits for the gate.
        eventually("it is on its way", || send(1).status == 202);
        let mut sent = 1;
        let refused = loop {
            let answer = send(sent + 1);
            if answer.status != 202 {
                break answer;
            }
            assert_eq!(answer.json()["ready"], false);
            sent += 1;
        };
        assert_eq!((refused.status, &*refused.code()), (503, "busy"));
        let detail = refused.json()["detail"].clone();
        assert_eq!(
            detail,
            "1024 events wait for events-c, which is not ready yet"
        );
        assert_eq!(sent, 1024);
        File::create(&gate).unwrap();
        // Those under way while it becomes ready are heard as well, unless refused.
        let mut accepted: Vec<u64> = (1..=sent).collect();
        let mut next = sent;
        loop {
            next += 1;
            let answer = send(next);
            match answer.status {
                202 => accepted.push(next),
                _ => assert_eq!(answer.code(), "busy"),
            }
            if answer.status == 202 && answer.json()["ready"] == true {
                assert_eq!(answer.json()["subscriptions"], 1);
                break;
            }
        }
        assert_eq!(installed.join().unwrap().unwrap().as_str(), "events-c");
        journal.wait_for("to.it", |number| *number == next);
        let accepted = numbers(accepted.into_iter());
        assert_eq!(journal.payloads("to.it"), accepted);
    });
    assert_eq!(journal.events()[0]["emitter"], "");
}

#[test]
fn what_init_sends_to_its_own_plugin_at_the_start_is_heard_once() {
    let journal = Journal::new();
    let option = json!({"hear": "early", "early": "early"});
    let Some(server) = serve(&journal, option, |builder| builder) else {
        return;
    };
    journal.wait_for("early", |number| *number == 3);
    assert_eq!(journal.payloads("early"), numbers(1..=3));
    assert_eq!(journal.events()[0]["emitter"], "events-c");
    reload(&server, "events-c");
    eventually("the next generation sends as well", || {
        journal.payloads("early").len() == 6
    });
}

#[test]
fn a_reload_under_emission_loses_and_doubles_nothing() {
    let journal = Journal::new();
    let option = json!({"hear": "tick.>"});
    let Some(server) = serve(&journal, option, |builder| builder) else {
        return;
    };
    let reloads = count(4, 100);
    let ended = AtomicBool::new(false);
    let emitted = thread::scope(|scope| {
        let emits = scope.spawn(|| {
            let mut emitted = 0;
            while !ended.load(Ordering::Relaxed) || emitted < 1000 {
                match emitted % 2 {
                    0 => server.host.emit("tick.all", &emitted).unwrap(),
                    _ => server
                        .host
                        .emit_to("events-c", "tick.one", &emitted)
                        .unwrap(),
                }
                emitted += 1;
                // Never more than its queue has room for.
                if emitted % 10_000 == 0 {
                    eventually("it keeps up", || {
                        journal.events().len() as u64 + 30_000 > emitted
                    });
                }
            }
            emitted
        });
        for _ in 0..reloads {
            reload(&server, "events-c");
            thread::sleep(Duration::from_millis(20));
        }
        ended.store(true, Ordering::Relaxed);
        emits.join().unwrap()
    });
    eventually("all of it is heard", || {
        journal.events().len() as u64 >= emitted
    });
    eventually("the old generations are retired", || {
        server.plugin("events-c")["retired"] == reloads
    });
    let events = journal.events();
    let mut heard: Vec<u64> = events
        .iter()
        .map(|event| event["payload"].as_u64().unwrap())
        .collect();
    heard.sort_unstable();
    let expected: Vec<u64> = (0..emitted).collect();
    assert!(heard == expected, "{} of {emitted}", heard.len());
    assert!(events.iter().all(|event| event["lost"] == 0));
    println!("{emitted} events over {reloads} reloads");
}

#[test]
fn filters_are_asked_by_priority_then_plugin() {
    let directory = tempfile::tempdir().unwrap();
    let (Some(first), Some(second)) = (
        named(directory.path(), "events-a"),
        named(directory.path(), "events-b"),
    ) else {
        return;
    };
    // Found in the other order.
    let server = Server::start(&[&second, &first]);
    let vetoed_by = |name: &str| {
        let query = "policy=fail_closed&deadline_ms=60000";
        let decision = ask(&server, name, query, b"1").json();
        decision["vetoed_by"].as_str().unwrap().to_owned()
    };
    subscribe(&server, "events-b", "as=veto&to=tie");
    subscribe(&server, "events-a", "as=veto&to=tie");
    assert_eq!(vetoed_by("tie"), "events-a");
    subscribe(&server, "events-a", "as=veto&to=order&priority=2");
    subscribe(&server, "events-b", "as=veto&to=order&priority=1");
    assert_eq!(vetoed_by("order"), "events-b");
    // What one plugin asks, the other decides on.
    let asked = server
        .get("/api/ext/events-a/ask?name=order&policy=2&deadline=60000")
        .json();
    assert_eq!(asked["status"], 16);
    assert_eq!(asked["vetoed_by"], "events-b");
    assert_eq!(asked["reason"], "it is evil");
}

#[test]
fn a_filter_whose_plugin_ends_while_it_is_asked_has_failed() {
    let journal = Journal::new();
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_secs(2);
    let Some(server) = serve(&journal, json!({}), |builder| builder.limits(limits)) else {
        return;
    };
    for (policy, expected) in [("fail_open", None), ("fail_closed", Some("events-c"))] {
        let id = subscribe(&server, "events-c", "as=silent&to=held");
        let last = format!("/api/ext/events-c/last?subscription={id}");
        let clients = count(8, 100);
        let query = format!("policy={policy}&deadline_ms=60000");
        thread::scope(|scope| {
            let asks: Vec<_> = (0..clients)
                .map(|_| scope.spawn(|| ask(&server, "held", &query, b"1")))
                .collect();
            eventually("all are asked", || {
                server.get(&last).json()["heard"] == clients
            });
            reload(&server, "events-c");
            for asked in asks {
                let decision = asked.join().unwrap().json();
                assert_eq!(decision["vetoed_by"].as_str(), expected, "{decision}");
                let reason = expected.map(|_| "its filter failed: stopped");
                assert_eq!(decision["reason"].as_str(), reason, "{decision}");
            }
        });
    }
}

#[test]
fn a_chain_of_events_ends_at_its_depth() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    assert!(!server.host.has_listeners("deep"));
    let id = subscribe(&server, "events-c", "as=again&to=deep");
    assert!(server.host.has_listeners("deep"));
    let last = format!("/api/ext/events-c/last?subscription={id}");
    let rounds = count(3, 100);
    for round in 1..=rounds {
        server.host.emit("deep", "").unwrap();
        eventually("8 events have caused each other", || {
            server.get(&last).json()["heard"] == 8 * round
        });
    }
}

#[test]
fn the_application_asks_and_is_told_what_it_cannot() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    let (host, long) = (&server.host, Some(Duration::from_secs(60)));
    let nobody = host.request("core.number", &1, Policy::FailClosed);
    assert_eq!(server.block_on(nobody).unwrap(), Decision::Passed(1));
    subscribe(&server, "events-c", "as=append&to=core.number");
    let decided = host.request_within("core.number", &1, Policy::FailClosed, long);
    assert_eq!(server.block_on(decided).unwrap(), Decision::Passed(12));
    let text = "1".to_owned();
    let decided = host.request_within("core.number", &text, Policy::FailClosed, long);
    assert_eq!(server.block_on(decided).unwrap_err().code, "payload");
    subscribe(&server, "events-c", "as=veto&to=core.number&priority=1");
    let decided = host.request_within("core.number", &1, Policy::FailOpen, long);
    let Decision::Vetoed { by, reason } = server.block_on(decided).unwrap() else {
        panic!("it passed");
    };
    assert_eq!((by.as_str(), &*reason), ("events-c", "it is evil"));
    for name in ["", "a..b", "a.*", "core.>"] {
        assert_eq!(host.emit(name, &1).unwrap_err().code, "invalid");
        assert!(!host.has_listeners(name));
    }
    let unknown = host.emit_to("nobody", "deep", &1).unwrap_err();
    assert_eq!(unknown.code, "no-such-plugin");
}

#[test]
fn a_plugin_that_does_not_start_is_unknown_again() {
    let Some(plugin) = shared_c_plugin(EVENTS_C) else {
        return;
    };
    let journal = Journal::new();
    let gate = journal.file("gate");
    // It sends itself what cannot be sent, and so its init fails, past the gate.
    let releases = journal.file("releases");
    let option = json!({"gate": gate, "hear": ">", "early": "a..b", "releases": releases});
    let option = journal.beside(option);
    let server = Server::start_with(&[], |builder| {
        let builder = builder.options("events-c", options(option));
        builder.limits(patient())
    });
    thread::scope(|scope| {
        let installed = scope.spawn(|| server.block_on(server.host.install(plugin)));
        eventually("it is on its way", || {
            dispatch(&server, "events-c", "a", 1).status == 202
        });
        File::create(&gate).unwrap();
        let refused = installed.join().unwrap().unwrap_err();
        assert_eq!(refused.code(), "init-failed");
    });
    let answer = dispatch(&server, "events-c", "a", 2);
    assert_eq!((answer.status, &*answer.code()), (404, "no-such-plugin"));
    assert!(!server.host.has_listeners("a"));
    assert!(journal.events().is_empty());
    assert_eq!(std::fs::read_to_string(releases).unwrap(), "released\n");
}

#[test]
fn a_filter_that_asks_itself_for_no_cause_ends_at_the_depth() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    subscribe(&server, "events-c", "as=ask-again&to=loop");
    let decision = ask(&server, "loop", "policy=fail_closed", b"1").json();
    assert_eq!(decision["reason"], Value::Null);
}
