//! Takes the time of the database's calls from inside the plugin, so that it
//! holds the boundary and no HTTP.

use std::time::Instant;

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Item, Items, now_ms};

/// Rows of one transaction.
const ROWS: u32 = 1000;

#[derive(Deserialize)]
pub(crate) struct Rounds {
    what: String,
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
        "select" => select,
        "transaction" => transaction,
        other => return Err(Error::not_found(format!("{other} is not measured"))),
    };
    let begun = Instant::now();
    for _ in 0..asked.rounds {
        round(&items)?;
    }
    let nanoseconds = begun.elapsed().as_nanos() as u64;
    Ok(Json(Taken { nanoseconds }))
}

/// One insert that commits by itself, with an integer for its key.
fn insert(items: &Items) -> Result<()> {
    items.insert_numbered.run(("item", now_ms())).wait()?;
    Ok(())
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
