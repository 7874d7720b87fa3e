//! The limit of what is measured: the routes of the plugin `items` compiled into
//! a bare axum, with one SQLite connection behind a mutex. No authentication, no
//! timeouts, no scope.
//!
//! Usage: `bench-limit PORT DIRECTORY`

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const INSERT: &str = "INSERT INTO ext_items_items (id, name, created_at) VALUES (?, ?, ?)";
const LIST: &str =
    "SELECT id, name, created_at FROM ext_items_items ORDER BY created_at DESC, id LIMIT ?";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, directory] = &arguments[..] else {
        return Err("usage: bench-limit PORT DIRECTORY".into());
    };
    let items = open(Path::new(directory))?;
    let port: u16 = port.parse()?;
    // One core is measured.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        announce(&listener)?;
        Ok(axum::serve(listener, router(items)).await?)
    })
}

#[allow(clippy::print_stdout, reason = "whoever measures waits for this line")]
fn announce(listener: &tokio::net::TcpListener) -> std::io::Result<()> {
    println!("serving on http://{}", listener.local_addr()?);
    Ok(())
}

type Items = Arc<Mutex<Connection>>;

fn open(directory: &Path) -> rusqlite::Result<Items> {
    let connection = Connection::open(directory.join("data.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(include_str!("../../items/src/schema.sql"))?;
    Ok(Arc::new(Mutex::new(connection)))
}

fn router(items: Items) -> Router {
    let routes = Router::new()
        .route("/hello", get(hello))
        .route("/items", get(list).post(create))
        .route("/fill", post(fill))
        .route("/count", get(count))
        .with_state(items);
    Router::new().nest("/api/ext/items", routes)
}

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

#[derive(Serialize)]
struct Item {
    id: String,
    name: String,
    created_at: i64,
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

#[derive(Serialize, Deserialize)]
struct Count {
    rows: i64,
}

/// What a handler answers when SQLite fails.
struct Failed(rusqlite::Error);

async fn hello(Query(query): Query<Name>) -> Json<Greeting> {
    let name = query.name.as_deref().unwrap_or("world");
    Json(Greeting {
        message: format!("hello {name}"),
    })
}

async fn list(
    State(items): State<Items>,
    Query(page): Query<Page>,
) -> Result<Json<Listed>, Failed> {
    let connection = items.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection.prepare_cached(LIST)?;
    let rows = statement.query_map([page.limit.unwrap_or(20).min(100)], |row| {
        Ok(Item {
            id: row.get(0)?,
            name: row.get(1)?,
            created_at: row.get(2)?,
        })
    })?;
    let items = rows.collect::<Result<_, _>>()?;
    Ok(Json(Listed { items }))
}

async fn create(
    State(items): State<Items>,
    Json(new): Json<NewItem>,
) -> Result<(StatusCode, Json<Created>), Failed> {
    let id = Uuid::new_v4();
    let connection = items.lock().unwrap_or_else(PoisonError::into_inner);
    let mut insert = connection.prepare_cached(INSERT)?;
    insert.execute(params![id.to_string(), new.name, now_ms()])?;
    let created = Created { id, name: new.name };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Puts `rows` new items in place of all there are.
async fn fill(
    State(items): State<Items>,
    Query(fill): Query<Count>,
) -> Result<Json<Count>, Failed> {
    let begun = now_ms() - fill.rows;
    let mut connection = items.lock().unwrap_or_else(PoisonError::into_inner);
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM ext_items_items", [])?;
    for at in 0..fill.rows {
        let row = params![Uuid::new_v4().to_string(), format!("item {at}"), begun + at];
        transaction.prepare_cached(INSERT)?.execute(row)?;
    }
    transaction.commit()?;
    Ok(Json(fill))
}

async fn count(State(items): State<Items>) -> Result<Json<Count>, Failed> {
    let connection = items.lock().unwrap_or_else(PoisonError::into_inner);
    let mut count = connection.prepare_cached("SELECT count(*) FROM ext_items_items")?;
    let rows = count.query_row([], |row| row.get(0))?;
    Ok(Json(Count { rows }))
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as i64)
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Failed(error)
    }
}

impl axum::response::IntoResponse for Failed {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
