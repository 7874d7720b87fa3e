//! Is it on record who did what, and does a record that was touched show?

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::support::server::Server;
use super::support::{HELLO_C, c_plugin, exthost, root};

/// What a command printed and how it ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn audit(data: &Path, arguments: &[&str]) -> Ended {
    let output = exthost()
        .arg("audit")
        .args(arguments)
        .env("EXTHOST_DATA", data)
        .current_dir(data)
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A host that has recorded `reloads` reloads of a plugin, each by somebody else.
fn recorded(reloads: usize) -> Option<(Server, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let library = c_plugin(HELLO_C, folder.path(), &[])?;
    let server = Server::start(&[&library]);
    for number in 0..reloads {
        let actor = json!({
            "kind": "token", "id": format!("t{number}"), "name": "Ops",
            "scopes": ["host.manage", "host.read"],
        });
        let headers = [
            ("x-exthost-actor", &*actor.to_string()),
            ("x-request-id", "reload-1"),
        ];
        let path = "/api/host/plugins/hello-c/reload";
        let reloaded = server.request("POST", path, &headers, b"");
        assert_eq!(reloaded.status, 200, "{reloaded:?}");
    }
    let data = server.directory.path().join("data");
    Some((server, data))
}

/// A copy of a chain with its key, which nobody serves.
fn copied(data: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["audit.db", "audit.key"] {
        std::fs::copy(data.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

#[test]
fn what_operators_do_is_on_record() {
    let Some((server, data)) = recorded(3) else {
        return;
    };
    let missing = server.request("POST", "/api/host/plugins/nobody/reload", &[], b"");
    assert_eq!(missing.status, 404);
    let listed = server.get("/api/host/audit?action=host.%3E&n=3").json();
    let records = listed["records"].as_array().unwrap();
    let seqs: Vec<_> = records.iter().map(|record| &record["seq"]).collect();
    assert_eq!(seqs, [2, 3, 4]);
    assert_eq!(records[0]["actor"]["id"], "t1");
    assert_eq!(records[0]["request_id"], "reload-1");
    assert_eq!(records[0]["target_id"], "hello-c");
    assert_eq!(
        records[2]["detail"],
        json!({"ok": false, "code": "no-such-plugin"})
    );
    let bad = server.get("/api/host/audit?nn=1");
    assert_eq!((bad.status, &bad.json()["code"]), (400, &json!("invalid")));
    let actor = r#"{"kind":"token","id":"t","name":"","scopes":["notes.read"]}"#;
    let denied = server.request("GET", "/api/host/audit", &[("x-exthost-actor", actor)], b"");
    assert_eq!(denied.status, 403);

    let during = audit(&data, &["verify", "--json"]);
    assert_eq!(during.code, 0, "{}", during.err);
    let during: Value = serde_json::from_str(&during.out).unwrap();
    assert_eq!(during["records"], 4);
    let head = format!("4:{}", during["head"].as_str().unwrap());
    let after = audit(&data, &["verify", "--contains", &head]);
    assert_eq!((after.code, &*after.err), (0, ""));
    assert!(
        after
            .out
            .starts_with(&format!("ok: 4 records, head {head}, key ")),
        "{}",
        after.out
    );
    let lines = audit(&data, &["list", "--actor", "t2"]);
    let line = "host: host.plugin.reloaded by Ops on plugin:hello-c {\"ok\":true} request=reload-1";
    assert!(lines.out.trim_end().ends_with(line), "{}", lines.out);
    assert_eq!(lines.out.lines().count(), 1);
    let json = audit(&data, &["list", "--json", "-n", "1", "--plugin", ""]);
    let record: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(record["seq"], 4);
}

#[test]
fn a_chain_that_was_touched_is_told_apart_by_how() {
    let Some((server, data)) = recorded(4) else {
        return;
    };
    checkpoint(&data);
    let earlier = copied(&data);
    let path = "/api/host/plugins/hello-c/reload";
    for _ in 0..2 {
        assert_eq!(server.request("POST", path, &[], b"").status, 200);
    }
    let verified = audit(&data, &["verify", "--json"]);
    let verified: Value = serde_json::from_str(&verified.out).unwrap();
    let head = format!("6:{}", verified["head"].as_str().unwrap());
    let key = verified["key"].as_str().unwrap().to_owned();
    checkpoint(&data);

    let swap = "UPDATE records SET seq = 99 WHERE seq = 2; UPDATE records SET seq = 2 WHERE seq = 3; \
                UPDATE records SET seq = 3 WHERE seq = 99";
    for (sql, told) in [
        (
            "UPDATE records SET target_id = 'x' WHERE seq = 3",
            "record 3 was edited",
        ),
        ("DELETE FROM records WHERE seq = 4", "record 4 was removed"),
        (
            "DELETE FROM records WHERE seq > 4",
            "the records after 4 were cut off; there were 6",
        ),
        (swap, "record 3 stands in the place of record 2"),
        (
            "UPDATE head SET signature = zeroblob(64)",
            "the signature of the head is wrong",
        ),
        ("DELETE FROM head", "the signed head is missing"),
    ] {
        let copy = copied(&data);
        let connection = rusqlite::Connection::open(copy.path().join("audit.db")).unwrap();
        let triggers = "DROP TRIGGER records_stay; DROP TRIGGER records_are_final;";
        connection
            .execute_batch(&format!("{triggers}{sql}"))
            .unwrap();
        drop(connection);
        let ended = audit(copy.path(), &["verify"]);
        assert_eq!((ended.code, &*ended.out), (1, ""), "{sql}");
        assert!(ended.err.contains(told), "{sql}: {}", ended.err);
    }
    // A whole copy of an earlier state is told by whoever has noted more down.
    let whole = audit(earlier.path(), &["verify", "--public-key", &key]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let set_back = audit(earlier.path(), &["verify", "--contains", &head]);
    assert_eq!(set_back.code, 1);
    assert!(
        set_back.err.contains("set back to an earlier state"),
        "{}",
        set_back.err
    );
    // A copy by itself, and a key that it was not signed with.
    let file = earlier.path().join("audit.db");
    let file = file.to_str().unwrap();
    let alone = audit(&data, &["verify", "--file", file]);
    assert!(
        alone.code == 0 && alone.err.contains("--public-key"),
        "{}",
        alone.err
    );
    let other = audit(
        &data,
        &["verify", "--file", file, "--public-key", &"0".repeat(64)],
    );
    assert!(
        other.code == 1 && other.err.contains("another key"),
        "{}",
        other.err
    );
}

#[test]
fn where_nothing_was_recorded_there_is_nothing_to_verify() {
    let data = tempfile::tempdir().unwrap();
    let ended = audit(data.path(), &["verify"]);
    assert!(
        ended.code == 1 && ended.err.contains("nothing was recorded yet"),
        "{}",
        ended.err
    );
    let ended = audit(data.path(), &["list"]);
    assert_eq!((ended.code, &*ended.out), (0, ""));
    assert!(
        ended.err.contains("nothing was recorded yet"),
        "{}",
        ended.err
    );
    std::fs::write(data.path().join("audit.key"), "none").unwrap();
    let ended = audit(data.path(), &["verify"]);
    assert!(
        ended.code == 1 && ended.err.contains("--public-key"),
        "{}",
        ended.err
    );
}

#[test]
fn the_python_of_the_page_verifies_the_chain() {
    let page = std::fs::read_to_string(root().join("docs/audit.md")).unwrap();
    let (_, program) = page.split_once("```python\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    let Some((_server, data)) = recorded(3) else {
        return;
    };
    let python = |file: &Path| {
        Command::new("python3")
            .args(["-c", program])
            .arg(file)
            .output()
    };
    let file = data.join("audit.db");
    let Ok(output) = python(&file) else {
        println!("skipped: there is no python3");
        return;
    };
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let verified = audit(&data, &["verify"]);
    assert!(
        verified
            .out
            .contains(&format!("head {}, key", printed.trim())),
        "{}",
        verified.out
    );
    checkpoint(&data);
    let copy = copied(&data);
    let connection = rusqlite::Connection::open(copy.path().join("audit.db")).unwrap();
    let edit = "DROP TRIGGER records_are_final; UPDATE records SET version = '2' WHERE seq = 2";
    connection.execute_batch(edit).unwrap();
    let output = python(&copy.path().join("audit.db")).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && told.contains("record 2 is wrong"),
        "{told}"
    );
}

/// Moves what is in the log into the file, so that a copy of it has all.
fn checkpoint(data: &Path) {
    let connection = rusqlite::Connection::open(data.join("audit.db")).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}
