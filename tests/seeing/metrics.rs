//! Is `GET /metrics` well-formed, and does it move with what happens?

use std::collections::BTreeMap;

use exthost::config::Endpoint;
use serde_json::json;

use super::super::support::receiver::{Receiver, SECRET};
use super::super::support::rust_plugin;
use super::super::support::server::{Server, eventually};

/// The samples of a scrape, by name and labels as they are written.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    fn of(server: &Server) -> Self {
        let response = server.get("/metrics");
        assert_eq!(response.status, 200, "{response:?}");
        let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(response.header("content-type"), Some(media_type));
        Scrape(samples(response.text()))
    }

    /// The value of a sample; 0 when there is none.
    fn value(&self, sample: &str) -> f64 {
        self.0.get(sample).copied().unwrap_or_default()
    }

    fn names(&self) -> Vec<&str> {
        let names = self
            .0
            .keys()
            .map(|sample| sample.split('{').next().unwrap());
        let mut names: Vec<_> = names.collect();
        names.dedup();
        names
    }
}

/// The samples of an OpenMetrics text, which is to be strict: each family stands
/// once, with its type and help before its samples.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("an end that says so");
    let (mut types, mut helps) = (BTreeMap::new(), BTreeMap::new());
    let mut samples = BTreeMap::new();
    let mut family = "";
    for line in body.lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let mut words = head.splitn(3, ' ');
            let mut word = || words.next().unwrap();
            let (what, name, value) = (word(), word(), word());
            match what {
                "TYPE" => assert_eq!(types.insert(name, value), None, "{name} stands twice"),
                "HELP" => assert_eq!(helps.insert(name, value), None, "{name} is told twice"),
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                _ => panic!("{line}"),
            }
            family = name;
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let suffix = name
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("{line} in {family}"));
        let help = helps[family];
        assert!(
            help.starts_with(char::is_uppercase) && help.ends_with('.'),
            "{help}"
        );
        assert!(!help.ends_with(".."), "{help}");
        let fitting: &[&str] = match types[family] {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_count", "_sum"],
            other => panic!("{family} is a {other}"),
        };
        assert!(fitting.contains(&suffix), "{line} in {family}");
        let value: f64 = value.parse().unwrap();
        assert_eq!(
            samples.insert(sample.to_owned(), value),
            None,
            "{sample} stands twice"
        );
    }
    samples
}

#[test]
fn requests_are_counted_by_what_became_of_them() {
    let server = Server::start(&[&rust_plugin("faulty"), &rust_plugin("hello")]);
    let before = Scrape::of(&server);
    let requests =
        |class: &str| format!("exthost_requests_total{{plugin=\"faulty\",status=\"{class}\"}}");
    let count = "exthost_request_duration_seconds_count{plugin=\"faulty\"}";
    let all = "exthost_request_duration_seconds_bucket{le=\"+Inf\",plugin=\"faulty\"}";
    assert_eq!(before.value(&requests("2xx")), 0.0);
    assert!(before.0.contains_key(count), "{:?}", before.0);
    for (path, status) in [
        ("faulty/items/1", 200),
        ("faulty/items/2", 200),
        ("faulty/error?status=409", 409),
        ("faulty/error?status=500", 500),
        ("faulty/panic", 500),
        // These are the host's.
        ("faulty/nothing", 404),
        ("faulty/scoped", 403),
        ("nobody/hello", 404),
    ] {
        let response = server.get(&format!("/api/ext/{path}"));
        assert_eq!(response.status, status, "{response:?}");
    }
    let after = Scrape::of(&server);
    assert_eq!(after.value(&requests("2xx")), 2.0);
    assert_eq!(after.value(&requests("4xx")), 1.0);
    assert_eq!(after.value(&requests("5xx")), 2.0);
    assert_eq!((after.value(count), after.value(all)), (5.0, 5.0));
    assert!(after.value("exthost_request_duration_seconds_sum{plugin=\"faulty\"}") > 0.0);
    // The panic alone: a plugin may answer 500.
    assert_eq!(after.value("exthost_faults_total{plugin=\"faulty\"}"), 1.0);
    assert_eq!(after.value("exthost_faults_total{plugin=\"hello\"}"), 0.0);
    for code in ["no-such-route", "missing-scope", "no-such-plugin"] {
        let refused = format!("exthost_refused_requests_total{{code=\"{code}\"}}");
        assert_eq!(
            (before.value(&refused), after.value(&refused)),
            (0.0, 1.0),
            "{code}"
        );
    }
    assert_eq!(after.value("exthost_plugins{state=\"serving\"}"), 2.0);
    assert_eq!(
        after.value("exthost_plugin_generation{plugin=\"hello\"}"),
        1.0
    );
}

