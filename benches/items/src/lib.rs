//! The fixed work that is measured: greets, lists items and takes new ones.
#![forbid(unsafe_code)]

mod measure;

use std::time::{SystemTime, UNIX_EPOCH};

use exthost_plugin::db::{Statement, query};
use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const MIGRATIONS: &[(u64, &str)] = &[(1, include_str!("schema.sql"))];

// The peers prepare the same texts.
const INSERT: &str = "INSERT INTO ext_items_items (id, name, created_at) VALUES (?, ?, ?)";
const LIST: &str =
    "SELECT id, name, created_at FROM ext_items_items ORDER BY created_at DESC, id LIMIT ?";
const INSERT_NUMBERED: &str = "INSERT INTO ext_items_numbered (name, created_at) VALUES (?, ?)";
const GET_NUMBERED: &str = "SELECT name, created_at FROM ext_items_numbered WHERE id = ?";

struct Items {
    db: Db,
    insert: Statement,
    list: Statement,
    insert_numbered: Statement,
    get_numbered: Statement,
}

impl Plugin for Items {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let db = services.db();
        db.migrate(MIGRATIONS).wait()?;

        router.get("hello", hello).public();
        router.get("items", list).public();
        router.post("items", create).public();
        router.post("fill", fill).public();
        router.get("count", count).public();
        router.post("measure", measure::measure).public();
        router.post("write", measure::write).public();
        Ok(Items {
            db,
            insert: db.prepare(INSERT).wait()?,
            list: db.prepare(LIST).wait()?,
            insert_numbered: db.prepare(INSERT_NUMBERED).wait()?,
            get_numbered: db.prepare(GET_NUMBERED).wait()?,
        })
    }
}

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: String,
    name: String,
    created_at: u64,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Listed {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct NewItem {
    name: String,
}

#[derive(Serialize)]
struct Created {
    id: Uuid,
    name: String,
}

#[derive(Deserialize)]
struct Fill {
    rows: u64,
}

#[derive(Serialize)]
struct Count {
    rows: u64,
}

async fn hello(Query(query): Query<Name>) -> Json<Greeting> {
    let name = query.name.as_deref().unwrap_or("world");
    Json(Greeting {
        message: format!("hello {name}"),
    })
}

async fn list(items: State<Items>, Query(page): Query<Page>) -> Result<Json<Listed>> {
    let limit = page.limit.unwrap_or(20).min(100);
    let items = items.list.all(limit).await?;
    Ok(Json(Listed { items }))
}

async fn create(items: State<Items>, Json(new): Json<NewItem>) -> Result<impl IntoResponse> {
    let id = Uuid::new_v4();
    items.insert.run((id, &new.name, now_ms())).await?;
    let created = Created { id, name: new.name };
    Ok((StatusCode::CREATED, Json(created).into_response()))
}

/// Puts `rows` new items in place of all there are.
async fn fill(items: State<Items>, Query(fill): Query<Fill>) -> Result<Json<Count>> {
    let begun = now_ms() - fill.rows;
    let rows = (0..fill.rows).map(|at| {
        let row = (Uuid::new_v4(), format!("item {at}"), begun + at);
        query(INSERT, row)
    });
    let clear = query("DELETE FROM ext_items_items", ());
    items.db.batch(std::iter::once(clear).chain(rows)).await?;
    Ok(Json(Count { rows: fill.rows }))
}

async fn count(items: State<Items>) -> Result<Json<Count>> {
    let counted = items.db.pread("SELECT count(*) FROM ext_items_items", ());
    let rows = counted.await?.first().copied().unwrap_or(0);
    Ok(Json(Count { rows }))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as u64)
}

export_plugin!(Items, needs = [routes, db]);
