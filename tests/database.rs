//! Is what was acknowledged still there, after a restart, a kill, a crowd? And is
//! what is not the plugin's own out of its reach?

/// Is what was acknowledged there after kill -9, and nothing in part?
mod kills;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use exthost::{HostBuilder, Limits};
use serde_json::{Value, json};

use super::support::client::{Connection, Response};
use super::support::process::{Running, project};
use super::support::server::Server;
use super::support::{ITEMS_C, count, rust_plugin, shared_c_plugin};

const NOTES: &str = "/api/ext/notes/items";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn add(connection: &mut Connection, name: &str) -> std::io::Result<Response> {
    let body = json!({"name": name}).to_string();
    connection.request("POST", NOTES, JSON, body.as_bytes())
}

/// Runs a statement in the plugin that runs anything.
fn sql(server: &Server, text: &str) -> Response {
    server.request("POST", "/api/ext/faulty/sql", &[], text.as_bytes())
}

#[test]
fn notes_are_kept_listed_and_checked() {
    let server = Server::start(&[&rust_plugin("notes")]);
    let mut connection = server.connect();
    let mut ids = Vec::new();
    for name in ["first", "  second  ", "third"] {
        let created = add(&mut connection, name).unwrap();
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.json()["name"], name.trim());
        ids.push(created.json()["id"].as_str().unwrap().to_owned());
        // The order is by milliseconds.
        thread::sleep(Duration::from_millis(2));
    }
    let listed = server.get(&format!("{NOTES}?limit=2")).json();
    let names: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["third", "second"]);
    assert!(listed["items"][0]["created_at"].as_u64().unwrap() > 1_700_000_000_000);

    for bad in ["", "   ", &"x".repeat(201)] {
        let refused = add(&mut connection, bad).unwrap();
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .starts_with("name must ")
        );
    }
    assert_eq!(server.get(&format!("{NOTES}?limit=0")).status, 422);

    let one = format!("{NOTES}/{}", ids[0]);
    assert_eq!(server.get(&one).json()["name"], "first");
    assert_eq!(server.request("DELETE", &one, &[], b"").status, 204);
    assert_eq!(server.get(&one).status, 404);
    assert_eq!(server.request("DELETE", &one, &[], b"").status, 404);
}

#[test]
fn a_c_plugin_stores_and_lists() {
    let Some(items) = shared_c_plugin(ITEMS_C) else {
        return;
    };
    let server = Server::start(&[&items]);
    let path = "/api/ext/items-c/items";
    for name in ["bread", "\"quoted\"\n"] {
        let stored = server.request("POST", path, &[], name.as_bytes());
        assert_eq!((stored.status, &stored.json()["name"]), (201, &json!(name)));
    }
    let listed = server.get(path).json();
    assert_eq!(listed["items"][0], json!({"id": 2, "name": "\"quoted\"\n"}));
    assert_eq!(listed["items"][1], json!({"id": 1, "name": "bread"}));
    let refused = server.request("POST", path, &[], b"");
    assert_eq!(
        (refused.status, &*refused.code()),
        (409, "constraint-check")
    );
}

