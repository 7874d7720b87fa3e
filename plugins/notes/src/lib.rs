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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_note_is_kept_and_told_of() {
        let host = TestHost::of(Notes::embedded()).await;
        let mut listener = host.listen("notes/>").await;
        let created = host.post("items", &json!({"name": " bread "})).await;
        assert_eq!(created.status(), 201);
        let created: Value = created.json();
        assert_eq!(created["name"], "bread");

        let told = host.webhooks().next().await;
        assert_eq!(told.event_type, "note.created");
        assert_eq!(told.json::<Value>()["id"], created["id"]);
        let published = listener.next().await.unwrap();
        assert_eq!(published.event, "created");
        assert_eq!(published.data, told.json::<Value>());
        let items: Value = host.get("items").await.json();
        assert_eq!(items, json!({"items": [published.data]}));

        let path = format!("items/{}", created["id"].as_str().unwrap());
        assert_eq!(host.delete(&path).await.status(), 204);
        assert_eq!(host.webhooks().next().await.event_type, "note.deleted");
        assert_eq!(host.get(&path).await.status(), 404);
    }

    #[tokio::test]
    async fn what_is_refused_is_told_to_nobody() {
        let host = TestHost::of(Notes::embedded()).await;
        for name in ["", " ", &"x".repeat(201)] {
            let refused = host.post("items", &json!({"name": name})).await;
            assert_eq!(refused.status(), 422, "{refused}");
        }
        let unknown = host.delete(&format!("items/{}", Uuid::new_v4())).await;
        assert_eq!(unknown.status(), 404);
        host.post("items", &json!({"name": "the first"})).await;
        let told: Value = host.webhooks().next().await.json();
        assert_eq!(told["name"], "the first");
    }

    #[tokio::test]
    async fn an_endpoint_that_fails_is_told_again() {
        let host = TestHost::of(Notes::embedded()).await;
        let webhooks = host.webhooks();
        webhooks.fail_next(2, 503);
        host.post("items", &json!({"name": "bread"})).await;
        let first = webhooks.next().await;
        assert_eq!(first.status, 503);
        host.advance(Duration::from_secs(5));
        assert_eq!(webhooks.next().await.status, 503);
        host.advance(Duration::from_secs(5 * 60));
        let third = webhooks.next().await;
        assert_eq!(third.status, 204);
        assert_eq!((third.id, third.payload), (first.id, first.payload));
    }
}
