//! Is what was acknowledged there after kill -9, whatever was under way, and is
//! what was not whole or absent?

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::support::client::Connection;
use super::super::support::count;
use super::super::support::server::eventually;
use super::super::support::site::Site;

const SQL: &str = "/api/ext/faulty/sql";

/// Rows that a transaction, a batch or a migration adds.
const PARTS: i64 = 3;

const SCHEMA: &str = "
    CREATE TABLE ext_faulty_rows (name TEXT, part INTEGER, PRIMARY KEY (name, part)) WITHOUT ROWID;
    CREATE TABLE ext_faulty_pairs (key TEXT PRIMARY KEY, value INTEGER);
    CREATE TABLE ext_faulty_large (key INTEGER PRIMARY KEY, value INTEGER, bytes BLOB)";

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Rows of this round, by name: their number.
    rows: BTreeMap<String, i64>,
    /// Of all rounds, by table and key: the latest value.
    values: BTreeMap<(&'static str, String), i64>,
    /// The version of the schema.
    version: i64,
    /// Rows of all rounds, none of which is ever removed.
    stored: i64,
    /// How many commits.
    commits: usize,
}

/// What a client asks for, over and over.
#[derive(Clone, Copy)]
enum Kind {
    /// Single statements, which share commits with those of others.
    Single,
    Transaction,
    Batch,
    /// A small value under a key, again and again.
    Pair,
    /// Large values, so that the log is checkpointed.
    Large,
    Migration,
}

const CLIENTS: [Kind; 9] = [
    Kind::Single,
    Kind::Single,
    Kind::Single,
    Kind::Transaction,
    Kind::Batch,
    Kind::Pair,
    Kind::Pair,
    Kind::Large,
    Kind::Migration,
];

#[test]
fn what_was_acknowledged_survives_kills_at_any_moment() {
    let site = Site::new("");
    site.put("faulty", "plugins");
    let file = site.path("data/faulty/db/data.db");
    let kept = Mutex::new(Acknowledged::default());
    let (kills, least) = (count(5, 2_000), count(300, 200_000));
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut rounds = 0;
    while rounds < kills || kept.lock().unwrap().commits < least {
        kept.lock().unwrap().rows.clear();
        let running = site.serve(&[]);
        if rounds == 0 {
            let mut connection = Connection::open(running.address).unwrap();
            let made = post(&mut connection, "script", SCHEMA).unwrap();
            assert_eq!(made.0, 204, "{made:?}");
        }
        // The moment of the kill follows from what was done, not from the clock.
        let enough = random.usize(60..160);
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for (client, kind) in CLIENTS.into_iter().enumerate() {
                let (kept, done, address) = (&kept, &done, running.address);
                scope.spawn(move || work(kind, address, (rounds, client), kept, done));
            }
            eventually("enough is acknowledged", || {
                done.load(Ordering::Relaxed) >= enough
            });
            running.signal("-KILL");
        });
        running.wait();
        let mut kept = kept.lock().unwrap();
        let (version, stored) = check(&file, &kept, rounds);
        assert!(
            stored >= kept.stored,
            "rows of rounds before {rounds} are gone"
        );
        (kept.version, kept.stored) = (version, stored);
        rounds += 1;
        if rounds % 100 == 0 {
            println!("{rounds} kills, {} commits", kept.commits);
        }
    }
    let kept = kept.into_inner().unwrap();
    println!(
        "{rounds} kills, {} acknowledged commits, none lost",
        kept.commits
    );
}

