//! `db/1` and `webhooks/1`, in both forms.

mod complete;
mod wait;

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use exthost_plugin::db::{Blob, Case};
use exthost_plugin::prelude::*;

use crate::call::{Call, Waits, add};
use crate::worker::locked;

pub(crate) const MIGRATIONS: &[(u64, &str)] = &[
    (
        1,
        "CREATE TABLE ext_every_table_items (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    ),
    (2, "ALTER TABLE ext_every_table_items ADD COLUMN note TEXT"),
];

const INSERT: &str = "INSERT INTO ext_every_table_items (name) VALUES (?1)";
const INSERT_FIRST: &str = "INSERT INTO ext_every_table_items (name) VALUES (?1 || '-1')";
const INSERT_SECOND: &str = "INSERT INTO ext_every_table_items (name) VALUES (?1 || '-2')";
const INSERT_NESTED: &str = "INSERT INTO ext_every_table_items (name) VALUES (?1 || '-nested')";
const SELECT: &str = "SELECT id, name FROM ext_every_table_items ORDER BY id";
const COUNT: &str = "SELECT count(*) FROM ext_every_table_items";
const REMOVE: &str = "DELETE FROM ext_every_table_items";
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
const KINDS: &str = "SELECT ?1, ?2, ?3, ?4, ?5";

/// A value of each kind.
type Kinds = (i64, f64, String, Blob, Option<i64>);

pub(crate) fn routes(router: &mut Router) {
    add(router, &wait::ROUTES);
    add(router, &complete::ROUTES);
    add(router, &[("GET dialect", dialect as Waits)]);
}

fn dialect(call: Call) -> Result<String> {
    let names = Case {
        sqlite: "sqlite",
        postgres: "another",
    };
    Ok(call.plugin.db.case(names).to_owned())
}

fn kinds() -> Kinds {
    let text = "gr\u{fc}\u{df}e".to_owned();
    (i64::MIN, 0.5, text, Blob(vec![0, 0xff]), None)
}

fn kinds_text((integer, real, text, blob, nothing): Kinds) -> String {
    let mut line = format!("{integer} {real} {text} ");
    for byte in blob.0 {
        // Writing to a text does not fail.
        let _ = write!(line, "{byte:02x}");
    }
    line + match nothing {
        None => " null\n",
        Some(_) => " ?\n",
    }
}

/// The rows that an endless statement hands over until it is told to stop.
type Rows = Arc<Mutex<Vec<i64>>>;

/// Keeps a row, and stops at the third.
fn keep(rows: &Rows, row: i64) -> ControlFlow<()> {
    locked(rows).push(row);
    match row {
        ..3 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    }
}

fn rows_text(rows: &Rows) -> String {
    locked(rows).iter().map(|row| format!("{row}\n")).collect()
}

fn items_text(items: Vec<(i64, String)>) -> String {
    let lines = items.into_iter().map(|(id, name)| format!("{id} {name}\n"));
    lines.collect()
}
