//! Does the host tell what becomes of itself and its plugins, of each once, and
//! never a listener of the log what its own handling logs?

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::support::process::{Running, library_project};

/// Those payloads of `name` that are about the plugin `plugin`.
fn about(journal: &Journal, name: &str, plugin: &str) -> Vec<Value> {
    let mut payloads = journal.payloads(name);
    payloads.retain(|payload| payload["name"] == plugin);
    payloads
}

#[test]
fn the_life_of_the_host_and_its_plugins_is_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let (Some(plugin), Some(other)) = (
        shared_c_plugin(EVENTS_C),
        named(directory.path(), "events-d"),
    ) else {
        return;
    };
    let bad = directory.path().join("bad.so");
    std::fs::write(&bad, "no library").unwrap();
    let (journal, late) = (Journal::new(), Journal::new());
    let mut server = Server::start_with(&[&plugin, &bad], |builder| {
        builder
            .options(
                "events-c",
                options(journal.beside(json!({"hear": "core.>"}))),
            )
            .options("events-d", options(late.beside(json!({"hear": "core.>"}))))
    });

    // What was refused before anybody listened is told to who hears from then on.
    journal.wait_for("core.plugin.failed", |failed| {
        failed["code"] == "not-a-library"
            && failed["file"]
                .as_str()
                .unwrap()
                .ends_with("/plugins/bad.so")
            && failed["message"].as_str().unwrap().contains("no ELF")
    });
    let again = server.block_on(server.host.install(server.plugin_file(&bad)));
    assert_eq!(again.unwrap_err().code(), "not-a-library");
    eventually("it is told of each refusal", || {
        journal.payloads("core.plugin.failed").len() == 2
    });

    server.block_on(server.host.install(&other)).unwrap();
    let of =
        |generation: u64| json!({"name": "events-d", "version": "0.1.0", "generation": generation});
    journal.wait_for("core.plugin.ready", |ready| *ready == of(1));
    // Who comes late is told of those that were ready, and what the host has begun.
    for name in ["core.host.init", "core.host.ready"] {
        late.wait_for(name, |payload| *payload == json!({}));
    }
    late.wait_for("core.plugin.ready", |ready| ready["name"] == "events-c");
    late.wait_for("core.plugin.ready", |ready| ready["name"] == "events-d");

    reload(&server, "events-d");
    journal.wait_for("core.plugin.ready", |ready| *ready == of(2));
    journal.wait_for("core.plugin.retired", |retired| {
        *retired == json!({"name": "events-d", "generation": 1, "abandoned": false})
    });
    journal.wait_for("core.watchdog", |tick| {
        tick["uptime_ms"].is_u64() && tick["overstayed"].is_u64()
    });
    server.stop(Duration::from_secs(20));

    let names = ["core.plugin.loaded", "core.plugin.ready"];
    for name in names {
        assert_eq!(about(&journal, name, "events-d"), [of(1), of(2)], "{name}");
    }
    assert_eq!(about(&journal, "core.plugin.ready", "events-c").len(), 1);
    assert_eq!(journal.payloads("core.plugin.failed").len(), 2);
    for name in ["core.host.init", "core.host.ready", "core.host.terminating"] {
        assert_eq!(journal.payloads(name), [json!({})], "{name}");
    }
    assert!(journal.events().iter().all(|event| event["emitter"] == ""));
    // Each generation is told what still holds, and of itself.
    assert_eq!(late.payloads("core.host.init").len(), 2);
    assert_eq!(about(&late, "core.plugin.ready", "events-c").len(), 2);
    assert_eq!(
        about(&late, "core.plugin.ready", "events-d"),
        [of(1), of(2)]
    );
    assert_eq!(late.payloads("core.host.terminating").len(), 1);
}

#[test]
fn who_subscribes_late_is_told_of_who_is_ready() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    for name in ["core.host.init", "core.host.ready", "core.plugin.ready"] {
        let id = subscribe(&server, "events-c", &format!("as=record&to={name}"));
        let last = format!("/api/ext/events-c/last?subscription={id}");
        eventually(name, || server.get(&last).json()["heard"] == 1);
    }
}

#[test]
fn the_log_is_told_and_not_what_its_listener_logs() {
    let directory = tempfile::tempdir().unwrap();
    let Some(plugin) = shared_c_plugin(EVENTS_C) else {
        return;
    };
    if library_project(directory.path(), "events-c", &plugin).is_none() {
        return;
    }
    let journal = Journal::new();
    let config = format!(
        "[plugin.events-c.options]\njournal = {:?}\nhear = \"core.host.*\"\n",
        journal.file("journal")
    );
    std::fs::write(directory.path().join("exthost.toml"), config).unwrap();
    let running = Running::start(directory.path());
    let subscribed = running.get("/api/ext/events-c/subscribe?as=log&to=core.log");
    assert_eq!(subscribed.status, 200);
    // By the time a line is written down, its listener has logged that it handles
    // it; were that told, it would come before the next.
    let mut requests = Vec::new();
    for text in ["first", "second", "third"] {
        let said = running.get(&format!("/api/ext/events-c/say?text={text}"));
        requests.push(said.header("x-request-id").unwrap().to_owned());
        journal.wait_for("core.log", |line| line["message"] == text);
    }
    let lines = journal.payloads("core.log");
    let told = ["first", "second", "third"].iter().zip(&requests);
    let expected: Vec<_> = told
        .map(|(message, request)| {
            json!({
                "plugin": "events-c", "generation": 1, "level": "warn", "message": message,
                "fields": {"number": 7}, "request_id": request,
            })
        })
        .collect();
    assert_eq!(lines, expected);

    running.signal("-TERM");
    let (code, log) = running.wait();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("handling").count(), 3, "{log}");
    for name in ["core.host.init", "core.host.ready", "core.host.terminating"] {
        assert_eq!(journal.payloads(name), [json!({})], "{name}");
    }
}
