//! Counts the users in a table of the host.
//!
//! Its operator has to name the table: `tables = ["user"]` in `exthost.toml`.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;
use serde::Serialize;

struct UserCount {
    db: Db,
}

impl Plugin for UserCount {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.get("count", count).public();
        Ok(UserCount { db: services.db() })
    }
}

#[derive(Serialize)]
struct Count {
    count: u64,
    /// The same, by the table's full name, which no table of the plugin can hide.
    qualified: u64,
}

async fn count(plugin: State<UserCount>) -> Result<Json<Count>> {
    let count = plugin.db.get("SELECT count(*) FROM user", ()).await?;
    let qualified = plugin.db.get("SELECT count(*) FROM host.user", ()).await?;
    Ok(Json(Count {
        count: count.unwrap_or_default(),
        qualified: qualified.unwrap_or_default(),
    }))
}

export_plugin!(UserCount, needs = [routes, db]);
