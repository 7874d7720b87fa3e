//! A process that is killed between the commit of a transaction and the relay loses no
//! record of it, and none is kept twice.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::clock::Clock;
use crate::config::Limits;
use crate::services::actor::Actor;
use crate::services::audit::{AuditEntry, PublicKey, file_in, verify};
use crate::services::context::PluginContext;
use crate::services::db::{By, DatabasesSettings, Db, TxSpec};
use crate::services::webhooks::WebhookSettings;

/// Says to the child where its data is.
const DATA: &str = "EXTHOST_TEST_DATA";

/// The child, by the name that the test runner knows.
const CHILD: &str = "services::relay::killed::writes_until_it_is_killed";

/// Runs of the child, each killed after so many acknowledged transactions.
const RUNS: [usize; 4] = [1, 7, 40, 113];

/// The services that take part, with a relay that runs.
struct Parts {
    databases: Arc<Databases>,
    db: Db,
}

impl Parts {
    fn over(data: &Path) -> Self {
        let runtime = Handle::current();
        let settings = WebhookSettings::default();
        let webhooks = Webhooks::open(data, Vec::new(), settings, &runtime).unwrap();
        let audit = Audit::open(data, Clock::real(), &runtime).unwrap();
        let audit = Arc::new(audit);
        let databases = Databases::new(data.to_owned(), DatabasesSettings::default());
        let databases = Arc::new(databases);
        let name = PluginName::parse("notes").unwrap();
        let database = databases.of(&name);
        let context = PluginContext::new(name, 1, Limits::default(), Vec::new());
        let db = Db::new(runtime, Arc::new(context), database);
        tokio::spawn(run(databases.clone(), Destinations { webhooks, audit }));
        Parts { databases, db }
    }

    /// Commits a row together with a record of it.
    async fn add(&self, word: &str) {
        let spec = TxSpec {
            parent: 0,
            deadline: None,
        };
        let tx = self.db.begin(0, spec, By::Runtime).await.unwrap();
        let insert = format!("INSERT INTO ext_notes_items VALUES ('{word}')");
        self.db.exec(0, tx, insert, By::Runtime).await.unwrap();
        let entry = AuditEntry::new("item.created", "item", word, Vec::new()).unwrap();
        let actor = Actor::user("u1", "Ada");
        let record = Pending::new(0, "notes", "1.0.0", &actor, "", entry);
        self.db.queue(0, tx, record, By::Runtime).await.unwrap();
        self.db.commit(tx, By::Runtime).await.unwrap();
    }

    /// The texts that a statement of the service selects.
    async fn texts(&self, sql: &'static str) -> Vec<String> {
        let database = self.databases.of(&PluginName::parse("notes").unwrap());
        let select = move |raw: &rusqlite::Connection| {
            let mut statement = raw.prepare(sql)?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        database.own_read(select).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test runs it as a process of its own, and kills it"]
async fn writes_until_it_is_killed() {
    let Some(data) = std::env::var_os(DATA) else {
        return;
    };
    let parts = Parts::over(Path::new(&data));
    let table = "CREATE TABLE IF NOT EXISTS ext_notes_items (word TEXT)";
    parts
        .db
        .exec(0, 0, table.to_owned(), By::Runtime)
        .await
        .unwrap();
    loop {
        let word = uuid::Uuid::now_v7().to_string();
        parts.add(&word).await;
        writeln!(std::io::stdout(), "acknowledged {word}").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_on_record_once_whenever_it_was_killed() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for count in RUNS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, "--exact", "--ignored", "--nocapture"])
            .env(DATA, data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut words =
            lines.filter_map(|line| Some(line.ok()?.strip_prefix("acknowledged ")?.to_owned()));
        let before = acknowledged.len();
        acknowledged.extend(words.by_ref().take(count));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            acknowledged.len(),
            before + count,
            "the child ended by itself"
        );
    }

    let parts = Parts::over(data.path());
    let moved = async {
        while !parts
            .texts("SELECT id FROM _exthost_audit")
            .await
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), moved)
        .await
        .unwrap();
    let rows = parts
        .texts("SELECT word FROM ext_notes_items ORDER BY word")
        .await;
    let file = file_in(data.path());
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut records = connection
        .prepare("SELECT target_id FROM records ORDER BY target_id")
        .unwrap();
    let records = records.query_map([], |row| row.get(0)).unwrap();
    let records: Vec<String> = records.map(Result::unwrap).collect();
    assert_eq!(records, rows, "a row without its record, or twice");
    let rows: BTreeSet<_> = rows.into_iter().collect();
    assert!(
        acknowledged.is_subset(&rows),
        "what was acknowledged is lost"
    );
    let key = PublicKey::of(data.path()).unwrap();
    let verified = verify(&file, key, &[]).unwrap();
    assert_eq!(verified.records, rows.len() as u64);
}
