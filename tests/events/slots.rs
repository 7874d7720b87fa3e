//! Does each slot do as it says, from wherever it is called? And is each misuse an
//! error code, each completion one, each release one?

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use exthost::Limits;
use serde_json::{Value, json};

use super::*;
use crate::support::{compiles_without_a_warning, count};

const PLUGIN: &str = "/api/ext/events-c";

/// What a route reports of its calls: name and status of each.
fn report(server: &Server, route: &str) -> Vec<(String, i64)> {
    let response = server.get(&format!("{PLUGIN}/{route}"));
    assert_eq!(response.status, 200, "{route}: {response:?}");
    let json = response.json();
    let calls = json.as_array().unwrap().iter();
    calls
        .map(|call| {
            let what = call[0].as_str().unwrap().to_owned();
            (what, call[1].as_i64().unwrap())
        })
        .collect()
}

/// Every step went as it should.
fn assert_steps(server: &Server, route: &str, count: usize) {
    let steps = report(server, route);
    for (step, status) in &steps {
        assert_eq!(*status, 0, "{route}: {step}");
    }
    assert_eq!(steps.len(), count, "{route}: {steps:?}");
}

/// Every completion and every release has come, once, and as its contract says.
fn assert_balanced(server: &Server) {
    let counts = || server.get(&format!("{PLUGIN}/counts")).json();
    eventually("what was accepted completes and is released", || {
        let counts = counts();
        counts["accepted"] == counts["completed"] && counts["held"] == counts["released"]
    });
    assert_eq!(counts()["faults"], 0, "{}", counts());
}

#[test]
fn the_plugin_compiles_without_a_warning() {
    compiles_without_a_warning(EVENTS_C);
}

#[test]
fn each_slot_does_as_it_says_wherever_it_is_called() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    let everywhere = (0..6).flat_map(|from| (0..2).map(move |later| (from, later)));
    let routes: Vec<_> = everywhere
        .map(|(from, later)| format!("all?from={from}&async={later}"))
        .collect();
    for route in &routes {
        assert_steps(&server, route, STEPS);
    }
    // And at the same time.
    for _ in 0..count(2, 50) {
        thread::scope(|scope| {
            for route in &routes {
                scope.spawn(|| assert_steps(&server, route, STEPS));
            }
        });
        let steps = report(&server, "all-inline");
        if is_inline(&server, "/all-inline") {
            let done: Vec<_> = steps.iter().filter(|(_, status)| *status == 0).collect();
            assert_eq!((done.len(), steps.len()), (8, 8), "{steps:?}");
        } else {
            println!("skipped: all-inline, which the watchdog of a busy machine has demoted");
        }
    }
    assert_balanced(&server);
    assert_eq!(server.plugin("events-c")["subscriptions"], json!([]));
}

const STEPS: usize = 53;

/// Whether a route still runs where it may not wait.
fn is_inline(server: &Server, pattern: &str) -> bool {
    let plugin = server.plugin("events-c");
    let mut routes = plugin["routes"].as_array().unwrap().iter();
    let route = routes.find(|route| route["pattern"] == pattern).unwrap();
    route["inline"].as_bool().unwrap()
}

#[test]
fn what_decides_on_a_request_ends_when_that_is_cancelled() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    for _ in 0..count(3, 50) {
        assert_steps(&server, "cancel", 4);
    }
    assert_balanced(&server);
}

