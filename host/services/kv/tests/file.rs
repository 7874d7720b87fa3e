//! What becomes of the table in the file.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_swept_from_the_file() {
    let fixture = Fixture::new();
    for chunk in 0..3 {
        let writes = (0..700).map(|number| {
            let ttl_ms = if number == 0 { 0 } else { 1000 };
            write(&format!("{chunk}-{number}"), When::Always, set("v", ttl_ms))
        });
        fixture.write(0, writes.collect()).await.unwrap();
    }
    let rows = async || {
        let database = fixture.db.database();
        let count = |raw: &rusqlite::Connection| {
            raw.query_row("SELECT count(*) FROM _exthost_kv", [], |row| row.get(0))
        };
        let rows: i64 = database.own_read(count).await.unwrap();
        rows
    };
    assert_eq!(rows().await, 2100);
    let sweeping = tokio::spawn(sweep(fixture.databases.clone(), fixture.clock.clone()));
    let swept = async {
        while rows().await > 3 {
            fixture.clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), swept)
        .await
        .unwrap();
    sweeping.abort();
    assert_eq!(fixture.keys("", "", 0).await.0, ["0-0", "1-0", "2-0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_earlier_host_gets_the_table_when_it_is_first_read() {
    let fixture = Fixture::new();
    let file = fixture.folder.path().join("notes/db/data.db");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let earlier = rusqlite::Connection::open(&file).unwrap();
    earlier
        .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE ext_notes_items (word)")
        .unwrap();
    drop(earlier);
    assert_eq!(fixture.value("k").await, None);
    fixture.set("k", "1", 0).await;
    assert_eq!(fixture.value("k").await.as_deref(), Some("1"));
}
