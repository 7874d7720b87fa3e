//! The latest lines of the log, for those who ask later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use tracing::Level;

use crate::services::log::LineQuery;

/// A line as it is kept.
#[derive(Debug, Serialize)]
pub(crate) struct KeptLine {
    /// Counts all lines of the process, from 1.
    number: u64,
    time_ms: u64,
    #[serde(serialize_with = "lower_case")]
    level: Level,
    target: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Box<str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    injected: bool,
    message: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Box<RawValue>>,
}

/// Most bytes of a line's fields that are kept.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

impl KeptLine {
    /// A line of now.
    pub(crate) fn new(level: Level, target: &str, message: impl Into<Box<str>>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        KeptLine {
            number: 0,
            time_ms: now.map_or(0, |now| now.as_millis() as u64),
            level,
            target: target.into(),
            plugin: None,
            generation: None,
            request_id: None,
            injected: false,
            message: message.into(),
            fields: None,
        }
    }

    /// Says whose it is, or whom it is about.
    pub(crate) fn of_plugin(mut self, plugin: Option<&str>, generation: Option<u64>) -> Self {
        self.plugin = plugin.map(Box::from);
        self.generation = generation;
        self
    }

    /// Says which request it goes back to.
    pub(crate) fn of_request(mut self, request_id: Option<&str>) -> Self {
        self.request_id = request_id.map(Box::from);
        self
    }

    /// Says whether an operator has written it.
    pub(crate) fn injected(mut self, injected: bool) -> Self {
        self.injected = injected;
        self
    }

    /// Adds what was said beside the message, or how much that would be.
    pub(crate) fn with(mut self, fields: &Map<String, Value>) -> Self {
        if fields.is_empty() {
            return self;
        }
        let kept = to_raw_value(fields).ok();
        self.fields = match kept.as_ref().map(|kept| kept.get().len()) {
            Some(bytes) if bytes > FIELDS_BYTES_MAX => {
                to_raw_value(&json!({ "left_out_bytes": bytes })).ok()
            }
            _ => kept,
        };
        self
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn time_ms(&self) -> u64 {
        self.time_ms
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn plugin(&self) -> Option<&str> {
        self.plugin.as_deref()
    }

    /// What it takes in memory, in bytes, more or less.
    fn cost(&self) -> usize {
        let texts =
            [&self.plugin, &self.request_id].map(|text| text.as_ref().map_or(0, |it| it.len()));
        let fields = self.fields.as_ref().map_or(0, |fields| fields.get().len());
        let own = size_of::<Self>() + self.target.len() + self.message.len();
        own + fields + texts.iter().sum::<usize>()
    }
}

fn lower_case<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.as_str().to_ascii_lowercase())
}

/// The latest lines of the process: also of several hosts, for their own lines
/// go to one log.
///
/// # Threading
/// One lock, held for the time of a push, or of a look at each line.
#[derive(Debug)]
pub(crate) struct KeptLines {
    bounds: Bounds,
    ring: Mutex<Ring>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    lines: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Arc<KeptLine>>,
    bytes: usize,
    last: u64,
}

impl KeptLines {
    /// Those of this process.
    pub(crate) fn of_process() -> &'static Self {
        static LINES: KeptLines = KeptLines::new(Bounds {
            lines: 10_000,
            bytes: 8 * 1024 * 1024,
        });
        &LINES
    }

    const fn new(bounds: Bounds) -> Self {
        KeptLines {
            bounds,
            ring: Mutex::new(Ring {
                lines: VecDeque::new(),
                bytes: 0,
                last: 0,
            }),
        }
    }

    /// Keeps a line, in place of the oldest ones. Returns its number.
    pub(crate) fn add(&self, mut line: KeptLine) -> u64 {
        let mut ring = self.lock();
        ring.last += 1;
        line.number = ring.last;
        ring.bytes += line.cost();
        ring.lines.push_back(Arc::new(line));
        while (ring.lines.len() > self.bounds.lines || ring.bytes > self.bounds.bytes)
            && let Some(oldest) = ring.lines.pop_front()
        {
            ring.bytes -= oldest.cost();
        }
        ring.last
    }

    /// The latest lines that `query` asks for, oldest first, and the number of the
    /// last line of all.
    pub(crate) fn find(&self, query: &LineQuery) -> (Vec<Arc<KeptLine>>, u64) {
        let ring = self.lock();
        let asked_for = ring.lines.iter().rev().filter(|line| query.matches(line));
        let mut found: Vec<_> = asked_for.take(query.n).cloned().collect();
        found.reverse();
        (found, ring.last)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(lines: &KeptLines, query: &LineQuery) -> Vec<String> {
        let (found, _) = lines.find(query);
        found.iter().map(|line| line.message.to_string()).collect()
    }

    #[test]
    fn the_oldest_go_first() {
        let lines = KeptLines::new(Bounds {
            lines: 3,
            bytes: 1_000_000,
        });
        for number in 1..=5 {
            let line = KeptLine::new(Level::INFO, "exthost", format!("line {number}"));
            assert_eq!(lines.add(line), number);
        }
        let all = LineQuery::default();
        assert_eq!(messages(&lines, &all), ["line 3", "line 4", "line 5"]);
        assert_eq!(lines.find(&all).1, 5);
        let latest = LineQuery { n: 1, ..all };
        assert_eq!(messages(&lines, &latest), ["line 5"]);
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let lines = KeptLines::new(Bounds {
            lines: 1000,
            bytes: 10_000,
        });
        for number in 0..100 {
            lines.add(KeptLine::new(
                Level::INFO,
                "exthost",
                "x".repeat(number * 10),
            ));
        }
        let ring = lines.lock();
        let cost: usize = ring.lines.iter().map(|line| line.cost()).sum();
        assert_eq!(ring.bytes, cost);
        assert!((5_000..=10_000).contains(&cost), "{cost}");
    }

    #[test]
    fn fields_are_kept_as_json_unless_there_are_too_many_bytes() {
        let fields = |text: &str| Map::from_iter([("a".to_owned(), text.into())]);
        let line = KeptLine::new(Level::WARN, "exthost", "m").with(&fields("b"));
        let line = serde_json::to_value(line).unwrap();
        assert_eq!(
            (&line["level"], &line["fields"]["a"]),
            (&json!("warn"), &json!("b"))
        );
        let long = "x".repeat(FIELDS_BYTES_MAX);
        let line = KeptLine::new(Level::WARN, "exthost", "m").with(&fields(&long));
        let line = serde_json::to_value(line).unwrap();
        assert_eq!(
            line["fields"],
            json!({ "left_out_bytes": FIELDS_BYTES_MAX + 8 })
        );
    }
}
