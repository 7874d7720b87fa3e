//! The same calls, awaited.

use std::ops::ControlFlow;
use std::time::Duration;

use exthost_plugin::db::query;
use exthost_plugin::prelude::*;
use exthost_plugin::timeout;
use serde_json::json;

use super::{
    COUNT, ENDLESS, INSERT, INSERT_FIRST, INSERT_NESTED, INSERT_SECOND, KINDS, MIGRATIONS, REMOVE,
    Rows, SELECT, items_text, keep, kinds, kinds_text, rows_text,
};
use crate::call::{Awaits, Call};

pub(super) const ROUTES: [(&str, Awaits); 10] = [
    ("GET complete/migrate", |call| Box::pin(migrate(call))),
    ("POST complete/items", |call| Box::pin(store(call))),
    ("GET complete/items", |call| Box::pin(items(call))),
    ("DELETE complete/items", |call| Box::pin(remove(call))),
    ("GET complete/kinds", |call| Box::pin(all_kinds(call))),
    ("GET complete/first", |call| Box::pin(first(call))),
    ("POST complete/batch", |call| Box::pin(batch(call))),
    ("POST complete/transaction", |call| {
        Box::pin(transaction(call))
    }),
    ("POST complete/fire", |call| Box::pin(fire(call))),
    ("GET cancel", |call| Box::pin(cancel(call))),
];

async fn migrate(call: Call) -> Result<String> {
    call.plugin.db.migrate(MIGRATIONS).await?;
    Ok("migrated".to_owned())
}

async fn store(call: Call) -> Result<String> {
    let insert = call.plugin.db.prepare(INSERT).await?;
    let stored = insert.run(&*call.body).await?;
    Ok(stored.last_insert_rowid.to_string())
}

async fn items(call: Call) -> Result<String> {
    call.plugin.db.all(SELECT, ()).await.map(items_text)
}

async fn remove(call: Call) -> Result<String> {
    call.plugin.db.exec(REMOVE).await?;
    Ok("removed".to_owned())
}

async fn all_kinds(call: Call) -> Result<String> {
    let row = call.plugin.db.get(KINDS, kinds()).await?;
    Ok(row.map(kinds_text).unwrap_or_default())
}

async fn first(call: Call) -> Result<String> {
    let rows = Rows::default();
    let kept = rows.clone();
    let each = move |row| keep(&kept, row);
    call.plugin.db.iterate(ENDLESS, (), each).await?;
    Ok(rows_text(&rows))
}

async fn batch(call: Call) -> Result<String> {
    let queries = [
        query(INSERT_FIRST, &*call.body),
        query(INSERT_SECOND, &*call.body),
    ];
    let results = call.plugin.db.batch(queries).await?;
    Ok(format!("{} results", results.len()))
}

/// An error of the closure rolls back; this one is made for that.
const ROLLED_BACK: &str = "rolled-back";

async fn transaction(call: Call) -> Result<String> {
    let commits = call.value("end") == "commit";
    let mut text = String::new();
    let ended = call
        .plugin
        .db
        .transaction(async |tx| {
            text = within(tx, &call.body).await?;
            match commits {
                true => Ok(()),
                false => Err(Error::conflict("asked to roll back").with_code(ROLLED_BACK)),
            }
        })
        .await;
    match ended {
        Err(error) if error.code() == ROLLED_BACK => Ok(text),
        ended => ended.map(|()| text),
    }
}

async fn within(tx: &Tx, name: &str) -> Result<String> {
    tx.run(INSERT, name).await?;
    let dropped = tx.begin().await?;
    dropped.exec(REMOVE).await?;
    dropped.rollback().await?;
    let kept = tx.begin().await?;
    kept.batch([query(INSERT_NESTED, name)]).await?;
    kept.commit().await?;
    let count: Option<i64> = tx.get(COUNT, ()).await?;
    let id = tx.fire("item.stored", &json!({"name": name})).await?;
    Ok(format!("{} inside, {id}", count.unwrap_or_default()))
}

/// A call that is dropped is cancelled, and this one does not end by itself.
async fn cancel(call: Call) -> Result<String> {
    let endless = call
        .plugin
        .db
        .iterate(ENDLESS, (), |_: i64| ControlFlow::Continue(()));
    match timeout(Duration::from_millis(1), endless).await {
        Err(_) => Ok("cancelled".to_owned()),
        Ok(ended) => ended.map(|()| "ended".to_owned()),
    }
}

async fn fire(call: Call) -> Result<String> {
    let fired = call
        .plugin
        .webhooks
        .fire_bytes("body.told", "text/plain", call.body.into_bytes());
    Ok(fired.await?.to_string())
}
