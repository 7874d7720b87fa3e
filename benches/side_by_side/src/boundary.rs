//! What the boundary costs: the database's calls from inside the plugin against
//! plain rusqlite, in this process and with the same statements.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::embedded::Embedded;
use crate::peer::Programs;
use crate::spread::Spread;
use crate::{Result, cores};

// As the plugin prepares them.
const INSERT: &str = "INSERT INTO ext_items_items (id, name, created_at) VALUES (?, ?, ?)";
const LIST: &str =
    "SELECT id, name, created_at FROM ext_items_items ORDER BY created_at DESC, id LIMIT ?";
const INSERT_NUMBERED: &str = "INSERT INTO ext_items_numbered (name, created_at) VALUES (?, ?)";

/// What is measured, how often in one run, and what its ratio is to be.
const MEASURED: [(&str, u32, f64); 3] = [
    ("insert", 5000, 1.3),
    ("select", 3000, 1.2),
    ("transaction", 50, 1.1),
];

/// Measures both sides in turn and prints nanoseconds for one of each.
pub(crate) fn measure(programs: &Programs, pairs: usize) -> Result<()> {
    // Also the host's threads, so that nothing of its work is done elsewhere.
    cores::stay_on(cores::SERVER);
    let plugin = Embedded::start(programs)?;
    let plain = Plain::open(&programs.data()?)?;
    plugin.ask("items/fill?rows=1000")?;
    println!("db: {pairs} pairs; nanoseconds each, median (quartiles)");
    println!("{:12}  {:28}  {:28}  ratio", "", "rusqlite", "plugin");
    for (what, rounds, target) in MEASURED {
        let mut taken = Vec::new();
        for pair in 0..=pairs {
            let first = (pair % 2 == 0)
                .then(|| plain.measure(what, rounds))
                .transpose()?;
            let through = through(&plugin, what, rounds)?;
            let plain = first.map_or_else(|| plain.measure(what, rounds), Ok)?;
            // The first warms up.
            if pair > 0 {
                taken.push((plain / f64::from(rounds), through / f64::from(rounds)));
            }
        }
        let plain = Spread::of(taken.iter().map(|(plain, _)| *plain));
        let through = Spread::of(taken.iter().map(|(_, through)| *through));
        let ratio = Spread::of(taken.iter().map(|(plain, through)| through / plain));
        println!("{what:12}  {plain:28}  {through:28}  {ratio:.2}; target {target}");
    }
    Ok(())
}

/// What the plugin took for `rounds` of one.
fn through(plugin: &Embedded, what: &str, rounds: u32) -> Result<f64> {
    let answer = plugin.ask(&format!("items/measure?what={what}&rounds={rounds}"))?;
    Ok(answer["nanoseconds"].as_f64().ok_or("no nanoseconds")?)
}

/// A connection as the host opens it, without its guard.
struct Plain(Connection);

/// What a row is made into on both sides.
struct Item {
    _id: String,
    _name: String,
    _created_at: i64,
}

impl Plain {
    fn open(directory: &Path) -> Result<Self> {
        let connection = Connection::open(directory.join("data.db"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -2048)?;
        connection.execute_batch(include_str!("../../items/src/schema.sql"))?;
        for at in 0..1000 {
            let id = Uuid::new_v4().to_string();
            connection.execute(INSERT, params![id, format!("item {at}"), now_ms() + at])?;
        }
        Ok(Plain(connection))
    }

    fn measure(&self, what: &str, rounds: u32) -> Result<f64> {
        let mut insert = self.0.prepare(INSERT_NUMBERED)?;
        let mut list = self.0.prepare(LIST)?;
        let begun = Instant::now();
        for _ in 0..rounds {
            match what {
                "insert" => drop(insert.execute(params!["item", now_ms()])?),
                "select" => {
                    let items = list.query_map([20], |row| {
                        Ok(Item {
                            _id: row.get(0)?,
                            _name: row.get(1)?,
                            _created_at: row.get(2)?,
                        })
                    })?;
                    let items: Vec<Item> = items.collect::<rusqlite::Result<_>>()?;
                    std::hint::black_box(&items);
                }
                _ => {
                    let transaction = self.0.unchecked_transaction()?;
                    for _ in 0..1000 {
                        insert.execute(params!["item", now_ms()])?;
                    }
                    transaction.commit()?;
                }
            }
        }
        Ok(begun.elapsed().as_nanos() as f64)
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as i64)
}
