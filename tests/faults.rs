//! Does whatever goes wrong in a plugin cost no more than the request it
//! happened in?

/// Does a filter or an observer that fails cost no more than the policy says?
mod events;

use std::time::{Duration, Instant};

use exthost::Limits;
use serde_json::json;

use super::support::server::{Server, eventually, options};
use super::support::{FAULTY_C, count, rust_plugin, shared_c_plugin};

fn faulty(option: serde_json::Value) -> Server {
    let mut limits = Limits::default();
    limits.init_deadline = Duration::from_millis(300);
    with_limits(option, limits)
}

/// A host with the plugin that misbehaves on request, and with a good one.
fn with_limits(option: serde_json::Value, limits: Limits) -> Server {
    Server::start_with(
        &[&rust_plugin("faulty"), &rust_plugin("hello")],
        |builder| builder.options("faulty", options(option)).limits(limits),
    )
}

#[test]
fn a_panic_costs_its_request() {
    let server = faulty(json!({}));
    let rounds = count(25, 2_500);
    for round in 0..rounds {
        for route in ["panic", "panic-async", "panic-later", "panic-drop"] {
            let response = server.get(&format!("/api/ext/faulty/{route}"));
            assert_eq!(
                (response.status, &*response.code()),
                (500, "internal"),
                "{route}"
            );
            // What the panic said is for the log alone.
            assert!(!response.text().contains("panicked at"), "{response:?}");
            assert!(!response.text().contains(".rs"), "{response:?}");
        }
        if round % 10 == 0 {
            assert_eq!(server.get("/api/ext/hello/hello").status, 200);
        }
    }
    assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
    let faults = server.plugin("faulty")["faults"].as_u64().unwrap();
    assert!(faults >= 4 * rounds as u64, "{faults} faults were counted");
}

#[test]
fn a_handler_that_never_answers_is_answered_for() {
    let server = faulty(json!({}));
    let begun = Instant::now();
    let response = server.get("/api/ext/faulty/never");
    assert_eq!((response.status, &*response.code()), (504, "deadline"));
    assert!(begun.elapsed() >= Duration::from_millis(300));
    eventually("no request in flight", || {
        server.plugin("faulty")["in_flight"] == 0
    });
    let Some(faulty_c) = shared_c_plugin(FAULTY_C) else {
        return;
    };
    let server = Server::start(&[&faulty_c]);
    assert_eq!(server.get("/api/ext/faulty-c/never").code(), "deadline");
}

#[test]
fn blocked_handlers_hold_up_nobody_else() {
    let server = faulty(json!({}));
    std::thread::scope(|scope| {
        // More than there are workers of the runtime, fewer than pool threads.
        let blocked: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| server.get("/api/ext/faulty/block?ms=3000").status))
            .collect();
        eventually("all of them block", || {
            server.plugin("faulty")["in_flight"] == 8
        });
        for _ in 0..20 {
            assert_eq!(server.get("/api/ext/hello/hello").status, 200);
            assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
        }
        assert!(blocked.iter().all(|blocked| !blocked.is_finished()));
        for blocked in blocked {
            assert_eq!(blocked.join().unwrap(), 200);
        }
    });
}

#[test]
fn an_async_handler_that_overstays_is_moved_to_the_pool() {
    let server = faulty(json!({}));
    let is_inline = || {
        let plugin = server.plugin("faulty");
        let routes = plugin["routes"].as_array().unwrap();
        let spin = routes
            .iter()
            .find(|route| route["pattern"] == "/spin")
            .unwrap();
        spin["inline"].as_bool().unwrap()
    };
    assert!(is_inline());
    assert_eq!(server.get("/api/ext/faulty/spin?ms=300").status, 200);
    eventually("the route is demoted", || !is_inline());
    assert!(server.plugin("faulty")["faults"].as_u64().unwrap() >= 1);
    assert_eq!(server.get("/api/ext/faulty/spin?ms=30").status, 200);
}

