//! What a host answers about its webhooks, for people.

use comfy_table::{Table, presets};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Result;

/// Fields of a later host are passed over.
#[derive(Debug, Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    name: String,
    url: String,
    state: String,
    reason: Option<String>,
    breaker: String,
    pending: u64,
    done: u64,
    dead: u64,
}

#[derive(Debug, Deserialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    id: String,
    plugin: String,
    event_type: String,
    endpoint: String,
    state: String,
    reason: Option<String>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    number: u64,
    took_ms: i64,
    status: Option<u16>,
    error: Option<String>,
    answer: String,
}

/// Most characters of an answer that are shown.
const ANSWER_CHARS_MAX: usize = 100;

/// A table of the endpoints, and why one is disabled.
pub(super) fn endpoints(answer: &Value) -> Result<String> {
    let Endpoints { endpoints } = Endpoints::deserialize(answer)?;
    if endpoints.is_empty() {
        return Ok("no endpoints".to_owned());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["name", "state", "breaker", "pending", "done", "dead", "url"]);
    let mut reasons = String::new();
    for endpoint in endpoints {
        if let Some(reason) = endpoint.reason {
            reasons += &format!("\n{}: {reason}", endpoint.name);
        }
        table.add_row([
            endpoint.name,
            endpoint.state,
            endpoint.breaker,
            endpoint.pending.to_string(),
            endpoint.done.to_string(),
            endpoint.dead.to_string(),
            endpoint.url,
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    Ok(table.trim_fmt() + &reasons)
}

/// A line for each delivery, and one for each of its attempts.
pub(super) fn deliveries(answer: &Value) -> Result<String> {
    let Deliveries { deliveries } = Deliveries::deserialize(answer)?;
    let mut lines = Vec::new();
    for delivery in deliveries {
        let Delivery {
            id,
            plugin,
            event_type,
            endpoint,
            state,
            ..
        } = delivery;
        let reason = delivery.reason.map(|reason| format!(": {reason}"));
        let reason = reason.unwrap_or_default();
        lines.push(format!(
            "{id}  {event_type} of {plugin} to {endpoint}  {state}{reason}"
        ));
        lines.extend(delivery.attempts.iter().map(attempt));
    }
    Ok(match lines.is_empty() {
        true => "no deliveries".to_owned(),
        false => lines.join("\n"),
    })
}

fn attempt(attempt: &Attempt) -> String {
    let status = attempt.status.map(|status| status.to_string());
    let told = [status, attempt.error.clone(), shown(&attempt.answer)];
    let told: Vec<_> = told.into_iter().flatten().collect();
    format!(
        "  {}. {} ms  {}",
        attempt.number,
        attempt.took_ms,
        told.join("  ")
    )
}

/// The beginning of an answer in one line, safe for a terminal.
pub(super) fn shown(answer: &str) -> Option<String> {
    let mut shown = String::new();
    for character in answer.trim().chars().take(ANSWER_CHARS_MAX) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            character => shown.extend(character.escape_debug()),
        }
    }
    if answer.trim().chars().count() > ANSWER_CHARS_MAX {
        shown += "...";
    }
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_of_endpoints() {
        let answer = json!({ "endpoints": [{
            "name": "a", "url": "https://a.example/", "state": "disabled", "reason": "answered 410",
            "breaker": "closed", "pending": 0, "done": 12, "dead": 1, "of_a_later_host": 1,
        }]});
        let text = endpoints(&answer).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "name  state     breaker  pending  done  dead  url",
                "a     disabled  closed   0        12    1     https://a.example/",
                "a: answered 410",
            ]
        );
        assert_eq!(
            endpoints(&json!({ "endpoints": [] })).unwrap(),
            "no endpoints"
        );
        assert!(endpoints(&json!({})).is_err());
    }

    #[test]
    fn deliveries_with_attempts() {
        let answer = json!({ "deliveries": [{
            "id": "msg_1", "plugin": "notes", "event_type": "note.created", "endpoint": "a",
            "state": "dead", "reason": "400", "attempts": [
                { "number": 1, "took_ms": 5, "status": 400, "answer": "no\u{1b}[31m\n\"way\"" },
                { "number": 2, "took_ms": 9, "error": "no connection", "answer": "" },
            ],
        }]});
        assert_eq!(
            deliveries(&answer).unwrap(),
            "msg_1  note.created of notes to a  dead: 400\n  \
             1. 5 ms  400  no\\u{1b}[31m\\n\"way\"\n  \
             2. 9 ms  no connection"
        );
    }
}
