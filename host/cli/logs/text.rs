//! A line of a host's log, for people.

use std::time::{Duration, UNIX_EPOCH};

use exthost::logs::without_control;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What of a line is shown. Fields of a later host are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    time_ms: u64,
    level: String,
    target: String,
    plugin: Option<String>,
    request_id: Option<String>,
    message: String,
    fields: Map<String, Value>,
}

/// One line, safe for a terminal: what is not understood is shown as it came.
pub(super) fn line(line: &Value) -> String {
    let Ok(line) = Line::deserialize(line) else {
        return line.to_string();
    };
    let time = UNIX_EPOCH + Duration::from_millis(line.time_ms);
    let time = humantime::format_rfc3339_millis(time);
    let level = line.level.to_ascii_uppercase();
    let whose = line.plugin.unwrap_or(line.target);
    let mut text = format!("{time} {level:>5} {whose}: {}", line.message);
    for (name, value) in &line.fields {
        text += &format!(" {name}={value}");
    }
    if let Some(request) = line.request_id {
        text += &format!(" request={request}");
    }
    without_control(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_tells_who_and_what() {
        let told = line(&json!({
            "number": 1, "time_ms": 1500, "level": "warn", "target": "exthost::plugin",
            "plugin": "memwatch", "request_id": "r-1", "message": "high\u{1b}[2J\nup",
            "fields": { "used": 7, "of": "it" },
        }));
        assert_eq!(
            told,
            "1970-01-01T00:00:01.500Z  WARN memwatch: high\\u{1b}[2J\\nup of=\"it\" used=7 \
             request=r-1"
        );
    }

    #[test]
    fn the_hosts_own_name_their_target() {
        let told = line(&json!({
            "time_ms": 0, "level": "info", "target": "exthost::host", "message": "serving",
        }));
        assert_eq!(
            told,
            "1970-01-01T00:00:00.000Z  INFO exthost::host: serving"
        );
    }
}
