//! Do the filters of a plugin decide for the host and for other plugins, whatever
//! happens to it meanwhile?

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::{JSON, post, reload};
use crate::support::server::{Server, eventually};
use crate::support::{count, rust_plugin};

/// What is decided on an address, asked for over HTTP.
fn validate(server: &Server, policy: &str, email: impl Into<Value>) -> Value {
    let path = format!("/api/host/events/core.email.validate?policy={policy}");
    let answer = post(server, &path, &json!({"email": email.into()}));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn stats(server: &Server) -> Value {
    server.get("/api/ext/email-guard/stats").json()
}

#[test]
fn an_address_that_contains_evil_is_refused() {
    let server = Server::start(&[&rust_plugin("email-guard")]);
    for policy in ["fail_open", "fail_closed"] {
        let decision = validate(&server, policy, "ada@example.com");
        assert_eq!(decision["vetoed_by"], Value::Null, "{decision}");
        assert_eq!(decision["payload"], json!({"email": "ada@example.com"}));
        let decision = validate(&server, policy, "dr@Evil.example");
        assert_eq!(decision["vetoed_by"], "email-guard");
        assert_eq!(decision["reason"], "dr@Evil.example contains evil");
    }
    assert_eq!(stats(&server), json!({"allowed": 2, "refused": 2}));

    // What it cannot read it has not decided on: that is the policy's to say.
    let decision = validate(&server, "fail_open", 7);
    assert_eq!(decision["vetoed_by"], Value::Null, "{decision}");
    let decision = validate(&server, "fail_closed", 7);
    assert_eq!(decision["vetoed_by"], "email-guard");
    let reason = decision["reason"].as_str().unwrap();
    assert!(reason.starts_with("its filter failed: "), "{reason}");
    assert_eq!(stats(&server), json!({"allowed": 2, "refused": 2}));
}

/// Status and body of a signup.
fn sign_up(server: &Server, email: &str) -> (u16, Value) {
    let answer = post(server, "/api/ext/signup/signup", &json!({"email": email}));
    (answer.status, answer.json())
}

#[test]
fn a_plugin_asks_whoever_filters_and_nobody_need() {
    let server = Server::start(&[&rust_plugin("signup")]);
    let evil = "evil@example.com";
    assert_eq!(sign_up(&server, evil), (201, json!({"email": evil})));
    let guard = rust_plugin("email-guard");
    server.block_on(server.host.install(guard)).unwrap();
    let (status, problem) = sign_up(&server, evil);
    assert_eq!((status, &problem["code"]), (422, &json!("vetoed")));
    assert_eq!(problem["detail"], "evil@example.com contains evil");
    assert_eq!(problem["vetoed_by"], "email-guard", "{problem}");
    let good = "ada@example.com";
    assert_eq!(sign_up(&server, good), (201, json!({"email": good})));
    assert_eq!(stats(&server), json!({"allowed": 1, "refused": 1}));
}

#[test]
fn no_reload_lets_evil_pass_or_refuses_what_is_good() {
    let server = Server::start(&[&rust_plugin("signup"), &rust_plugin("email-guard")]);
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let reloads = count(10, 300);
    thread::scope(|scope| {
        for (email, expected) in [
            ("evil@example.com", 422),
            ("ada@example.com", 201),
            ("an@evil.example", 422),
        ] {
            let (server, over, answered) = (&server, &over, &answered);
            scope.spawn(move || {
                let mut connection = server.connect();
                let body = json!({"email": email}).to_string();
                while !over.load(Ordering::Relaxed) {
                    let path = "/api/ext/signup/signup";
                    let answer = connection.request("POST", path, JSON, body.as_bytes());
                    let answer = answer.unwrap();
                    assert_eq!(answer.status, expected, "{email}: {answer:?}");
                    if expected == 422 {
                        let problem = answer.json();
                        assert_eq!(problem["detail"], format!("{email} contains evil"));
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..=reloads as u64 {
            reload(&server, "email-guard");
            eventually("some are answered by each generation", || {
                answered.load(Ordering::Relaxed) >= 20 * round
            });
        }
        over.store(true, Ordering::Relaxed);
    });
    let answered = answered.into_inner();
    println!("{answered} signups answered over {reloads} reloads");
    eventually("the old generations are retired", || {
        server.plugin("email-guard")["retired"] == reloads as u64
    });
    assert_eq!(server.plugin("email-guard")["faults"], 0);
}
