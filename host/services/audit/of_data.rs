//! What is recorded of those who look after the data of plugins.

use serde::Serialize;
use serde_json::json;

use crate::name::PluginName;
use crate::services::actor::Actor;
use crate::services::audit::Audit;
use crate::services::db::StoredError;

/// A database was copied.
pub(crate) const BACKED_UP: &str = "host.data.backed-up";

/// A backup has taken the place of a database.
pub(crate) const RESTORED: &str = "host.data.restored";

/// A database was rebuilt.
pub(crate) const VACUUMED: &str = "host.data.vacuumed";

/// All data of a plugin was removed.
pub(crate) const REMOVED: &str = "host.data.removed";

impl Audit {
    /// Records what `actor` did to the data of a plugin, in the course of the request
    /// `request_id` if there was one, and what came of it.
    pub(crate) async fn of_data<T: Serialize>(
        &self,
        (actor, request_id): (&Actor, &str),
        action: &str,
        plugin: &PluginName,
        outcome: &Result<T, StoredError>,
    ) {
        let detail = match outcome {
            Ok(done) => json!({ "ok": true, "done": done }),
            Err(error) => json!({ "ok": false, "code": error.code() }),
        };
        let target = ("plugin", plugin.as_str());
        let recorded = self.operator(actor, request_id, action, target, detail);
        recorded.await;
    }
}
