//! Runs whatever SQL it is sent, and ends transactions in every wrong way.

use exthost_plugin::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) fn routes(router: &mut Router) {
    router.post("sql", sql).public();
    router.post("sql/script", script).public();
    router.post("sql/batch", batch).public();
    router.post("sql/migrate", migrate).public();
    router.post("sql/transaction", transaction).public();
    router.post("sql/hold", hold).public();
    router.post("sql/blocking", blocking).public();
    router.post("sql/fire", fire).public();
}

fn db() -> Result<Db> {
    let services = Services::current().ok_or_else(|| Error::internal("called by nobody"))?;
    Ok(services.db())
}

type Rows = Vec<Map<String, Value>>;

/// The rows of one statement.
async fn sql(text: String) -> Result<Json<Rows>> {
    Ok(Json(db()?.all(&text, ()).await?))
}

/// Several statements.
async fn script(text: String) -> Result<()> {
    db()?.exec(&text).await
}

/// A statement a line, all or none.
async fn batch(text: String) -> Result<()> {
    let queries = text.lines().map(|line| exthost_plugin::db::query(line, ()));
    db()?.batch(queries).await.map(drop)
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

/// A script as the step of a schema.
async fn migrate(Query(to): Query<Version>, text: String) -> Result<Json<Value>> {
    let version = db()?.migrate(&[(to.version, &text)]).await?;
    Ok(Json(json!({"version": version})))
}

#[derive(Deserialize)]
struct End {
    end: String,
}

/// A script inside a transaction, which ends as asked for.
async fn transaction(Query(end): Query<End>, text: String) -> Result<Json<Value>> {
    let db = db()?;
    let tx = db.begin().await?;
    tx.exec(&text).await?;
    match &*end.end {
        "commit" => tx.commit().await?,
        "rollback" => tx.rollback().await?,
        "panic" => panic!("inside a transaction"),
        // The host rolls it back, for the request has ended.
        "forget" => std::mem::forget(tx),
        // Beside its own transaction, which would never end.
        "beside" => {
            let beside = db.exec(&text).await;
            tx.rollback().await?;
            beside?;
        }
        _ => {}
    }
    Ok(Json(json!({"end": end.end})))
}

#[derive(Deserialize)]
struct Hold {
    ms: u64,
}

/// A transaction held open for a while, then committed.
async fn hold(Query(hold): Query<Hold>, text: String) -> Result<()> {
    let tx = db()?.begin().await?;
    tx.exec(&text).await?;
    sleep(std::time::Duration::from_millis(hold.ms)).await;
    tx.commit().await
}

/// The form that waits, where waiting is not allowed.
async fn blocking(text: String) -> Result<String> {
    Ok(db()?.run(&text, ()).wait()?.changes.to_string())
}

/// A message beside a script, in one transaction that ends as asked for.
async fn fire(Query(end): Query<End>, text: String) -> Result<Json<Value>> {
    let tx = db()?.begin().await?;
    tx.exec(&text).await?;
    let id = tx.fire("faulty.fired", &json!({"script": text})).await?;
    match &*end.end {
        "commit" => tx.commit().await?,
        _ => tx.rollback().await?,
    }
    Ok(Json(json!({"id": id.to_string()})))
}
