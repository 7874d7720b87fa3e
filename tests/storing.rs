//! Does a plugin in C store and tell by either form of each slot? And is each
//! misuse of them an error code, and each completion one?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use exthost::config::Endpoint;
use serde_json::{Value, json};

use super::support::receiver::{Receiver, SECRET};
use super::support::server::{Server, eventually, options};
use super::support::{STORING_C, compiles_without_a_warning, count, shared_c_plugin};

const PLUGIN: &str = "/api/ext/storing-c";

/// A host with the plugin, and an endpoint that wants its messages.
fn storing(option: Value) -> Option<(Server, Receiver)> {
    let plugin = shared_c_plugin(STORING_C)?;
    let receiver = Receiver::start();
    let url = format!("http://{}/hook", receiver.address);
    let endpoint = Endpoint::new(&url).secret(SECRET).events(["storing.*"]);
    let server = Server::start_with(&[&plugin], |builder| {
        let builder = builder.options("storing-c", options(option));
        builder.webhook(endpoint)
    });
    Some((server, receiver))
}

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

/// Every completion has come, once, and not inside its slot.
fn assert_completions(server: &Server) {
    let counts = || server.get(&format!("{PLUGIN}/counts")).json();
    eventually("what was accepted completes", || {
        let counts = counts();
        counts["accepted"] == counts["completed"]
    });
    assert_eq!(counts()["faults"], 0, "{}", counts());
}

/// Every step went as it should.
fn assert_steps(server: &Server, route: &str) {
    let steps = report(server, route);
    assert_eq!(steps.len(), 48, "{steps:?}");
    for (step, status) in steps {
        assert_eq!(status, 0, "{route}: {step}");
    }
}

#[test]
fn the_plugin_compiles_without_a_warning() {
    compiles_without_a_warning(STORING_C);
}

#[test]
fn both_forms_of_each_slot_do_the_same() {
    let Some((server, receiver)) = storing(json!({})) else {
        return;
    };
    let rounds = count(3, 50);
    for _ in 0..rounds {
        for route in ["all", "all-async", "all-async?thread=1"] {
            assert_steps(&server, route);
        }
    }
    assert_completions(&server);
    // Two messages a walk, and none of what was rolled back.
    let received = receiver.wait_for(rounds * 3 * 2);
    let mut told = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for message in &received {
        message.verify();
        assert!(message.id.starts_with("msg_"), "{}", message.id);
        if ids.insert(&message.id) {
            let event = message.json()["event"].as_str().unwrap().to_owned();
            *told.entry(event).or_insert(0) += 1;
        }
    }
    let expected = ["storing.alone", "storing.inside"];
    let expected = expected.map(|event| (event.to_owned(), rounds * 3));
    assert_eq!(told, BTreeMap::from(expected));
}

/// The status of each misuse, and of the calls beside it that are none or show
/// what it has left.
const MISUSE: &[(i64, &str)] = &[
    (
        0,
        "no statement is prepared; prepare; result null; rows result null; close; version null; \
         begin; on_result null; begin nested; begin inmost; commit nested; outer after nested; \
         commit; begin for 30 ms; write after the deadline; begin for an ended cause; use for \
         an ended cause; commit for an ended cause; begin for rows; rows that call; write after \
         rows; commit after rows; op null; batch later without on_result; batch later that \
         waits; begin to wait for; run to cancel; cancel; begin to cancel; cancel begin; nested \
         to cancel; cancelled nested; rollback nested; outer after cancelled nested; commit to \
         cancel; cancelled commit; write after all; begin to fire; rollback fired; calls of \
         refused fires",
    ),
    (
        1,
        "null ctx; null query; misaligned query; null sql with a length; huge sql; sql not \
         utf-8; sql with a zero; neither sql nor statement; both sql and statement; unknown on; \
         unknown flag; too few parameters; null parameters; misaligned parameters; too many \
         parameters; huge parameters; largest parameters; unknown parameter; parameter not \
         utf-8; unknown kind; reserved of a value; huge text; text not utf-8; null blob with a \
         length; two statements; no statement; syntax; no such table; write on a reader; \
         prepare null; prepare nothing; prepare syntax; prepare into null; rows without on_row; \
         exec null; dialect null ctx; migrate null; migrate huge; migrate misaligned; migrate \
         not ascending; migrate from 0; migrate not utf-8; begin null; begin misaligned; begin \
         into null; begin unknown flag; begin reserved; batch over two; batch null; batch huge; \
         run later without done; rows later without done; rows later without on_row; exec later \
         without done; batch later without done; prepare later without done; migrate later \
         without done; begin later without done; fire later without done; run later null; run \
         later null ctx; batch later huge; migrate later null; fire later null; commit later \
         without done; fire null ctx; fire null; fire misaligned; fire without done; fire \
         unknown flag; fire reserved; fire no event; fire bad event; fire empty token; fire \
         null event; fire header injection; fire null payload; fire huge payload",
    ),
    (2, "outside; begin as sql; migrate outside"),
    (
        5,
        "migrate back; begin beside; write beside; exec beside; batch beside; migrate beside; \
         outer while nested; exec outer while nested; nest beside nested; fire beside",
    ),
    (6, "value too large; fire large payload"),
    (
        8,
        "past the deadline; use after the deadline; commit after the deadline",
    ),
    (9, "cancelled; cancelled begin"),
    (
        10,
        "made-up statement; largest statement; made-up transaction; closed statement; close \
         twice; close 0; exec made-up transaction; begin in a made-up one; commit 0; commit \
         made-up; rollback made-up; inmost ended with nested; nest in ended with nested; commit \
         ended with nested; nest in ended; commit nested twice; commit twice; rollback after \
         commit; use after commit; commit later made-up; rollback later made-up; exec later \
         made-up; cancel twice; commit after cancel; fire in a made-up transaction; fire in a \
         stale transaction",
    ),
    (
        14,
        "run in a row; rows in a row; exec in a row; batch in a row; prepare in a row; migrate \
         in a row; begin in a row; commit in a row; rollback in a row; fire in a row; run later \
         in a row; rows later in a row; exec later in a row; batch later in a row; prepare \
         later in a row; migrate later in a row; begin later in a row; commit later in a row; \
         rollback later in a row; fire later in a row",
    ),
];

