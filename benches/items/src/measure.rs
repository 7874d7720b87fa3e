//! Takes the time of the database's calls from inside the plugin, so that it
//! holds the boundary and no HTTP.

use std::time::Instant;

use exthost_plugin::db::query;
use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{INSERT_NUMBERED, Item, Items, now_ms};

/// Rows of one transaction, and of one batch.
const ROWS: u32 = 1000;

#[derive(Deserialize)]
pub(crate) struct Rounds {
    what: String,
    rounds: u32,
}

#[derive(Deserialize)]
pub(crate) struct Writes {
    rounds: u32,
}

#[derive(Serialize)]
pub(crate) struct Taken {
    nanoseconds: u64,
}

/// Does one thing many times and answers how long all of it took.
pub(crate) fn measure(items: State<Items>, Query(asked): Query<Rounds>) -> Result<Json<Taken>> {
    let round: fn(&Items) -> Result<()> = match &*asked.what {
        "insert" => insert,
        "insert-row" => insert_row,
        "get" => get,
        "select" => select,
        "transaction" => transaction,
        "batch" => batch,
        other => return Err(Error::not_found(format!("{other} is not measured"))),
    };
    let begun = Instant::now();
    for _ in 0..asked.rounds {
        round(&items)?;
    }
    let nanoseconds = begun.elapsed().as_nanos() as u64;
    Ok(Json(Taken { nanoseconds }))
}

/// Inserts one row after the other, as one of many that do, and each once the one
/// before is committed.
pub(crate) async fn write(items: State<Items>, Query(asked): Query<Writes>) -> Result<Json<Taken>> {
    let begun = Instant::now();
    for _ in 0..asked.rounds {
        items.insert_numbered.run(("item", now_ms())).await?;
    }
    let nanoseconds = begun.elapsed().as_nanos() as u64;
    Ok(Json(Taken { nanoseconds }))
}

/// One insert that commits by itself, with an integer for its key.
fn insert(items: &Items) -> Result<()> {
    items.insert_numbered.run(("item", now_ms())).wait()?;
    Ok(())
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    created_at: u64,
}

/// The same, of a struct whose fields are the columns.
fn insert_row(items: &Items) -> Result<()> {
    let row = Row {
        name: "item",
        created_at: now_ms(),
    };
    items.db.insert("ext_items_numbered", &row).wait()?;
    Ok(())
}

/// One row by its key, decoded.
fn get(items: &Items) -> Result<()> {
    let found: Option<(String, u64)> = items.get_numbered.get(1).wait()?;
    match found {
        Some(_) => Ok(()),
        None => Err(Error::internal("there is no row; insert first")),
    }
}

/// The 20 newest items, decoded.
fn select(items: &Items) -> Result<()> {
    let found: Vec<Item> = items.list.all(20).wait()?;
    match found.len() {
        20 => Ok(()),
        rows => Err(Error::internal(format!(
            "{rows} rows instead of 20; fill first"
        ))),
    }
}

/// One transaction of [`ROWS`] inserts.
fn transaction(items: &Items) -> Result<()> {
    items.db.blocking_transaction(|tx| {
        let insert = items.insert_numbered.within(tx);
        for _ in 0..ROWS {
            insert.run(("item", now_ms())).wait()?;
        }
        Ok(())
    })
}

/// One batch of [`ROWS`] inserts.
fn batch(items: &Items) -> Result<()> {
    let rows = (0..ROWS).map(|_| query(INSERT_NUMBERED, ("item", now_ms())));
    items.db.batch(rows).wait()?;
    Ok(())
}
