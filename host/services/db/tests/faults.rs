//! Files that cannot be opened, and jobs that panic.

use super::*;
use crate::services::db::lane::Job;

#[tokio::test(flavor = "multi_thread")]
async fn an_application_s_database_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let notes = DbSettings {
        host: Some(folder.path().join("app.db")),
        tables: vec!["user".to_owned()],
        ..DbSettings::default()
    };
    let settings = DatabasesSettings {
        memory_bytes_max: None,
        of_plugin: [("notes".to_owned(), notes)].into(),
        ..DatabasesSettings::default()
    };
    let databases = Databases::new(folder.path().to_owned(), settings);
    let name = PluginName::parse("notes").unwrap();
    let context = PluginContext::new(name.clone(), 1, Limits::default(), Vec::new());
    let db = Db::new(Handle::current(), Arc::new(context), databases.of(&name));
    let read = db.run(0, 0, query("SELECT 1"), None, By::Runtime);
    let error = read.await.unwrap_err();
    assert_eq!((error.status, &*error.code), (Status::INTERNAL, "io"));
    let expected = format!(
        "the application's database {} cannot be opened",
        folder.path().join("app.db").display()
    );
    assert!(error.message.starts_with(&expected), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_may_see_of_a_file_names_no_path() {
    let notes = Fixture::new();
    let file = notes.folder.path().join("notes/db/data.db");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE other (a)")
        .unwrap();
    let error = notes.exec(ITEMS).await.unwrap_err();
    assert_eq!(error.status, Status::BUSY, "{error}");
    assert!(!error.message.contains("notes/db"), "{error}");
    drop(other);
    notes.exec(ITEMS).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_opened_by_many_at_once() {
    for _ in 0..20 {
        let notes = Fixture::new();
        let calls: Vec<_> = (0..16)
            .map(|n| {
                let db = notes.db.clone();
                tokio::spawn(async move {
                    match n % 2 {
                        0 => {
                            db.exec(
                                0,
                                0,
                                "CREATE TABLE IF NOT EXISTS ext_notes_a (a)".into(),
                                By::Runtime,
                            )
                            .await
                        }
                        _ => db
                            .run(0, 0, query("SELECT 1"), None, By::Runtime)
                            .await
                            .map(|_| ()),
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_a_job_costs_its_caller_alone() {
    let notes = Fixture::new();
    notes.exec(ITEMS).await.unwrap();
    let writer = &notes.db.database.writer;
    let panics = Job::Alone(Box::new(|_| panic!("on purpose")));
    writer.submit(panics, By::Runtime).unwrap();
    notes
        .run(0, "INSERT INTO ext_notes_items (name) VALUES ('x')")
        .await
        .unwrap();
    assert_eq!(notes.count().await, "1");
}