/// The status of each misuse, and of the calls beside it that are none or show
/// what it has left.
const MISUSE: &[(i64, &str)] = &[
    (
        0,
        "refused subscriptions released; subscribe largest limits; unsubscribe largest limits; \
         subscribe without release; unsubscribe without release; unsubscribe at the limit; emit \
         largest payload; emit_to largest payload; emit for a made-up cause; emit for the largest \
         cause; emit_to who waits; emit_to fill; emit past a full queue; unsubscribe full; \
         has_listeners null listeners; calls of refused requests; request for a made-up cause; \
         request later longest deadline; request later longest deadline ends; filter; answer; \
         unsubscribe filter; answering observer passes",
    ),
    (
        1,
        "subscribe null ctx; subscribe null spec; subscribe misaligned spec; subscribe null \
         handle; subscribe null pattern; subscribe huge pattern; subscribe pattern not utf-8; \
         subscribe no pattern; subscribe empty token; subscribe rest in the middle; subscribe \
         part of a token; subscribe long pattern; subscribe unknown mode; subscribe largest mode; \
         subscribe unknown flag; subscribe all flags; unsubscribe null ctx; emit null ctx; emit \
         null; emit misaligned; emit_to null ctx; emit_to null; emit_to misaligned; emit null \
         name; emit_to null name; emit huge name; emit_to huge name; emit name not utf-8; emit_to \
         name not utf-8; emit no name; emit_to no name; emit empty token; emit_to empty token; \
         emit a pattern; emit_to a pattern; emit long name; emit_to long name; emit very long \
         name; emit_to very long name; emit null payload; emit_to null payload; emit huge \
         payload; emit_to huge payload; emit content type not utf-8; emit_to content type not \
         utf-8; emit long content type; emit_to long content type; emit unknown flag; emit_to \
         unknown flag; emit reserved; emit_to reserved; emit_to null plugin; emit_to huge plugin; \
         emit_to plugin not utf-8; has_listeners null ctx; has_listeners null name; has_listeners \
         name not utf-8; has_listeners a pattern; request null ctx; request later null ctx; \
         request without done; request later without done; request null; request later null; \
         request misaligned; request later misaligned; request no policy; request later no \
         policy; request unknown policy; request later unknown policy; request reserved; request \
         later reserved; request unknown flag; request later unknown flag; request a pattern; \
         request later a pattern; request null payload; request later null payload; answer null \
         ctx; answer null; answer misaligned; answer unknown kind; answer largest kind; answer \
         reserved; answer null payload; answer huge payload; answer null reason; answer reason \
         not utf-8; cancel an event; answering observer replaces; answering \
         observer vetoes",
    ),
    (
        2,
        "emit core; emit_to core; emit core.log; emit_to core.log; request core; request later \
         core",
    ),
    (4, "emit_to no plugin; emit_to long plugin"),
    (
        6,
        "emit large payload; emit_to large payload; request large payload; request later large \
         payload; answer large payload",
    ),
    (7, "subscribe at the limit; emit_to full queue"),
    (
        10,
        "unsubscribe twice; unsubscribe 0; unsubscribe made-up; unsubscribe largest; cancel \
         made-up; answer a request; answer 0; answer made-up; answer largest; answer twice; \
         answer when all is over; answering observer passes twice; answering observer passes \
         afterwards; observer passes afterwards",
    ),
    (14, "observer passes; observer vetoes"),
    (16, "ask"),
];

