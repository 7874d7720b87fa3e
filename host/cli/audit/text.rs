//! A record of the audit, for people.

use std::time::{Duration, UNIX_EPOCH};

use exthost::audit::Record;
use exthost::auth::Actor;
use exthost::logs::without_control;

/// One line, safe for a terminal.
pub(super) fn record(record: &Record) -> String {
    let since = Duration::from_millis(record.time_ms.max(0).unsigned_abs());
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + since);
    let whose = match &*record.plugin {
        "" => "host",
        plugin => plugin,
    };
    let actor = match serde_json::from_str::<Actor>(&record.actor) {
        Ok(actor) => actor.to_string(),
        // A later host may know more of it.
        Err(_) => record.actor.clone(),
    };
    let mut text = format!(
        "{} {time} {whose}: {} by {actor}",
        record.seq, record.action
    );
    match (&*record.target_kind, &*record.target_id) {
        ("", "") => {}
        (kind, "") => text += &format!(" on {kind}"),
        (kind, id) => text += &format!(" on {kind}:{id}"),
    }
    if !record.detail.is_empty() {
        text += &format!(" {}", record.detail);
    }
    if !record.request_id.is_empty() {
        text += &format!(" request={}", record.request_id);
    }
    without_control(&text)
}