#[test]
fn what_is_outside_the_scope_is_refused_with_the_reason() {
    let server = Server::start(&[&rust_plugin("my-extension"), &rust_plugin("faulty")]);
    let refusal = |name: &str, plugin: &str| format!("denied: table {name} is outside {plugin}");
    for (path, reason) in [
        ("users", refusal("users", "ext_my_extension_")),
        (
            "other",
            refusal("ext_other_plugin_data", "ext_my_extension_"),
        ),
    ] {
        let response = server.get(&format!("/api/ext/my-extension/{path}"));
        assert_eq!(response.status, 403, "{response:?}");
        assert_eq!(response.json()["detail"], reason);
    }
    let item = server.request(
        "POST",
        "/api/ext/my-extension/items",
        JSON,
        br#"{"name":"x"}"#,
    );
    assert_eq!(
        (item.status, item.json()),
        (201, json!({"id": 1, "name": "x"}))
    );

    let own = server.request(
        "POST",
        "/api/ext/faulty/sql/script",
        &[],
        b"CREATE TABLE ext_faulty_a (n); INSERT INTO ext_faulty_a VALUES (1)",
    );
    assert_eq!(own.status, 204, "{own:?}");
    for hostile in [
        "SELECT * FROM users",
        "SELECT * FROM ext_notes_items",
        "SELECT * FROM _exthost_outbox",
        "SELECT * FROM sqlite_schema",
        "ATTACH '/tmp/x.db' AS x",
        "VACUUM INTO '/tmp/x.db'",
        "ALTER TABLE ext_faulty_a RENAME TO users",
        "ALTER TABLE ext_faulty_a RENAME TO ext_notes_items",
        "CREATE TEMP TRIGGER t AFTER INSERT ON ext_faulty_a BEGIN SELECT 1; END",
        "CREATE TEMP TABLE ext_faulty_t (a)",
        "CREATE TRIGGER ext_faulty_t AFTER INSERT ON ext_faulty_a BEGIN \
         INSERT INTO _exthost_outbox VALUES (1, 2, 3, 4, 5); END",
        "CREATE VIEW ext_faulty_v AS SELECT * FROM _exthost_outbox",
        "PRAGMA journal_mode = delete",
        "BEGIN",
        "SELECT load_extension('x')",
    ] {
        let refused = sql(&server, hostile);
        assert_eq!(
            (refused.status, &*refused.code()),
            (403, "outside-scope"),
            "{hostile}: {refused:?}"
        );
        let reason = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            reason.starts_with("denied: ") && reason.contains("ext_faulty_"),
            "{hostile}: {reason}"
        );
    }
    assert_eq!(
        sql(&server, "SELECT n FROM ext_faulty_a").json(),
        json!([{"n": 1}])
    );
}

#[test]
fn a_granted_table_of_the_application_can_be_counted_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let application = rusqlite::Connection::open(&file).unwrap();
    application
        .execute_batch(
            "PRAGMA journal_mode = wal;
             CREATE TABLE user (name); INSERT INTO user VALUES ('ada'), ('grace');
             CREATE TABLE secret (word); INSERT INTO secret VALUES ('xyzzy');",
        )
        .unwrap();
    let adapt = |builder: HostBuilder| {
        builder
            .host_database(&file)
            .tables("user-count", ["user"])
            .tables("faulty", ["user"])
    };
    let plugins = [rust_plugin("user-count"), rust_plugin("faulty")];
    let server = Server::start_with(&[&plugins[0], &plugins[1]], adapt);
    let counted = || server.get("/api/ext/user-count/count").json();
    assert_eq!(counted(), json!({"count": 2, "qualified": 2}));
    application
        .execute("INSERT INTO user VALUES ('alan')", [])
        .unwrap();
    assert_eq!(counted(), json!({"count": 3, "qualified": 3}));
    for hostile in [
        "SELECT * FROM secret",
        "SELECT * FROM host.secret",
        "SELECT count(*) FROM secret",
        "SELECT count(*) FROM host.secret",
        "SELECT * FROM host.sqlite_schema",
        "SELECT (SELECT count(*) FROM secret) FROM user",
        "INSERT INTO host.user VALUES ('eve')",
        "UPDATE user SET name = 'eve'",
        "DELETE FROM host.user",
    ] {
        let refused = sql(&server, hostile);
        assert_eq!(refused.status, 403, "{hostile}: {refused:?}");
        assert!(!refused.text().contains("xyzzy"));
    }
    // The application goes on writing while plugins read.
    application
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    assert_eq!(counted(), json!({"count": 3, "qualified": 3}));
}

