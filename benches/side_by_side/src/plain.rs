//! Plain rusqlite, as the host opens its databases, without the guard.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::Result;

// As the plugin prepares them.
const INSERT: &str = "INSERT INTO ext_items_items (id, name, created_at) VALUES (?, ?, ?)";
const LIST: &str =
    "SELECT id, name, created_at FROM ext_items_items ORDER BY created_at DESC, id LIMIT ?";
const INSERT_NUMBERED: &str = "INSERT INTO ext_items_numbered (name, created_at) VALUES (?, ?)";
const GET_NUMBERED: &str = "SELECT name, created_at FROM ext_items_numbered WHERE id = ?";

/// One connection.
#[derive(Debug)]
pub(crate) struct Plain {
    file: PathBuf,
    connection: Connection,
}

/// What a row is made into on both sides.
struct Item {
    _id: String,
    _name: String,
    _created_at: i64,
}

impl Plain {
    /// Makes a database with 1,000 items in a directory.
    pub(crate) fn make(directory: &Path) -> Result<Self> {
        let plain = Plain::open(directory.join("data.db"))?;
        let connection = &plain.connection;
        connection.execute_batch(include_str!("../../items/src/schema.sql"))?;
        for at in 0..1000 {
            let id = Uuid::new_v4().to_string();
            connection.execute(INSERT, params![id, format!("item {at}"), now_ms() + at])?;
        }
        Ok(plain)
    }

    /// Another connection to the same database.
    pub(crate) fn another(&self) -> Result<Self> {
        Plain::open(self.file.clone())
    }

    fn open(file: PathBuf) -> Result<Self> {
        let connection = Connection::open(&file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -2048)?;
        Ok(Plain { file, connection })
    }

    /// Does one thing many times and says how many nanoseconds all of it took.
    pub(crate) fn measure(&self, what: &str, rounds: u32) -> Result<f64> {
        let connection = &self.connection;
        let mut insert = connection.prepare(INSERT_NUMBERED)?;
        let mut list = connection.prepare(LIST)?;
        let mut get = connection.prepare(GET_NUMBERED)?;
        let begun = Instant::now();
        for _ in 0..rounds {
            match what {
                "insert" | "insert-row" => drop(insert.execute(params!["item", now_ms()])?),
                "get" => {
                    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                    let row: (String, i64) = get.query_row([1], row)?;
                    std::hint::black_box(&row);
                }
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
                    let transaction = connection.unchecked_transaction()?;
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
