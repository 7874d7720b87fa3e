//! Does what was committed reach the endpoint, signed, whoever was down or was
//! killed in between? And what was rolled back, never?

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use exthost::config::Endpoint;
use serde_json::{Value, json};

use super::support::client::{Connection, Response};
use super::support::process::{Running, project};
use super::support::receiver::{Receiver, SECRET};
use super::support::server::{Server, eventually};
use super::support::{count, exthost, rust_plugin};

const NOTES: &str = "/api/ext/notes/items";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn endpoint(receiver: SocketAddr) -> Endpoint {
    Endpoint::new(&format!("http://{receiver}/hook")).secret(SECRET)
}

fn configure(directory: &Path, receiver: SocketAddr) {
    let config = format!(
        "[[webhook]]\nname = \"tests\"\nurl = \"http://{receiver}/hook\"\nevents = [\"note.*\"]\n\
         secret = \"{SECRET}\"\n"
    );
    std::fs::write(directory.join("exthost.toml"), config).unwrap();
}

fn add(address: SocketAddr, name: &str) -> std::io::Result<Response> {
    let body = json!({"name": name}).to_string();
    Connection::open(address)?.request("POST", NOTES, JSON, body.as_bytes())
}

#[test]
fn a_note_is_told_once_and_signed() {
    let receiver = Receiver::start();
    let endpoint = endpoint(receiver.address).events(["note.*"]);
    let server = Server::start_with(&[&rust_plugin("notes")], |builder| {
        builder.webhook(endpoint)
    });
    let created = add(server.address, "milk").unwrap();
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json()["id"].clone();
    let path = format!("{NOTES}/{}", id.as_str().unwrap());
    assert_eq!(server.request("DELETE", &path, &[], b"").status, 204);

    let mut received = receiver.wait_for(2);
    received.sort_by(|a, b| a.id.cmp(&b.id));
    for message in &received {
        message.verify();
        assert!(message.id.starts_with("msg_"), "{}", message.id);
        assert_eq!(message.header("content-type"), Some("application/json"));
    }
    let note = received[0].json();
    assert_eq!((&note["id"], &note["name"]), (&id, &json!("milk")));
    assert_eq!(received[1].json(), json!({"id": id}));
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_transaction_that_is_rolled_back_sends_none() {
    let receiver = Receiver::start();
    let endpoint = endpoint(receiver.address);
    let server = Server::start_with(&[&rust_plugin("faulty")], |builder| {
        builder.webhook(endpoint)
    });
    let fire = |end: &str, script: &str| {
        let path = format!("/api/ext/faulty/sql/fire?end={end}");
        server.request("POST", &path, &[], script.as_bytes())
    };
    let created = "CREATE TABLE IF NOT EXISTS ext_faulty_a (n INTEGER UNIQUE)";
    assert_eq!(fire("rollback", created).status, 200);
    assert_eq!(fire("commit", created).status, 200);
    let insert = "INSERT INTO ext_faulty_a VALUES (1)";
    assert_eq!(fire("rollback", insert).status, 200);
    let committed = fire("commit", insert);
    assert_eq!(committed.status, 200);
    // A constraint fails, and with it the transaction.
    assert_eq!(fire("commit", insert).status, 409);

    let received = receiver.wait_for(2);
    let ids: BTreeSet<_> = received.iter().map(|message| message.id.clone()).collect();
    assert!(ids.contains(committed.json()["id"].as_str().unwrap()));
    // Whatever else was queued would have been sent before this one.
    let last = fire("commit", "INSERT INTO ext_faulty_a VALUES (2)").json();
    let received = receiver.wait_for(3);
    assert_eq!(received.len(), 3);
    let last_id = last["id"].as_str().unwrap();
    assert!(received.iter().any(|message| message.id == last_id));
}

#[test]
fn a_receiver_that_is_down_is_told_later_also_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "notes").is_none() {
        return;
    }
    // A port where nobody listens for now.
    let address = Receiver::start().address;
    configure(directory.path(), address);
    let running = Running::start(directory.path());
    let mut names = BTreeSet::new();
    for n in 0..5 {
        let name = format!("note {n}");
        assert_eq!(add(running.address, &name).unwrap().status, 201);
        names.insert(name);
    }
    // Some have been tried by now, and some perhaps not even moved.
    thread::sleep(Duration::from_millis(100));
    running.signal("-KILL");
    running.wait();

    let receiver = Receiver::at(address);
    let _running = Running::start(directory.path());
    let received = receiver.wait_for(5);
    received.iter().for_each(|message| message.verify());
    let told: BTreeSet<_> = received
        .iter()
        .map(|message| message.json()["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, names);
}

#[test]
fn what_was_acknowledged_is_told_however_often_the_host_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "notes").is_none() {
        return;
    }
    let receiver = Receiver::start();
    configure(directory.path(), receiver.address);
    let mut acknowledged = BTreeSet::new();
    for round in 0..count(3, 60) {
        let running = Running::start(directory.path());
        let address = running.address;
        thread::scope(|scope| {
            let adding = scope.spawn(move || {
                let mut ids = Vec::new();
                while let Ok(created) = add(address, "x") {
                    assert_eq!(created.status, 201, "{created:?}");
                    ids.push(created.json()["id"].as_str().unwrap().to_owned());
                }
                ids
            });
            thread::sleep(Duration::from_millis(100 + 31 * (round as u64 % 7)));
            running.signal("-KILL");
            running.wait();
            acknowledged.extend(adding.join().unwrap());
        });
    }
    assert!(!acknowledged.is_empty());
    let _running = Running::start(directory.path());
    // What was committed but not acknowledged is told as well.
    let told = || -> BTreeSet<String> {
        let received = receiver.received();
        let ids = received.iter().map(|message| message.json()["id"].clone());
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let mut missing = usize::MAX;
    for _ in 0..1200 {
        missing = acknowledged.difference(&told()).count();
        if missing == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(missing, 0, "of {} acknowledged", acknowledged.len());
    println!("{} acknowledged, all told", acknowledged.len());
}

#[test]
fn an_address_that_is_not_public_is_refused_unless_allowed() {
    let receiver = Receiver::start();
    let url = format!("http://{}/hook", receiver.address);
    let run = |arguments: &[&str]| {
        let output = exthost()
            .args(["webhooks", "test", &url])
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (code, text) = run(&["--secret", SECRET]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("127.0.0.1") && text.contains("allow"),
        "{text}"
    );
    assert_eq!(receiver.received().len(), 0);

    let (code, text) = run(&[
        "--secret",
        SECRET,
        "--allow",
        "127.0.0.1",
        "--data",
        r#"{"a":1}"#,
    ]);
    assert_eq!(code, Some(0), "{text}");
    let received = receiver.received();
    received[0].verify();
    assert_eq!(received[0].json(), json!({"a": 1}));
    assert!(
        text.contains(&received[0].id) && text.contains("204"),
        "{text}"
    );
}

#[test]
fn operators_see_endpoints_and_deliveries_and_no_secret() {
    let receiver = Receiver::start();
    let down = Receiver::start().address;
    let endpoints = [
        endpoint(receiver.address).named("up"),
        endpoint(down).named("down"),
    ];
    let server = Server::start_with(&[&rust_plugin("notes")], |builder| {
        let [up, down] = endpoints;
        builder.webhook(up).webhook(down)
    });
    add(server.address, "milk").unwrap();
    receiver.wait_for(1);
    let deliveries = || server.get("/api/host/webhooks/deliveries").json();
    eventually("both attempts are listed", || {
        let text = deliveries().to_string();
        text.contains("204") && text.contains("\"pending\"")
    });
    let listed = server.get("/api/host/webhooks");
    assert_eq!(listed.status, 200, "{listed:?}");
    for text in [listed.text().to_owned(), deliveries().to_string()] {
        assert!(
            !text.contains("whsec_") && !text.contains("C2FVsBQ"),
            "{text}"
        );
    }
    let replay = server.request(
        "POST",
        "/api/host/webhooks/replay",
        JSON,
        br#"{"id":"msg_none"}"#,
    );
    assert_eq!((replay.status, &*replay.code()), (404, "no-dead-letter"));
    let _: Value = listed.json();
}
