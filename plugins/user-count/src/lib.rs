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

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    const USERS: &str = "CREATE TABLE user (name); INSERT INTO user VALUES ('ada'), ('grace')";

    #[tokio::test]
    async fn it_counts_the_users() {
        let host = TestHost::builder().embed(UserCount::embedded());
        let host = host.host_sql(USERS).tables("user-count", ["user"]);
        let host = host.start().await.unwrap();
        let count: Value = host.get("count").await.json();
        assert_eq!(count, json!({"count": 2, "qualified": 2}));
    }

    #[tokio::test]
    async fn a_table_that_was_not_granted_is_refused() {
        let host = TestHost::builder().embed(UserCount::embedded());
        let host = host.host_sql(USERS).start().await.unwrap();
        let refused = host.get("count").await;
        assert_eq!(refused.status(), 403);
        let detail = "denied: table user is outside ext_user_count_";
        assert_eq!(refused.json::<Value>()["detail"], detail);
    }
}