#[test]
fn what_blocks_and_what_retires_is_seen() {
    let server = Server::start(&[&rust_plugin("faulty")]);
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| server.get("/api/ext/faulty/block?ms=3000").status);
        eventually("the call is seen", || {
            let scrape = Scrape::of(&server);
            scrape.value("exthost_pool_running{plugin=\"faulty\"}") == 1.0
                && scrape.value("exthost_requests_in_flight{plugin=\"faulty\"}") == 1.0
        });
        assert_eq!(blocked.join().unwrap(), 200);
    });
    let tasks = Scrape::of(&server).value("exthost_tasks{plugin=\"faulty\"}");
    assert!(tasks >= 1.0, "it has a timer, and {tasks} tasks");
    let reload = "/api/host/plugins/faulty/reload";
    assert_eq!(server.request("POST", reload, &[], b"").status, 200);
    eventually("the old generation has retired", || {
        Scrape::of(&server).value("exthost_plugin_retired_total{plugin=\"faulty\"}") == 1.0
    });
    let scrape = Scrape::of(&server);
    assert_eq!(
        scrape.value("exthost_plugin_generation{plugin=\"faulty\"}"),
        2.0
    );
    let answered = "exthost_requests_total{plugin=\"faulty\",status=\"2xx\"}";
    assert_eq!(scrape.value(answered), 1.0, "the count goes on");
}

#[test]
fn what_plugins_use_is_counted_as_theirs() {
    let receiver = Receiver::start();
    let endpoint = Endpoint::new(&format!("http://{}/hook", receiver.address))
        .named("tests")
        .secret(SECRET);
    let plugins = [
        rust_plugin("notes"),
        rust_plugin("faulty"),
        rust_plugin("self-test"),
    ];
    let server = Server::start_with(&[&plugins[0], &plugins[1], &plugins[2]], |builder| {
        builder.webhook(endpoint)
    });
    let body = json!({"name": "milk"}).to_string();
    let headers = [("content-type", "application/json")];
    let created = server.request("POST", "/api/ext/notes/items", &headers, body.as_bytes());
    assert_eq!(created.status, 201, "{created:?}");
    receiver.wait_for(1);
    eventually("the delivery is done", || {
        let done = "exthost_webhook_deliveries{endpoint=\"tests\",state=\"done\"}";
        Scrape::of(&server).value(done) == 1.0
    });
    let denied = server.request(
        "POST",
        "/api/ext/faulty/sql/script",
        &[],
        b"SELECT * FROM users",
    );
    assert_ne!(denied.status, 200, "{denied:?}");
    let scrape = Scrape::of(&server);
    for (sample, least) in [
        ("exthost_database_statements_total{plugin=\"notes\"}", 1.0),
        (
            "exthost_database_bytes{plugin=\"notes\",file=\"data\"}",
            1.0,
        ),
        (
            "exthost_database_errors_total{plugin=\"faulty\",kind=\"denied\"}",
            1.0,
        ),
        ("exthost_broadcast_messages_total{plugin=\"notes\"}", 1.0),
        ("exthost_events_delivered_total{plugin=\"self-test\"}", 1.0),
    ] {
        assert!(scrape.value(sample) >= least, "{sample} in {:?}", scrape.0);
    }
    let enabled = "exthost_webhook_endpoint_disabled{endpoint=\"tests\"}";
    assert_eq!(scrape.0.get(enabled), Some(&0.0));
    assert_eq!(scrape.0.get("exthost_broadcast_clients"), Some(&0.0));
    assert!(
        scrape.names().contains(&"exthost_build_info"),
        "{:?}",
        scrape.0
    );
}
