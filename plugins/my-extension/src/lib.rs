//! Keeps items with a record of who made them, and shows what a plugin's database
//! refuses.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

struct MyExtension {
    db: Db,
}

impl Plugin for MyExtension {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let db = services.db();
        db.exec(
            "CREATE TABLE IF NOT EXISTS ext_my_extension_items (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL
            )",
        )
        .wait()?;
        router.post("items", insert_item);
        router.get("items", items);
        router.get("users", users);
        router.get("other", other);
        Ok(MyExtension { db })
    }
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct NewItem {
    name: String,
}

/// The item and the record of it, or neither.
fn insert_item(
    plugin: State<MyExtension>,
    Json(NewItem { name }): Json<NewItem>,
) -> Result<(StatusCode, Json<Item>)> {
    let item = plugin.db.blocking_transaction(|tx| {
        let sql = "INSERT INTO ext_my_extension_items (name) VALUES (?)";
        let id = tx.run(sql, &name).wait()?.last_insert_rowid;
        let item = Item { id, name };
        tx.record("item.created", "item", id, &item).wait()?;
        Ok(item)
    })?;
    Ok((StatusCode::CREATED, Json(item)))
}

fn items(plugin: State<MyExtension>) -> Result<Json<Vec<Item>>> {
    let sql = "SELECT id, name FROM ext_my_extension_items ORDER BY id";
    Ok(Json(plugin.db.all(sql, ()).wait()?))
}

/// 403: not a table of this plugin, nor one that the operator has granted it.
fn users(plugin: State<MyExtension>) -> Result<Json<Vec<Item>>> {
    Ok(Json(plugin.db.all("SELECT * FROM users", ()).wait()?))
}

/// 403: another plugin's.
fn other(plugin: State<MyExtension>) -> Result<Json<Vec<Item>>> {
    let sql = "SELECT * FROM ext_other_plugin_data";
    Ok(Json(plugin.db.all(sql, ()).wait()?))
}

export_plugin!(MyExtension, needs = [routes, db, audit]);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn items_are_kept() {
        let host = TestHost::of(MyExtension::embedded()).await;
        let created = host.post("items", &json!({"name": "bread"})).await;
        assert_eq!(created.status(), 201);
        let bread: Value = created.json();
        assert_eq!(bread, json!({"id": 1, "name": "bread"}));
        host.reload("my-extension").await.unwrap();
        assert_eq!(host.get("items").await.json::<Value>(), json!([bread]));
    }

    #[tokio::test]
    async fn tables_of_others_are_refused() {
        let host = TestHost::of(MyExtension::embedded()).await;
        for (path, table) in [("users", "users"), ("other", "ext_other_plugin_data")] {
            let refused = host.get(path).await;
            assert_eq!(refused.status(), 403);
            let detail = format!("denied: table {table} is outside ext_my_extension_");
            assert_eq!(refused.json::<Value>()["detail"], detail);
        }
    }
}
