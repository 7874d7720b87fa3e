//! What holds when the file is damaged where the keys and values are.

use std::path::PathBuf;

use rusqlite::Connection;

use super::*;

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("notes/db/data.db")
}

/// What the file of `fixture` holds, with the first page of the table overwritten.
fn damaged(fixture: &Fixture) -> Vec<u8> {
    let whole = Connection::open(file(&fixture.folder)).unwrap();
    let number = |sql| -> usize {
        let number: u32 = whole.query_row(sql, [], |row| row.get(0)).unwrap();
        number as usize
    };
    assert_eq!(number("PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    let page = number("SELECT rootpage FROM sqlite_schema WHERE name = '_exthost_kv'");
    let size = number("PRAGMA page_size");
    let mut bytes = std::fs::read(file(&fixture.folder)).unwrap();
    bytes[(page - 1) * size..page * size].fill(0xff);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_not_used_any_more() {
    let fixture = Fixture::new();
    fixture.set("a", "v", 0).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(file(&folder).parent().unwrap()).unwrap();
    std::fs::write(file(&folder), damaged(&fixture)).unwrap();

    let fixture = Fixture::over(folder);
    let get = async || {
        let keys = vec!["a".to_owned()];
        fixture.kv.get(0, keys, By::Runtime).await.unwrap_err()
    };
    assert_eq!(get().await.status, Status::CORRUPT);
    let told = get().await;
    assert!(told.message.contains("exthost data restore"), "{told}");
}
