//! Keeps notes, and tells the operator's webhooks and connected clients of each.
#![forbid(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const MIGRATIONS: &[(u64, &str)] = &[(
    1,
    "CREATE TABLE ext_notes_items (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL -- Unix time in ms
    );
    CREATE INDEX ext_notes_items_newest ON ext_notes_items (created_at DESC, id);",
)];

struct Notes {
    db: Db,
    /// If it was granted.
    broadcast: Option<Broadcast>,
}

impl Plugin for Notes {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let db = services.db();
        db.migrate(MIGRATIONS).wait()?;

        router.post("items", create);
        router.get("items", list).public();
        router.get("items/{id}", show).public();
        router.delete("items/{id}", delete);
        let granted = services.granted("broadcast");
        Ok(Notes {
            db,
            broadcast: granted.then(|| services.broadcast()),
        })
    }
}

impl Notes {
    /// Tells connected clients what was committed, which stays so if they cannot be
    /// told.
    fn changed(&self, event: &str, what: &impl Serialize) {
        let Some(broadcast) = self.broadcast else {
            return;
        };
        if let Err(error) = broadcast.publish("changed", event, what) {
            log::warn("nobody was told of a change").field("reason", error.message());
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Note {
    id: Uuid,
    name: String,
    created_at: u64,
}

#[derive(Deserialize)]
struct NewNote {
    name: String,
}

#[derive(Serialize)]
struct Created {
    id: Uuid,
    name: String,
}

#[derive(Serialize)]
struct Deleted {
    id: Uuid,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Note>,
}

async fn create(
    notes: State<Notes>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<Created>)> {
    let note = Note {
        id: Uuid::new_v4(),
        name: valid(&new.name)?.to_owned(),
        created_at: now_ms(),
    };
    notes
        .db
        .transaction(async |tx| {
            tx.insert("ext_notes_items", &note).await?;
            tx.fire("note.created", &note).await
        })
        .await?;
    notes.changed("created", &note);
    log::info("created a note").field("id", note.id.to_string());
    let Note { id, name, .. } = note;
    Ok((StatusCode::CREATED, Json(Created { id, name })))
}

async fn list(notes: State<Notes>, Query(page): Query<Page>) -> Result<Json<Items>> {
    let limit = page.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Error::unprocessable("limit must be from 1 to 100"));
    }
    let newest = "SELECT id, name, created_at FROM ext_notes_items
        ORDER BY created_at DESC, id LIMIT ?";
    let items = notes.db.all(newest, limit).await?;
    Ok(Json(Items { items }))
}

async fn show(notes: State<Notes>, Path(id): Path<Uuid>) -> Result<Json<Note>> {
    let sql = "SELECT id, name, created_at FROM ext_notes_items WHERE id = ?";
    let note = notes.db.get(sql, id).await?;
    note.map(Json).ok_or_else(|| no_note(id))
}

async fn delete(notes: State<Notes>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let deleted = Deleted { id };
    notes
        .db
        .transaction(async |tx| {
            let sql = "DELETE FROM ext_notes_items WHERE id = ?";
            if tx.run(sql, id).await?.changes == 0 {
                return Err(no_note(id));
            }
            tx.fire("note.deleted", &deleted).await
        })
        .await?;
    notes.changed("deleted", &deleted);
    log::info("deleted a note").field("id", id.to_string());
    Ok(StatusCode::NO_CONTENT)
}

/// The name without white space around it.
fn valid(name: &str) -> Result<&str> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err(Error::unprocessable("name must not be empty")),
        1..=200 => Ok(name),
        length => Err(Error::unprocessable(format!(
            "name must be 200 characters at most, got {length}"
        ))),
    }
}

fn no_note(id: Uuid) -> Error {
    Error::not_found(format!("no note {id}"))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as u64)
}

export_plugin!(
    Notes,
    needs = [routes, db, webhooks, log],
    wants = [broadcast]
);
