//! Versions of the schema, and the backups that are made before each.

use super::*;

fn migration(version: u64, sql: &str) -> Migration {
    Migration {
        version,
        sql: sql.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_once_and_are_recorded() {
    let notes = Fixture::new();
    let first = migration(1, ITEMS);
    let second = migration(
        3,
        "ALTER TABLE ext_notes_items ADD COLUMN done INTEGER; INSERT INTO ext_notes_items (name) \
         VALUES ('a')",
    );
    let migrate = |list: Vec<Migration>| notes.db.migrate(0, list, By::Runtime);
    assert_eq!(migrate(vec![first.clone()]).await.unwrap(), 1);
    let both = vec![first.clone(), second.clone()];
    assert_eq!(migrate(both.clone()).await.unwrap(), 3);
    assert_eq!(migrate(both.clone()).await.unwrap(), 3);
    assert_eq!(notes.count().await, "1");
    let newer = migrate(vec![first.clone()]).await.unwrap_err();
    assert_eq!(
        (newer.status, &*newer.code),
        (Status::CONFLICT, "schema-newer")
    );
    assert!(
        newer.message.contains('3') && newer.message.contains('1'),
        "{newer}"
    );
    let descending = migrate(vec![second, first]).await.unwrap_err();
    assert_eq!(descending.status, Status::INVALID);
    // One that fails leaves nothing, and the version stays.
    let broken = migration(4, "CREATE TABLE ext_notes_more (a); CREATE TABLE users (a)");
    let failed = migrate(both.into_iter().chain([broken]).collect())
        .await
        .unwrap_err();
    assert_eq!(failed.status, Status::DENIED);
    assert!(failed.message.starts_with("migration 4: "), "{failed}");
    let error = notes
        .run(0, "SELECT * FROM ext_notes_more")
        .await
        .unwrap_err();
    assert_eq!(error.status, Status::INVALID);
    let backups = notes.folder.path().join("notes/db/backups");
    assert_eq!(std::fs::read_dir(backups).unwrap().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whole_copies_count_as_backups() {
    let notes = Fixture::new();
    // Made without a migration, and worth a backup all the same.
    notes.exec(ITEMS).await.unwrap();
    let backups = notes.folder.path().join("notes/db/backups");
    // What a killed host has left.
    std::fs::create_dir_all(&backups).unwrap();
    std::fs::write(backups.join(".copy-migration-x.unfinished"), b"half").unwrap();
    let one = vec![migration(1, "CREATE TABLE ext_notes_b (a)")];
    notes.db.migrate(0, one, By::Runtime).await.unwrap();
    let names: Vec<_> = std::fs::read_dir(&backups)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].ends_with("-v0.db"), "{names:?}");
    let copy = rusqlite::Connection::open(backups.join(&names[0])).unwrap();
    let found: i64 = copy
        .query_row("SELECT count(*) FROM ext_notes_items", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, 0);
}
