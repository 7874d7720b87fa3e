//! What holds of the chain.

mod moved;

use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::config::Pattern;

/// A chain of so many records in a folder of its own.
async fn chain(records: usize) -> (tempfile::TempDir, Audit) {
    let data = tempfile::tempdir().unwrap();
    let audit = open(data.path()).unwrap();
    for number in 0..records {
        audit.record(pending(number), By::This).await.unwrap();
    }
    (data, audit)
}

fn open(data: &Path) -> Result<Audit, AuditError> {
    Audit::open(data, Clock::real(), &Handle::current())
}

fn pending(number: usize) -> Pending {
    let detail = json!({ "number": number }).to_string().into_bytes();
    let entry = AuditEntry::new("item.created", "item", &number.to_string(), detail).unwrap();
    let actor = Actor::token("t1", "App").on_behalf_of(Actor::user("u1", "Ada"));
    Pending::new(number as i64, "notes", "1.0.0", &actor, "r-1", entry)
}

fn key(data: &Path) -> Option<PublicKey> {
    PublicKey::of(data).unwrap()
}

/// Does to the file what only somebody else does.
fn tamper(data: &Path, sql: &str) {
    let connection = Connection::open(file_in(data)).unwrap();
    let triggers = "DROP TRIGGER IF EXISTS records_stay; DROP TRIGGER IF EXISTS records_are_final;";
    connection
        .execute_batch(&format!("{triggers}{sql}"))
        .unwrap();
}