/// The same in an inline route: what never waits is not misplaced there.
const MISUSE_INLINE: &[(i64, &str)] = &[
    (0, "dialect"),
    (10, "close"),
    (
        14,
        "migrate; prepare; exec; run; rows; batch; begin; commit; rollback; fire",
    ),
];

fn expected(groups: &[(i64, &'static str)]) -> BTreeMap<&'static str, i64> {
    let each = groups.iter();
    each.flat_map(|(status, calls)| calls.split("; ").map(move |what| (what, *status)))
        .collect()
}

/// Whether a route still runs where it may not wait.
fn is_inline(server: &Server, pattern: &str) -> bool {
    let plugin = server.plugin("storing-c");
    let mut routes = plugin["routes"].as_array().unwrap().iter();
    let route = routes.find(|route| route["pattern"] == pattern).unwrap();
    route["inline"].as_bool().unwrap()
}

#[test]
fn misuse_is_an_error_code_each() {
    let Some((server, receiver)) = storing(json!({})) else {
        return;
    };
    for _ in 0..count(3, 200) {
        for (route, groups) in [("misuse", MISUSE), ("misuse-inline", MISUSE_INLINE)] {
            let reported = report(&server, route);
            if route == "misuse-inline" && !is_inline(&server, "/misuse-inline") {
                println!("skipped: {route}, which the watchdog of a busy machine has demoted");
                continue;
            }
            let mut expected = expected(groups);
            for (what, status) in &reported {
                let expected = expected.remove(what.as_str());
                assert_eq!(expected, Some(*status), "{route}: {what}");
            }
            assert!(expected.is_empty(), "{route}: not called: {expected:?}");
        }
    }
    assert_steps(&server, "all");
    assert_steps(&server, "all-async");
    assert_completions(&server);
    for message in receiver.wait_for(4) {
        assert_ne!(message.json()["event"], "storing.never");
    }
}

#[test]
fn what_a_request_leaves_open_is_rolled_back() {
    let Some((server, _receiver)) = storing(json!({})) else {
        return;
    };
    let write = || server.get(&format!("{PLUGIN}/write"));
    for nested in 0..count(10, 200) {
        // The writer is free for it at once, and what was deleted is there.
        assert_eq!(write().json(), nested + 1);
        let path = format!("{PLUGIN}/forget?nested={nested}");
        let forgotten = server.get(&path);
        assert_eq!(forgotten.status, 200, "{forgotten:?}");
    }
}

#[test]
fn a_long_query_is_cancelled_and_hands_over_nothing_more() {
    let Some((server, _receiver)) = storing(json!({})) else {
        return;
    };
    // More than there are readers, so that some are cancelled in the queue.
    thread::scope(|scope| {
        for client in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut connection = server.connect();
                for round in 0..count(10, 200) {
                    let path = format!("{PLUGIN}/cancel?by={}", (client + round) % 2);
                    let response = connection.request("GET", &path, &[], b"").unwrap();
                    assert_eq!(response.json(), json!({"status": 9, "late": 0}));
                }
            });
        }
    });
    assert_steps(&server, "all");
    assert_completions(&server);
}

#[test]
fn each_completion_comes_once_whenever_the_plugin_is_reloaded() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let Some((server, _receiver)) = storing(json!({"mark": mark})) else {
        return;
    };
    let reloads = count(3, 60);
    let ended = AtomicBool::new(false);
    let reload = || {
        let path = "/api/host/plugins/storing-c/reload";
        let reloaded = server.request("POST", path, &[], b"");
        assert_eq!(reloaded.status, 200, "{reloaded:?}");
    };
    // While they wait for a transaction that ends with the plugin.
    for _ in 0..reloads {
        let pending = server.get(&format!("{PLUGIN}/pending?n=30"));
        assert_eq!(pending.status, 200, "{pending:?}");
        reload();
    }
    // And while each begins the next.
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                assert_steps(&server, "all-async?thread=1");
            }
        });
        for _ in 0..reloads {
            thread::sleep(Duration::from_millis(20));
            reload();
        }
        ended.store(true, Ordering::Relaxed);
    });
    // An instance is destroyed when nothing is pending any more.
    let marks = || std::fs::read_to_string(&mark).unwrap_or_default();
    eventually("the old generations are destroyed", || {
        marks().lines().count() == 2 * reloads
    });
    let mut pending = 0;
    for line in marks().lines() {
        let counts: Value = serde_json::from_str(line).unwrap();
        assert_eq!(counts["accepted"], counts["completed"], "{counts}");
        assert_eq!(counts["faults"], 0, "{counts}");
        pending += usize::from(counts["accepted"] == 30);
    }
    assert!(pending >= reloads, "{}", marks());
    assert_eq!(server.plugin("storing-c")["abandoned"], 0);
    assert_steps(&server, "all");
    assert_completions(&server);
}
