//! What holds of keys and values, in a file of their own.

mod commits;
mod damage;
mod file;

use std::time::Duration;

use exthost_abi::Status;
use tokio::runtime::Handle;

use super::*;
use crate::clock::Clock;
use crate::config::Limits;
use crate::name::PluginName;
use crate::services::db::{Databases, DatabasesSettings, On, Query, RunResult, TxSpec};

/// A plugin's keys and values in a folder of its own, with a clock of its own.
struct Fixture {
    kv: Kv,
    db: Arc<Db>,
    databases: Arc<Databases>,
    clock: Clock,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    fn over(folder: tempfile::TempDir) -> Self {
        let settings = DatabasesSettings::default();
        let databases = Arc::new(Databases::new(folder.path().to_owned(), settings));
        let name = PluginName::parse("notes").unwrap();
        let database = databases.of(&name);
        let mut context = PluginContext::new(name, 1, Limits::default(), Vec::new());
        let clock = Clock::movable();
        context.clock = clock.clone();
        let context = Arc::new(context);
        let db = Arc::new(Db::new(Handle::current(), context.clone(), database));
        Fixture {
            kv: Kv::new(context, db.clone()),
            db,
            databases,
            clock,
            folder,
        }
    }

    async fn get(&self, tx: u64, key: &str) -> Option<(String, u64)> {
        let entries = self.kv.get(tx, vec![key.to_owned()], By::Runtime).await;
        let entry = entries.unwrap().pop()?;
        Some((String::from_utf8(entry.value).unwrap(), entry.ttl_ms))
    }

    async fn value(&self, key: &str) -> Option<String> {
        self.get(0, key).await.map(|(value, _)| value)
    }

    async fn write(&self, tx: u64, writes: Vec<KeyWrite>) -> Result<u64, ServiceError> {
        self.kv.write(0, tx, writes, By::Runtime).await
    }

    async fn set(&self, key: &str, value: &str, ttl_ms: u64) {
        let set = write(key, When::Always, set(value, ttl_ms));
        assert_eq!(self.write(0, vec![set]).await, Ok(1));
    }

    async fn add(&self, key: &str, amount: i64, ttl_ms: u64) -> Result<i64, ServiceError> {
        let key = key.to_owned();
        self.kv.add(0, 0, key, amount, ttl_ms, By::Runtime).await
    }

    async fn keys(&self, prefix: &str, after: &str, limit: u32) -> (Vec<String>, bool) {
        let query = ListQuery {
            prefix: prefix.to_owned(),
            after: after.to_owned(),
            limit,
            keys_only: true,
        };
        let page = self.kv.list(0, query, By::Runtime).await.unwrap();
        assert!(page.entries.iter().all(|entry| entry.value.is_empty()));
        let keys = page.entries.into_iter().map(|entry| entry.key);
        (keys.collect(), page.more)
    }

    async fn flush(&self, prefix: &str) -> u64 {
        let prefix = prefix.to_owned();
        self.kv.flush(0, 0, prefix, By::Runtime).await.unwrap()
    }

    async fn begin(&self) -> u64 {
        let spec = TxSpec {
            parent: 0,
            deadline: None,
        };
        self.db.begin(0, spec, By::Runtime).await.unwrap()
    }

    async fn run(&self, tx: u64, sql: &str) -> RunResult {
        let query = Query {
            sql: sql.into(),
            params: Vec::new(),
            on: On::Auto,
            deadline: Duration::from_secs(5),
        };
        self.db.run(0, tx, query, None, By::Runtime).await.unwrap()
    }
}

fn write(key: &str, when: When, change: Change) -> KeyWrite {
    KeyWrite {
        key: key.to_owned(),
        when,
        change,
    }
}

fn set(value: &str, ttl_ms: u64) -> Change {
    Change::Set {
        value: value.as_bytes().to_vec(),
        ttl_ms,
        keep_ttl: false,
    }
}

