//! The file and its log: kept, bounded, and left alone once damaged.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_reopening() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    for _ in 0..10 {
        notes
            .run(0, "INSERT INTO ext_notes_items (name) VALUES (NULL)")
            .await
            .unwrap();
    }
    notes.databases.close();
    let error = notes.run(0, "SELECT 1").await.unwrap_err();
    assert_eq!(error.status, Status::STOPPED);
    let again = Fixture::over(notes.folder, DbLimits::default());
    assert_eq!(again.count().await, "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_checkpointed_and_begins_anew() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let blob = "INSERT INTO ext_notes_items (name) VALUES (hex(randomblob(50000)))";
    for _ in 0..800 {
        notes.run(0, blob).await.unwrap();
    }
    let wal = notes.folder.path().join("notes/db/data.db-wal");
    let bytes = std::fs::metadata(wal).unwrap().len();
    // 800 rows of 100 kB went through it.
    assert!(bytes < 64_000_000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_is_an_error_of_its_own_and_reads_go_on() {
    let limits = DbLimits {
        file_bytes_max: 400_000,
        ..DbLimits::default()
    };
    let notes = Fixture::with(limits);
    notes.exec(ITEMS).await.unwrap();
    let blob = "INSERT INTO ext_notes_items (name) VALUES (hex(randomblob(10000)))";
    let mut written = 0;
    let error = loop {
        match notes.run(0, blob).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.status, &*error.code), (Status::FULL, "quota"));
    assert_eq!(notes.count().await, written.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes/db/data.db");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        b"this is no database, and long enough to be looked at as one",
    )
    .unwrap();
    let notes = Fixture::over(folder, DbLimits::default());
    let error = notes.run(0, "SELECT 1").await.unwrap_err();
    assert_eq!(error.status, Status::CORRUPT, "{error}");
    assert!(error.message.contains("data.db"), "{error}");
}
