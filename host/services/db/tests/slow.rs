//! What operators are told of slow statements.

use super::*;

/// A database in which a statement is slow that takes `slow`.
fn fixture(slow: Duration) -> Fixture {
    Fixture::with(DbLimits {
        slow_statement: slow,
        ..DbLimits::default()
    })
}

fn slow_of(notes: &Fixture) -> (u64, Vec<SlowStatement>) {
    let status = notes.databases.status();
    let name = &notes.context.name;
    (status[0].slow, notes.databases.slow(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_statements_are_kept_without_their_parameters() {
    let notes = fixture(Duration::ZERO);
    notes.exec(ITEMS).await.unwrap();
    let insert = || Query {
        params: vec![Param {
            name: None,
            value: Value::Text("secret".into()),
        }],
        ..query("INSERT OR IGNORE INTO ext_notes_items (name) VALUES (?)")
    };
    for by in [By::This, By::Runtime] {
        notes.db.run(0, 0, insert(), None, by).await.unwrap();
    }
    let (count, list) = slow_of(&notes);
    assert_eq!((count, list.len()), (3, 2));
    let slow = list.iter().find(|slow| slow.times == 2).unwrap();
    assert_eq!(&*slow.text, &*insert().sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_statements_are_not() {
    let notes = fixture(Duration::from_secs(3600));
    notes.exec(ITEMS).await.unwrap();
    assert_eq!(slow_of(&notes), (0, Vec::new()));
    assert_eq!(
        notes.databases.slow(&PluginName::parse("other").unwrap()),
        []
    );
}
