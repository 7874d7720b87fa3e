//! What holds when the file of a serving host is not where it was.

use super::*;

/// How many records a whole chain has.
fn records(file: &Path) -> u64 {
    verify(file, None, &[]).unwrap().records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_moved_away_keeps_its_records_and_a_new_one_begins() {
    let (data, audit) = chain(3).await;
    let moved = data.path().join("moved.db");
    std::fs::rename(file_in(data.path()), &moved).unwrap();
    audit.record(pending(3), By::This).await.unwrap();
    assert_eq!(audit.status().records, 1);
    audit.close();
    assert_eq!((records(&moved), records(&file_in(data.path()))), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_chain_that_is_moved_away_holds_up_records_no_longer() {
    let (data, audit) = chain(3).await;
    tamper(data.path(), "DELETE FROM records WHERE seq = 3");
    let refused = audit.record(pending(3), By::This).await.unwrap_err();
    assert!(refused.message.contains("moving audit.db"), "{refused}");
    std::fs::rename(file_in(data.path()), data.path().join("moved.db")).unwrap();
    audit.record(pending(3), By::This).await.unwrap();
    assert_eq!(records(&file_in(data.path())), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_in_a_file_that_another_has_replaced() {
    let (data, audit) = chain(3).await;
    let (earlier, other) = chain(2).await;
    other.close();
    let file = file_in(data.path());
    std::fs::rename(file_in(earlier.path()), &file).unwrap();
    let refused = audit.record(pending(3), By::This).await.unwrap_err();
    assert_eq!(refused.code, "audit-damaged");
    std::fs::remove_file(&file).unwrap();
    audit.record(pending(3), By::This).await.unwrap();
    assert_eq!(records(&file), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_leaves_a_moved_chain_all_of_its_records() {
    let (data, audit) = chain(3).await;
    let moved = data.path().join("moved.db");
    std::fs::rename(file_in(data.path()), &moved).unwrap();
    audit.close();
    assert_eq!(records(&moved), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_chain_begins_beside_the_log_of_another() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("audit.db-wal");
    std::fs::write(&log, [0; 64]).unwrap();
    let audit = open(data.path()).unwrap();
    let refused = audit.record(pending(0), By::This).await.unwrap_err();
    assert_eq!(refused.code, "audit-file");
    assert_eq!(std::fs::read(&log).unwrap(), [0; 64]);
    std::fs::remove_file(&log).unwrap();
    audit.record(pending(0), By::This).await.unwrap();
    assert_eq!(records(&file_in(data.path())), 1);
}