#[test]
fn a_transaction_ends_with_its_request() {
    // Whoever waited for a transaction's deadline would not be answered in time.
    let mut limits = Limits::default();
    limits.db.transaction_deadline = Duration::from_secs(600);
    limits.db.statement_deadline = Duration::from_secs(600);
    let plugin = rust_plugin("faulty");
    let server = Server::start_with(&[&plugin], |builder| builder.limits(limits));
    let script = |path: &str, text: &str| {
        let path = format!("/api/ext/faulty/sql/{path}");
        server.request("POST", &path, &[], text.as_bytes())
    };
    script("script", "CREATE TABLE ext_faulty_a (n)");
    let insert = "INSERT INTO ext_faulty_a VALUES (1)";
    for (end, status, rows) in [
        ("commit", 200, 1),
        ("rollback", 200, 1),
        ("drop", 200, 1),
        ("forget", 200, 1),
        ("panic", 500, 1),
        // The plugin's own mistake, not the client's.
        ("beside", 500, 1),
        ("commit", 200, 2),
    ] {
        let response = script(&format!("transaction?end={end}"), insert);
        assert_eq!(response.status, status, "{end}: {response:?}");
        // A write of somebody else finds the writer free.
        let other = script("script", "UPDATE ext_faulty_a SET n = 2");
        assert_eq!(other.status, 204, "{end}: {other:?}");
        let counted = sql(&server, "SELECT count(*) AS n FROM ext_faulty_a").json();
        assert_eq!(counted, json!([{"n": rows}]), "{end}");
    }
    let misplaced = script("blocking", insert);
    assert_eq!(misplaced.status, 500, "{misplaced:?}");
}

#[test]
fn each_of_32_clients_finds_what_was_acknowledged() {
    let server = Server::start(&[&rust_plugin("notes")]);
    let acknowledged = Mutex::new(BTreeSet::new());
    let each = count(20, 2_000);
    thread::scope(|scope| {
        for client in 0..32 {
            let (server, acknowledged) = (&server, &acknowledged);
            scope.spawn(move || {
                let mut connection = server.connect();
                for n in 0..each {
                    let created = add(&mut connection, &format!("{client}-{n}")).unwrap();
                    assert_eq!(created.status, 201, "{created:?}");
                    let id = created.json()["id"].as_str().unwrap().to_owned();
                    assert!(acknowledged.lock().unwrap().insert(id), "an id twice");
                }
            });
        }
    });
    let stored = ids_in(&server.directory.path().join("data"));
    assert_eq!(stored, acknowledged.into_inner().unwrap());
}

/// The ids of all notes, read from the file itself.
fn ids_in(data: &Path) -> BTreeSet<String> {
    let file = data.join("notes/db/data.db");
    let raw = rusqlite::Connection::open(file).unwrap();
    let sound: String = raw
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    let mut statement = raw.prepare("SELECT id FROM ext_notes_items").unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.map(Result::unwrap).collect()
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_and_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "notes").is_none() {
        return;
    }
    let acknowledged = Mutex::new(BTreeSet::new());
    for round in 0..count(3, 100) {
        let running = Running::start(directory.path());
        let address = running.address;
        thread::scope(|scope| {
            for client in 0..4 {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    let Ok(mut connection) = Connection::open(address) else {
                        return;
                    };
                    for n in 0.. {
                        let name = format!("{round}-{client}-{n}");
                        let Ok(created) = add(&mut connection, &name) else {
                            return;
                        };
                        assert_eq!(created.status, 201, "{created:?}");
                        let id = created.json()["id"].as_str().unwrap().to_owned();
                        acknowledged.lock().unwrap().insert(id);
                    }
                });
            }
            thread::sleep(Duration::from_millis(150 + 37 * (round as u64 % 7)));
            // Every third host is told to end, the others are killed.
            running.signal(if round % 3 == 2 { "-TERM" } else { "-KILL" });
            running.wait();
        });
        let stored = ids_in(&directory.path().join("data"));
        let acknowledged = acknowledged.lock().unwrap();
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(!acknowledged.is_empty());
    println!("{} acknowledged, none lost", acknowledged.len());
    // And a host finds them as well.
    let running = Running::start(directory.path());
    let listed = running.get(&format!("{NOTES}?limit=100")).json();
    let found = listed["items"].as_array().unwrap().len();
    assert!(found >= acknowledged.len().min(100));
}