/// Does one thing over and over until the host is dead.
fn work(
    kind: Kind,
    address: SocketAddr,
    (round, client): (usize, usize),
    kept: &Mutex<Acknowledged>,
    done: &AtomicUsize,
) {
    let Ok(mut connection) = Connection::open(address) else {
        return;
    };
    for n in 0.. {
        let name = format!("{round}-{client}-{n}");
        let row = |part| format!("INSERT INTO ext_faulty_rows VALUES ('{name}', {part})");
        let rows: Vec<_> = (0..PARTS).map(row).collect();
        let value = (round * 1_000_000 + n) as i64;
        let key = (client * 10 + n % 10).to_string();
        let version = kept.lock().unwrap().version + 1;
        let (path, text) = match kind {
            Kind::Single => ("script".to_owned(), row(0)),
            Kind::Transaction => ("transaction?end=commit".to_owned(), rows.join(";")),
            Kind::Batch => ("batch".to_owned(), rows.join("\n")),
            Kind::Pair => (
                "script".to_owned(),
                format!("INSERT OR REPLACE INTO ext_faulty_pairs VALUES ('{key}', {value})"),
            ),
            Kind::Large => (
                "script".to_owned(),
                format!(
                    "INSERT OR REPLACE INTO ext_faulty_large VALUES ({key}, {value}, randomblob(400000))"
                ),
            ),
            // One a round: each copies the database before.
            Kind::Migration if n > 0 => return,
            Kind::Migration => (
                format!("migrate?version={version}"),
                format!("CREATE TABLE ext_faulty_v{version} (a); {}", rows.join(";")),
            ),
        };
        let Ok((status, body)) = post(&mut connection, &path, &text) else {
            return;
        };
        assert!(status == 200 || status == 204, "{path}: {status} {body}");
        let mut kept = kept.lock().unwrap();
        match kind {
            Kind::Single => drop(kept.rows.insert(name, 1)),
            Kind::Transaction | Kind::Batch => drop(kept.rows.insert(name, PARTS)),
            Kind::Pair => drop(kept.values.insert(("ext_faulty_pairs", key), value)),
            Kind::Large => drop(kept.values.insert(("ext_faulty_large", key), value)),
            Kind::Migration => {
                kept.rows.insert(name, PARTS);
                kept.version = version;
            }
        }
        kept.commits += 1;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn post(connection: &mut Connection, path: &str, text: &str) -> std::io::Result<(u16, String)> {
    let response = connection.request("POST", &format!("{SQL}/{path}"), &[], text.as_bytes())?;
    Ok((response.status, response.text().to_owned()))
}

/// Reads the file itself: nothing acknowledged is missing, and nothing is there
/// in part. Returns the version of the schema, and how many rows there are.
fn check(file: &Path, kept: &Acknowledged, round: usize) -> (i64, i64) {
    let raw = rusqlite::Connection::open(file).unwrap();
    let text = |sql: &str| -> String { raw.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("PRAGMA quick_check"), "ok", "round {round}");
    let mut statement = raw
        .prepare("SELECT name, count(*) FROM ext_faulty_rows WHERE name GLOB ?1 GROUP BY name")
        .unwrap();
    let stored: BTreeMap<String, i64> = statement
        .query_map([format!("{round}-*")], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, parts) in &kept.rows {
        assert_eq!(stored.get(name), Some(parts), "round {round}: {name}");
    }
    for (name, parts) in &stored {
        let client: usize = name.split('-').nth(1).unwrap().parse().unwrap();
        let whole = match CLIENTS[client] {
            Kind::Single => 1,
            _ => PARTS,
        };
        assert_eq!(*parts, whole, "round {round}: half of {name}");
    }
    for ((table, key), value) in &kept.values {
        let sql = format!("SELECT value FROM {table} WHERE key = '{key}'");
        let stored: i64 = raw.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(stored >= *value, "round {round}: {table} {key}");
    }
    let version: i64 = raw
        .query_row(
            "SELECT coalesce(max(version), 0) FROM _exthost_migrations",
            [],
            |row| row.get(0),
        )
        .unwrap();
    // One may have been committed and not told any more.
    assert!(
        (kept.version..=kept.version + 1).contains(&version),
        "round {round}"
    );
    let made = raw
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")
        .unwrap()
        .exists([format!("ext_faulty_v{version}")])
        .unwrap();
    assert_eq!(made, version > 0, "round {round}");
    let stored = raw.query_row("SELECT count(*) FROM ext_faulty_rows", [], |row| row.get(0));
    (version, stored.unwrap())
}