fn fault(data: &Path) -> Fault {
    match verify(&file_in(data), key(data), &[]) {
        Err(AuditError::Tampered { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_chain_is_verified_while_it_grows_and_after() {
    let (data, audit) = chain(5).await;
    let file = file_in(data.path());
    let verified = verify(&file, key(data.path()), &[]).unwrap();
    assert_eq!(verified.records, 5);
    let noted: Noted = format!("5:{}", verified.head).parse().unwrap();
    audit.record(pending(5), By::Runtime).await.unwrap();
    audit.close();
    let before = format!("0:{}", verified.head).parse().unwrap();
    assert!(verify(&file, None, &[before]).is_err());
    let later = verify(&file, None, &[noted]).unwrap();
    assert_eq!((later.records, later.key), (6, verified.key));
    let stopped = audit.record(pending(6), By::This).await.unwrap_err();
    assert_eq!(stopped.status, Status::STOPPED);
    // The next host goes on.
    let audit = open(data.path()).unwrap();
    audit.record(pending(6), By::This).await.unwrap();
    assert_eq!(
        verify(&file, key(data.path()), &[noted]).unwrap().records,
        7
    );
    assert_eq!(audit.status().records, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_before_the_first_record() {
    let data = tempfile::tempdir().unwrap();
    let audit = open(data.path()).unwrap();
    assert!(
        audit
            .list(&AuditQuery::default())
            .unwrap()
            .records
            .is_empty()
    );
    audit.close();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_change_it_is_told_apart() {
    let copy = "INSERT INTO records SELECT 7, 'x', time_ms, plugin, version, actor, request_id, \
                action, target_kind, target_id, detail, prev, hash FROM records WHERE seq = 3;";
    let swap = "UPDATE records SET seq = 100 WHERE seq = 3; \
                UPDATE records SET seq = 3 WHERE seq = 4; UPDATE records SET seq = 4 WHERE seq = 100;";
    for (sql, expected) in [
        (
            "UPDATE records SET detail = '{}' WHERE seq = 3",
            Fault::Edited { seq: 3 },
        ),
        (
            "UPDATE records SET actor = '' WHERE seq = 1",
            Fault::Edited { seq: 1 },
        ),
        (
            "UPDATE records SET hash = zeroblob(32) WHERE seq = 6",
            Fault::Edited { seq: 6 },
        ),
        (
            "UPDATE records SET hash = x'00' WHERE seq = 2",
            Fault::Edited { seq: 2 },
        ),
        (
            "DELETE FROM records WHERE seq = 3",
            Fault::Removed { seq: 3 },
        ),
        (
            "DELETE FROM records WHERE seq = 1",
            Fault::Removed { seq: 1 },
        ),
        (
            "DELETE FROM records WHERE seq > 4",
            Fault::CutOff { last: 4, signed: 6 },
        ),
        ("DELETE FROM records", Fault::CutOff { last: 0, signed: 6 }),
        (swap, Fault::OutOfOrder { seq: 3, is: 4 }),
        (
            "DELETE FROM records WHERE seq = 3; UPDATE records SET seq = seq - 1 WHERE seq > 3",
            Fault::OutOfOrder { seq: 3, is: 4 },
        ),
        (copy, Fault::Edited { seq: 7 }),
        // There is no end to the numbers that it may have had.
        (
            "UPDATE records SET detail = '{}' WHERE seq = 3; UPDATE head SET seq = 1 << 62",
            Fault::Edited { seq: 3 },
        ),
        ("DELETE FROM head", Fault::HeadMissing),
        ("DELETE FROM records; DELETE FROM head", Fault::HeadMissing),
        (
            "UPDATE head SET signature = zeroblob(64)",
            Fault::WrongSignature,
        ),
        (
            "DELETE FROM records WHERE seq = 6; UPDATE head SET seq = 5, \
             hash = (SELECT hash FROM records WHERE seq = 5)",
            Fault::WrongSignature,
        ),
    ] {
        let (data, audit) = chain(6).await;
        audit.close();
        tamper(data.path(), sql);
        assert_eq!(fault(data.path()), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_with_a_hash_that_fits_is_still_another() {
    for (at, expected) in [
        (3, Fault::Replaced { seq: 3 }),
        (6, Fault::OtherHead { seq: 6 }),
        (7, Fault::Added { signed: 6 }),
    ] {
        let (data, audit) = chain(6).await;
        audit.close();
        let listed = list(&file_in(data.path()), &AuditQuery::default(), LIST_TIME).unwrap();
        let before = &listed.records[at - 2];
        let forged = pending(77).chained(at as u64, before.hash);
        tamper(
            data.path(),
            &format!("DELETE FROM records WHERE seq = {at}"),
        );
        forged
            .insert(&Connection::open(file_in(data.path())).unwrap())
            .unwrap();
        assert_eq!(fault(data.path()), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_and_an_earlier_copy_show() {
    let (data, audit) = chain(3).await;
    audit.close();
    let file = file_in(data.path());
    let earlier = data.path().join("earlier.db");
    std::fs::copy(&file, &earlier).unwrap();
    let audit = open(data.path()).unwrap();
    audit.record(pending(3), By::This).await.unwrap();
    audit.close();
    let head = verify(&file, None, &[]).unwrap().head;
    let noted: Noted = format!("4:{head}").parse().unwrap();
    verify(&file, None, &[noted]).unwrap();
    // By itself it is whole; only who has noted more down can tell.
    verify(&earlier, key(data.path()), &[]).unwrap();
    let set_back = verify(&earlier, None, &[noted]).unwrap_err().to_string();
    assert!(
        set_back.contains("record 4, which was noted down, is not there"),
        "{set_back}"
    );
    let other: Noted = format!("2:{head}").parse().unwrap();
    let anew = verify(&file, None, &[other]).unwrap_err().to_string();
    assert!(anew.contains("record 2 is another than"), "{anew}");

    let (other, _) = chain(1).await;
    let error = verify(&file, key(other.path()), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("signed by another key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_does_not_go_on_over_what_was_changed() {
    let (data, audit) = chain(3).await;
    tamper(data.path(), "DELETE FROM records WHERE seq = 3");
    let error = audit.record(pending(3), By::This).await.unwrap_err();
    assert_eq!(
        (error.status, &*error.code),
        (Status::INTERNAL, "audit-damaged")
    );
    audit.close();
    let error = open(data.path()).unwrap_err();
    assert_eq!(error.code(), "audit-damaged");
    assert!(
        error.to_string().contains("after 2 were cut off"),
        "{error}"
    );

    let (data, audit) = chain(1).await;
    audit.close();
    std::fs::remove_file(data.path().join("audit.key")).unwrap();
    assert_eq!(open(data.path()).unwrap_err().code(), "no-audit-key");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_itself_refuses_to_change_a_record() {
    let (data, audit) = chain(2).await;
    let connection = Connection::open(file_in(data.path())).unwrap();
    for sql in ["DELETE FROM records", "UPDATE records SET detail = ''"] {
        let error = connection.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("a record of the audit"), "{error}");
    }
    audit.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_many_share_commits_and_none_is_lost() {
    let (data, audit) = chain(0).await;
    let audit = Arc::new(audit);
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let audit = audit.clone();
            let by = if number % 2 == 0 {
                By::Runtime
            } else {
                By::This
            };
            tokio::spawn(async move { audit.record(pending(number), by).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        verify(&file_in(data.path()), key(data.path()), &[])
            .unwrap()
            .records,
        200
    );
    let query = AuditQuery {
        n: Some(1000),
        ..AuditQuery::default()
    };
    let listed = audit.list(&query).unwrap().records;
    let mut times: Vec<_> = listed.iter().map(|record| record.time_ms).collect();
    times.sort_unstable();
    assert!(times.into_iter().eq(0..200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_is_kept_once() {
    let (data, audit) = chain(1).await;
    let audit = Arc::new(audit);
    let batch: Vec<_> = (1..4).map(pending).collect();
    for _ in 0..2 {
        let (audit, batch) = (audit.clone(), batch.clone());
        let accepted = tokio::task::spawn_blocking(move || audit.accept(batch));
        accepted.await.unwrap().unwrap();
    }
    assert_eq!(
        verify(&file_in(data.path()), key(data.path()), &[])
            .unwrap()
            .records,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_it_goes_on_when_there_is_room() {
    let (data, audit) = chain(3).await;
    audit.lane.set_pages_max(1);
    let mut records = 3;
    let error = loop {
        match audit.record(pending(records), By::This).await {
            Ok(()) => records += 1,
            Err(error) => break error,
        }
        assert!(records < 10_000);
    };
    assert_eq!((error.status, &*error.code), (Status::FULL, "disk-full"));
    assert_eq!(audit.status().failed, 1);
    audit.lane.set_pages_max(1_000_000);
    audit.record(pending(records), By::This).await.unwrap();
    let verified = verify(&file_in(data.path()), key(data.path()), &[]).unwrap();
    assert_eq!(verified.records, records as u64 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_the_newest_that_match() {
    let (_data, audit) = chain(6).await;
    let operator = Actor::token("ops", "Operator");
    let target = ("plugin", "notes");
    audit
        .operator(
            &operator,
            "r-2",
            "host.plugin.reloaded",
            target,
            json!({"ok": true}),
        )
        .await;
    let found = |change: &dyn Fn(&mut AuditQuery)| {
        let mut query = AuditQuery::default();
        change(&mut query);
        let records = audit.list(&query).unwrap().records;
        records.iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(&|_| {}), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(found(&|query| query.n = Some(2)), [6, 7]);
    assert_eq!(found(&|query| query.plugin = text("")), [7]);
    assert_eq!(
        found(&|query| (query.plugin, query.n) = (text("notes"), Some(1))),
        [6]
    );
    assert_eq!(
        found(&|query| query.action = Pattern::parse("host.>").ok()),
        [7]
    );
    assert_eq!(found(&|query| query.target = text("item:3")), [4]);
    assert_eq!(found(&|query| query.target = text("plugin")), [7]);
    assert!(found(&|query| query.target = text("item:")).is_empty());
    assert_eq!(
        found(&|query| query.actor = text("Ada")),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(found(&|query| query.actor = text("ops")), [7]);
    assert_eq!(found(&|query| query.request = text("r-2")), [7]);
    assert_eq!(
        found(&|query| (query.since_ms, query.until_ms) = (Some(2), Some(3))),
        [3, 4]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_shown_with_its_json() {
    let (_data, audit) = chain(1).await;
    let listed = audit.list(&AuditQuery::default()).unwrap();
    let shown = serde_json::to_value(&listed.records[0]).unwrap();
    assert_eq!(shown["detail"], json!({ "number": 0 }));
    assert_eq!(shown["actor"]["on_behalf_of"]["name"], "Ada");
    assert_eq!(shown["prev"], "0".repeat(64));
}
