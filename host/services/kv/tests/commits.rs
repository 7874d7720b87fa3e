//! Whose commit holds a write: that of a transaction, or one shared with others.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_takes_its_keys_with_it() {
    let fixture = Fixture::new();
    fixture.run(0, "CREATE TABLE ext_notes_items (word)").await;
    let tx = fixture.begin().await;
    let inserted = fixture
        .run(tx, "INSERT INTO ext_notes_items VALUES ('a')")
        .await;
    let writes = vec![write("k", When::IfAbsent, set("1", 0))];
    assert_eq!(fixture.write(tx, writes).await, Ok(1));
    let failed = vec![
        write("other", When::Always, set("1", 0)),
        write("k", When::IfAbsent, set("2", 0)),
    ];
    assert!(fixture.write(tx, failed).await.is_err());
    assert_eq!(fixture.get(tx, "other").await, None);
    assert_eq!(fixture.get(tx, "k").await, Some(("1".to_owned(), 0)));
    assert_eq!(fixture.get(0, "k").await, None, "it is not committed");
    // Of no effect on the plugin's own statements.
    let nothing = fixture.run(tx, "DELETE FROM ext_notes_items WHERE 0").await;
    assert_eq!(nothing.last_insert_rowid, inserted.last_insert_rowid);
    assert_eq!(nothing.changes, 0);
    fixture.db.roll_back(tx, By::Runtime).await.unwrap();
    assert_eq!(fixture.value("k").await, None);

    let tx = fixture.begin().await;
    let key = "n".to_owned();
    assert_eq!(fixture.kv.add(0, tx, key, 2, 0, By::Runtime).await, Ok(2));
    fixture.db.commit(tx, By::Runtime).await.unwrap();
    assert_eq!(fixture.value("n").await.as_deref(), Some("2"));
    let gone = fixture.write(tx, vec![write("k", When::Always, set("1", 0))]);
    assert_eq!(gone.await.unwrap_err().status, Status::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_share_a_commit_are_undone_alone() {
    let fixture = Arc::new(Fixture::new());
    fixture.set("taken", "1", 0).await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let fixture = fixture.clone();
            tokio::spawn(async move {
                let (last, when) = match number % 3 {
                    0 => ("taken", When::IfAbsent),
                    _ => ("free", When::Always),
                };
                let writes = vec![
                    write(&format!("k{number}"), When::IfAbsent, set("1", 0)),
                    write(last, when, set("1", 0)),
                ];
                (number, fixture.write(0, writes).await)
            })
        })
        .collect();
    for task in tasks {
        let (number, written) = task.await.unwrap();
        assert_eq!(written.is_ok(), number % 3 != 0, "{written:?}");
        let there = fixture.value(&format!("k{number}")).await;
        assert_eq!(there.is_some(), written.is_ok(), "k{number}");
    }
}
