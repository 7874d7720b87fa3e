//! Is what is done to data without a host on record as well, or not done?

use std::fs;

use serde_json::{Value, json};

use super::super::support::site::text;
use super::{Kept, SCHEMA, counted, done};

/// A site whose host has ended, with a table and a backup of it.
fn ended() -> (Kept, String) {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (5)");
    running.signal("-TERM");
    running.wait();
    let backup = kept.site.path("faulty.db").to_str().unwrap().to_owned();
    kept.json(None, &["backup", "faulty", "--to", &backup]);
    (kept, backup)
}

#[test]
fn what_is_done_without_a_host_is_on_record() {
    let (kept, backup) = ended();
    let none = kept.site.path("none.db");
    kept.refused(None, &["restore", "faulty", none.to_str().unwrap()]);
    kept.json(None, &["restore", "faulty", &backup]);
    kept.json(None, &["vacuum", "faulty"]);
    kept.json(None, &["backup", "--all"]);
    kept.json(None, &["remove", "faulty", "--yes"]);
    kept.json(None, &["list"]);

    let listed = text(&kept.site.run(&["audit", "list", "--json"]).stdout);
    let records: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            let action = record["action"].as_str().unwrap();
            (action, record["detail"]["ok"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("host.data.backed-up", true),
            ("host.data.restored", false),
            ("host.data.restored", true),
            ("host.data.vacuumed", true),
            ("host.data.backed-up", true),
            ("host.data.removed", true),
        ],
        "{listed}"
    );
    assert_eq!(records[0]["detail"]["done"]["file"], json!(backup));
    assert_eq!(records[1]["detail"]["code"], "no-such-file");
    assert_eq!(records[5]["detail"]["done"]["removed"], "faulty");
    for record in &records {
        let actor = &record["actor"];
        let name = actor["name"].as_str().unwrap();
        assert!(name.ends_with(", without a host"), "{record}");
        assert!(
            actor["id"].as_str().unwrap().starts_with("uid:"),
            "{record}"
        );
        let what = [
            &record["plugin"],
            &record["target_kind"],
            &record["target_id"],
        ];
        assert_eq!(what, ["", "plugin", "faulty"], "{record}");
    }
    // A host goes on with the same chain.
    kept.json(None, &["restore", "faulty", &backup]);
    let running = kept.site.serve(&[]);
    assert_eq!(counted(&running), json!({"n": 1, "sum": 5}));
    kept.json(Some(&running), &["vacuum", "faulty"]);
    let verified = kept.site.run(&["audit", "verify"]);
    let said = text(&verified.stdout);
    assert!(said.starts_with("ok: 8 records"), "{said}");
}

#[test]
fn what_cannot_be_recorded_is_not_done_but_for_a_backup() {
    let (kept, backup) = ended();
    let audit = rusqlite::Connection::open(kept.site.path("data/audit.db")).unwrap();
    audit.execute_batch("DELETE FROM head").unwrap();
    drop(audit);
    let before = fs::read(kept.file()).unwrap();
    for arguments in [
        &["vacuum", "faulty"][..],
        &["restore", "faulty", &backup],
        &["remove", "faulty", "--yes"],
    ] {
        let refused = kept.refused(None, arguments);
        assert!(
            refused.contains("the signed head is missing")
                && refused.contains("nothing was changed"),
            "{arguments:?}: {refused}"
        );
        assert_eq!(fs::read(kept.file()).unwrap(), before, "{arguments:?}");
    }
    let another = kept.site.path("another.db");
    let made = kept.data(
        None,
        &["backup", "faulty", "--to", another.to_str().unwrap()],
    );
    assert!(made.status.success() && another.exists(), "{made:?}");
    let said = text(&made.stderr);
    assert!(said.contains("the backup is not recorded"), "{said}");
    assert!(said.contains("the signed head is missing"), "{said}");
    // Nor is it told where there is nothing to tell.
    let listed = kept.data(None, &["list"]);
    assert!(
        listed.status.success() && listed.stderr.is_empty(),
        "{listed:?}"
    );
}