fn keeping(value: &str, ttl_ms: u64) -> Change {
    Change::Set {
        value: value.as_bytes().to_vec(),
        ttl_ms,
        keep_ttl: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_decide_and_all_or_none_is_written() {
    let fixture = Fixture::new();
    let lock = || write("lock", When::IfAbsent, set("me", 0));
    assert_eq!(fixture.write(0, vec![lock()]).await, Ok(1));
    let error = fixture.write(0, vec![lock()]).await.unwrap_err();
    assert_eq!(
        (error.status, &*error.code),
        (Status::CONFLICT, "kv-condition")
    );
    assert_eq!(error.detail, r#"{"key":"lock"}"#);
    for (when, holds) in [
        (When::IfPresent, true),
        (When::IfEqual(b"me".to_vec()), true),
        (When::IfEqual(b"you".to_vec()), false),
    ] {
        let writes = vec![
            write("a", When::Always, set("1", 0)),
            write("lock", when, set("me", 0)),
        ];
        assert_eq!(fixture.write(0, writes).await.is_ok(), holds);
        assert_eq!(fixture.value("a").await.is_some(), holds);
        fixture.flush("a").await;
    }
    // A later write sees those before, and removing what is not there counts none.
    let writes = vec![
        write("lock", When::Always, Change::Delete),
        write("lock", When::IfAbsent, set("you", 0)),
        write("none", When::Always, Change::Delete),
    ];
    assert_eq!(fixture.write(0, writes).await, Ok(2));
    assert_eq!(fixture.value("lock").await.as_deref(), Some("you"));
    let absent = write("none", When::IfPresent, Change::Delete);
    assert!(fixture.write(0, vec![absent]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_there_for_no_call() {
    let fixture = Fixture::new();
    fixture.set("a", "1", 1000).await;
    fixture.set("b", "2", 0).await;
    let (_, ttl_ms) = fixture.get(0, "a").await.unwrap();
    assert!((1..=1000).contains(&ttl_ms), "{ttl_ms}");
    assert_eq!(fixture.add("a", 1, 0).await, Ok(2), "it keeps its time");
    let kept = write("a", When::IfPresent, keeping("3", 0));
    assert_eq!(fixture.write(0, vec![kept]).await, Ok(1));
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.get(0, "a").await, None);
    assert_eq!(fixture.keys("", "", 0).await, (vec!["b".to_owned()], false));
    let removed = write("a", When::Always, Change::Delete);
    assert_eq!(fixture.write(0, vec![removed]).await, Ok(0));
    let expire = fixture
        .kv
        .expire(0, 0, "a".to_owned(), 5, By::Runtime)
        .await;
    assert_eq!(expire.unwrap_err().status, Status::NOT_FOUND);
    assert_eq!(fixture.add("a", 5, 60_000).await, Ok(5), "it begins anew");
    assert!(fixture.get(0, "a").await.unwrap().1 > 1000);
    let expire = fixture
        .kv
        .expire(0, 0, "a".to_owned(), 0, By::Runtime)
        .await;
    assert_eq!(expire, Ok(()));
    assert_eq!(fixture.get(0, "a").await, Some(("5".to_owned(), 0)));
    // Longer than there are numbers for is for ever.
    fixture.set("c", "", u64::MAX).await;
    fixture.clock.advance(Duration::from_secs(1_000_000));
    assert_eq!(fixture.value("c").await.as_deref(), Some(""));
    let kept = write("new", When::Always, keeping("1", 1000));
    fixture.write(0, vec![kept]).await.unwrap();
    assert!(fixture.get(0, "new").await.unwrap().1 > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_counted_by_many_at_once() {
    let fixture = Arc::new(Fixture::new());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let fixture = fixture.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    fixture.add("n", 1, 0).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(fixture.value("n").await.as_deref(), Some("400"));
    fixture.set("word", "one", 0).await;
    assert_eq!(
        fixture.add("word", 1, 0).await.unwrap_err().code,
        "kv-not-a-number"
    );
    let max = i64::MAX.to_string();
    fixture.set("max", &max, 0).await;
    assert_eq!(
        fixture.add("max", 1, 0).await.unwrap_err().code,
        "kv-overflow"
    );
    assert_eq!(fixture.value("max").await, Some(max));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_by_bytes_and_prefixes_are_no_patterns() {
    let fixture = Fixture::new();
    let all = [
        "%",
        "_a",
        "a",
        "a%",
        "a\0b",
        "ab",
        "b",
        "z",
        "é",
        "\u{10ffff}",
        "\u{10ffff}x",
    ];
    let mut sorted = all.map(str::to_owned);
    sorted.sort();
    for key in all {
        fixture.set(key, "v", 0).await;
    }
    assert_eq!(fixture.keys("", "", 0).await, (sorted.to_vec(), false));
    for prefix in ["a", "%", "_", "é", "\u{10ffff}", "zz"] {
        let expected = sorted.iter().filter(|key| key.starts_with(prefix));
        let expected: Vec<_> = expected.cloned().collect();
        assert_eq!(
            fixture.keys(prefix, "", 0).await,
            (expected, false),
            "{prefix}"
        );
    }
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let (keys, more) = fixture.keys("", &after, 3).await;
        assert!(keys.len() <= 3);
        paged.extend(keys);
        after = paged.last().unwrap().clone();
        if !more {
            break;
        }
    }
    assert_eq!(paged, sorted);
    assert_eq!(fixture.flush("a").await, 4);
    assert_eq!(fixture.flush("").await, 7);
    let long = fixture.kv.flush(0, 0, "k".repeat(1025), By::Runtime).await;
    assert_eq!(long.unwrap_err().code, "key-too-large");
    assert_eq!(fixture.keys("", "", 0).await, (Vec::new(), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_once_it_holds_16_mib() {
    let fixture = Fixture::new();
    let large = "x".repeat(1024 * 1024);
    for number in 0..20 {
        fixture.set(&format!("k{number:02}"), &large, 0).await;
    }
    let query = ListQuery::default();
    let page = fixture.kv.list(0, query, By::Runtime).await.unwrap();
    assert_eq!((page.entries.len(), page.more), (16, true));
    let all = (0..20).map(|number| format!("k{number:02}")).collect();
    let error = fixture.kv.get(0, all, By::Runtime).await.unwrap_err();
    assert_eq!(error.code, "entries-too-large");
}