#[test]
fn a_plugin_whose_init_fails_is_refused_and_the_others_serve() {
    for (option, code) in [
        (json!({"init": "fail"}), "init-failed"),
        (json!({"init": "panic"}), "init-panicked"),
        (json!({"init": "hang"}), "init-timeout"),
        (json!({"start": "fail"}), "start-failed"),
        (json!({"start": "panic"}), "start-panicked"),
    ] {
        let server = faulty(option);
        let file = rust_plugin("faulty");
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(server.refused(), [(name.to_owned(), code.to_owned())]);
        assert_eq!(server.get("/api/ext/hello/hello").status, 200);
        assert_eq!(
            server.get("/api/ext/faulty/items/1").code(),
            "no-such-plugin"
        );
    }
}

#[test]
fn stop_runs_for_each_plugin_and_destroy_only_when_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let mut server = faulty(json!({"mark": mark}));
    assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
    server.stop(Duration::from_secs(5));
    let marks = std::fs::read_to_string(&mark).unwrap();
    assert_eq!(marks, "init\nstop\ndrop\n");

    std::fs::remove_file(&mark).unwrap();
    let mut server = faulty(json!({"mark": mark}));
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| {
            let mut connection = server.connect();
            connection.request("GET", "/api/ext/faulty/block?ms=3000", &[], b"")
        });
        std::thread::sleep(Duration::from_millis(100));
        server.block_on(server.host.shutdown(Duration::from_secs(1)));
        let marks = std::fs::read_to_string(&mark).unwrap();
        assert_eq!(marks, "init\nstop\n", "an instance in use was destroyed");
        drop(blocked);
    });
    server.stop(Duration::from_secs(1));
}

#[test]
fn a_stop_that_panics_or_hangs_ends_all_the_same() {
    for option in [json!({"stop": "panic"}), json!({"stop": "hang"})] {
        let mut server = faulty(option);
        let begun = Instant::now();
        server.stop(Duration::from_secs(2));
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "{:?}",
            begun.elapsed()
        );
    }
}

/// Calls beside the misuse that are no misuse, or tell nothing by their status.
const LEGITIMATE: &[&str] = &[
    "log stale cause",
    "log null result",
    "remaining null result",
    "service unknown",
    "last error of it",
    "service null id",
];

#[test]
fn misuse_of_the_tables_is_an_error_code_each() {
    let Some(faulty_c) = shared_c_plugin(FAULTY_C) else {
        return;
    };
    let server = Server::start(&[&faulty_c]);
    for _ in 0..count(3, 100) {
        let response = server.get("/api/ext/faulty-c/misuse");
        assert_eq!(response.status, 200, "{response:?}");
        for call in response.json().as_array().unwrap() {
            let (what, status) = (call[0].as_str().unwrap(), &call[1]);
            assert_eq!(*status == 0, LEGITIMATE.contains(&what), "{what}: {status}");
        }
    }
    assert_eq!(server.get("/api/ext/faulty-c/twice").text(), "first");
    let second = server.get("/api/ext/faulty-c/twice-status");
    assert_eq!(second.text(), "10", "a second answer is `gone`");
    assert!(server.plugin("faulty-c")["faults"].as_u64().unwrap() >= 1);
}

#[test]
fn a_status_that_is_passed_on_keeps_its_words_over_a_cleanup() {
    let Some(faulty_c) = shared_c_plugin(FAULTY_C) else {
        return;
    };
    let server = Server::start(&[&faulty_c]);
    let words = |path: &str| {
        let response = server.get(&format!("/api/ext/faulty-c/{path}"));
        (response.code(), response.json()["detail"].clone())
    };
    let alone = words("option?pointer=/nowhere");
    assert!(alone.1.as_str().unwrap().contains("/nowhere"), "{alone:?}");
    assert_eq!(words("cleaned-up"), alone);
}

#[test]
fn background_work_runs_and_ends_with_its_plugin() {
    let server = faulty(json!({}));
    let ticks = || {
        server.get("/api/ext/faulty/ticks").json()["ticks"]
            .as_u64()
            .unwrap()
    };
    let first = ticks();
    eventually("the timer ticks", || ticks() > first);
    assert_eq!(server.get("/api/ext/faulty/blocking-task").status, 200);
}

#[test]
fn options_reach_the_plugin() {
    let server = faulty(json!({"label": "blue", "nested": {"a": [1, 2]}}));
    let config = server.get("/api/ext/faulty/config").json();
    assert_eq!(config["label"], "blue", "{config}");
    assert_eq!(config["nested"]["a"][1], 2, "{config}");
}
