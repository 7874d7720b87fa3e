//! Lines of the log as JSON objects.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::logs::fields::Fields;
use crate::services::log::TARGET;

/// Formats each line as one JSON object: `timestamp`, `level`, `target`, `message`
/// and the fields of the line. What a plugin has added is an object in `fields`.
///
/// # Examples
/// ```no_run
/// tracing_subscriber::fmt().event_format(exthost::logs::JsonLines).init();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonLines;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    target: &'a str,
    message: String,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
}

/// Names that fields give way to.
const RESERVED: [&str; 3] = ["timestamp", "level", "target"];

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut fields = Fields::of(event);
        let message = fields.take_text("message").unwrap_or_default();
        // Lines of libraries that use `log` come with their metadata as fields.
        let of_log = fields.take_text("log.target");
        let target = of_log.as_deref().unwrap_or(metadata.target());
        let fields = fields.rest();
        fields.retain(|name, _| !name.starts_with("log.") && !RESERVED.contains(&&**name));
        if target == TARGET
            && let Some(Value::String(own)) = fields.get("fields")
            && let Ok(own) = serde_json::from_str(own)
        {
            fields.insert("fields".to_owned(), own);
        }
        let line = Line {
            timestamp: humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
            level: metadata.level().as_str(),
            target,
            message,
            fields,
        };
        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::written::Written;

    #[test]
    fn fields_of_plugins_are_objects() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLines)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let fields = r#"{"used": 7, "a": ["b"]}"#;
            tracing::info!(target: TARGET, plugin = "memwatch", fields, "line\n{}", 1);
            tracing::warn!(target: "exthost", level = "taken", fields, ms = 1.5, "two");
        });
        let written = written.text();
        let lines = written
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        assert_eq!(lines.len(), 2, "{written}");
        assert_eq!(
            lines[0]["fields"],
            serde_json::json!({ "used": 7, "a": ["b"] })
        );
        assert_eq!(
            (&lines[0]["plugin"], &lines[0]["message"]),
            (&"memwatch".into(), &"line\n1".into())
        );
        let timestamp = lines[0]["timestamp"].as_str().unwrap();
        assert!(humantime::parse_rfc3339(timestamp).is_ok(), "{timestamp}");
        assert_eq!(
            (&lines[1]["level"], &lines[1]["ms"]),
            (&"WARN".into(), &1.5.into())
        );
        // Of anybody else, it is the text that it is.
        assert!(lines[1]["fields"].is_string(), "{written}");
    }
}
