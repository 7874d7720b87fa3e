//! The calls that are waited for.

use exthost_plugin::db::query;
use exthost_plugin::prelude::*;
use serde_json::json;

use super::{
    COUNT, ENDLESS, INSERT, INSERT_FIRST, INSERT_NESTED, INSERT_SECOND, KINDS, MIGRATIONS, REMOVE,
    Rows, SELECT, items_text, keep, kinds, kinds_text, rows_text,
};
use crate::call::{Call, Waits};

pub(super) const ROUTES: [(&str, Waits); 9] = [
    ("GET wait/migrate", migrate),
    ("POST wait/items", store),
    ("GET wait/items", items),
    ("DELETE wait/items", remove),
    ("GET wait/kinds", all_kinds),
    ("GET wait/first", first),
    ("POST wait/batch", batch),
    ("POST wait/transaction", transaction),
    ("POST wait/fire", fire),
];

fn migrate(call: Call) -> Result<String> {
    call.plugin
        .expect(call.plugin.db.migrate(MIGRATIONS).wait()? == 2);
    Ok("migrated".to_owned())
}

fn store(call: Call) -> Result<String> {
    let insert = call.plugin.db.prepare(INSERT).wait()?;
    let stored = insert.run(&*call.body).wait()?;
    Ok(stored.last_insert_rowid.to_string())
}

fn items(call: Call) -> Result<String> {
    call.plugin.db.all(SELECT, ()).wait().map(items_text)
}

fn remove(call: Call) -> Result<String> {
    call.plugin.db.exec(REMOVE).wait()?;
    Ok("removed".to_owned())
}

fn all_kinds(call: Call) -> Result<String> {
    let row = call.plugin.db.get(KINDS, kinds()).wait()?;
    Ok(row.map(kinds_text).unwrap_or_default())
}

fn first(call: Call) -> Result<String> {
    let rows = Rows::default();
    let kept = rows.clone();
    let each = move |row| keep(&kept, row);
    call.plugin.db.iterate(ENDLESS, (), each).wait()?;
    Ok(rows_text(&rows))
}

fn batch(call: Call) -> Result<String> {
    let queries = [
        query(INSERT_FIRST, &*call.body),
        query(INSERT_SECOND, &*call.body),
    ];
    let results = call.plugin.db.batch(queries).wait()?;
    call.plugin
        .expect(results.iter().all(|result| result.changes == 1));
    Ok(format!("{} results", results.len()))
}

fn transaction(call: Call) -> Result<String> {
    let tx = call.plugin.db.begin().wait()?;
    let text = within(&tx, &call.body)?;
    match call.value("end") {
        "commit" => tx.commit().wait()?,
        _ => tx.rollback().wait()?,
    }
    Ok(text)
}

fn within(tx: &Tx, name: &str) -> Result<String> {
    tx.run(INSERT, name).wait()?;
    let dropped = tx.begin().wait()?;
    dropped.exec(REMOVE).wait()?;
    dropped.rollback().wait()?;
    let kept = tx.begin().wait()?;
    kept.batch([query(INSERT_NESTED, name)]).wait()?;
    kept.commit().wait()?;
    let count: Option<i64> = tx.get(COUNT, ()).wait()?;
    let id = tx.fire("item.stored", &json!({"name": name})).wait()?;
    Ok(format!("{} inside, {id}", count.unwrap_or_default()))
}

fn fire(call: Call) -> Result<String> {
    let fired = call
        .plugin
        .webhooks
        .fire_bytes("body.told", "text/plain", call.body.into_bytes());
    Ok(fired.wait()?.to_string())
}