fn assert_report(server: &Server, route: &str, groups: &[(i64, &'static str)]) {
    let each = groups.iter();
    let mut expected: BTreeMap<_, _> = each
        .flat_map(|(status, calls)| calls.split("; ").map(move |what| (what, *status)))
        .collect();
    for (what, status) in report(server, route) {
        let expected = expected.remove(what.as_str());
        assert_eq!(expected, Some(status), "{route}: {what}");
    }
    assert!(expected.is_empty(), "{route}: not called: {expected:?}");
}

#[test]
fn misuse_is_an_error_code_each() {
    let mut limits = Limits::default();
    limits.subscriptions_max = 64;
    let served = serve(&Journal::new(), json!({}), |builder| builder.limits(limits));
    let Some(server) = served else {
        return;
    };
    for _ in 0..count(3, 200) {
        assert_report(&server, "misuse", MISUSE);
    }
    assert_steps(&server, "all", STEPS);
    assert_balanced(&server);
}

#[test]
fn ids_of_another_plugin_are_out_of_reach() {
    let directory = tempfile::tempdir().unwrap();
    let (Some(other), Some(plugin)) = (
        named(directory.path(), "events-d"),
        shared_c_plugin(EVENTS_C),
    ) else {
        return;
    };
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_secs(2);
    let server = Server::start_with(&[&plugin, &other], |builder| builder.limits(limits));
    let id = subscribe(&server, "events-d", "as=silent&to=held");
    let last = || {
        let path = format!("/api/ext/events-d/last?subscription={id}");
        server.get(&path).json()
    };
    thread::scope(|scope| {
        let path = "policy=fail_open&deadline_ms=60000";
        let asked = scope.spawn(|| ask(&server, "held", path, b"1"));
        eventually("the filter is asked", || last()["heard"] == 1);
        let cause = last()["cause"].as_u64().unwrap();
        let route = format!("foreign?subscription={id}&cause={cause}");
        // What is emitted for it is emitted for nothing.
        assert_report(
            &server,
            &route,
            &[(0, "emit"), (10, "unsubscribe; answer; cancel")],
        );
        assert!(!asked.is_finished());
        reload(&server, "events-d");
        assert_eq!(asked.join().unwrap().json()["vetoed_by"], Value::Null);
    });
    assert_balanced(&server);
}

#[test]
fn a_plugin_that_ends_completes_and_releases_all_and_is_refused_the_rest() {
    let journal = Journal::new();
    let mark = journal.file("mark");
    let option = json!({"mark": mark, "hear": "a"});
    // The silent filters are waited for as long as calls are.
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_secs(5);
    let Some(server) = serve(&journal, option, |builder| builder.limits(limits)) else {
        return;
    };
    let reloads = count(3, 100);
    for _ in 0..reloads {
        let id = subscribe(&server, "events-c", "as=silent-inline&to=held");
        let pending = server.get(&format!("{PLUGIN}/pending?name=held&n=30"));
        assert_eq!(pending.status, 200, "{pending:?}");
        let last = format!("{PLUGIN}/last?subscription={id}");
        eventually("they wait", || server.get(&last).json()["heard"] == 30);
        reload(&server, "events-c");
    }
    let marks = || std::fs::read_to_string(&mark).unwrap_or_default();
    eventually("the old generations are destroyed", || {
        marks().lines().count() == reloads
    });
    for line in marks().lines() {
        let counts: Value = serde_json::from_str(line).unwrap();
        assert_eq!(counts["accepted"], 30, "{counts}");
        assert_eq!(counts["completed"], 30, "{counts}");
        // What it hears of `a`, and the filter.
        assert_eq!(
            (&counts["held"], &counts["released"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(counts["faults"], 0, "{counts}");
        let stopped = counts["stopped"].as_array().unwrap();
        assert_eq!(stopped.len(), 8, "{counts}");
        assert!(stopped.iter().all(|call| call[1] == 3), "{counts}");
    }
    assert_eq!(server.plugin("events-c")["abandoned"], 0);
    assert_steps(&server, "all", STEPS);
}

#[test]
fn a_call_that_waits_ends_with_its_plugin() {
    let mut limits = Limits::default();
    limits.drain_timeout = Duration::from_secs(10);
    let served = serve(&Journal::new(), json!({}), |builder| builder.limits(limits));
    let Some(server) = served else {
        return;
    };
    let id = subscribe(&server, "events-c", "as=silent&to=held");
    let last = format!("{PLUGIN}/last?subscription={id}");
    thread::scope(|scope| {
        let waits = scope.spawn(|| server.get(&format!("{PLUGIN}/wait?name=held")));
        eventually("it waits", || server.get(&last).json()["heard"] == 1);
        reload(&server, "events-c");
        // Its client may be answered by the host first.
        let ended = waits.join().unwrap();
        assert!(
            ended.status == 503 || ended.json()["status"] == 3,
            "{ended:?}"
        );
    });
    eventually("the old generation is retired", || {
        server.plugin("events-c")["retired"] == 1
    });
    assert_eq!(server.plugin("events-c")["abandoned"], 0);
}
