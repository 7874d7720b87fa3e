//! Structured lines of plugins, tagged with plugin and request.

mod kept;
mod query;

use std::borrow::Cow;

use serde_json::{Map, Value};
use tracing::Level;

use crate::name::PluginName;

pub(crate) use kept::{KeptLine, KeptLines};
pub(crate) use query::{LineQuery, level_of};

/// The target of every line a plugin writes.
pub(crate) const TARGET: &str = "exthost::plugin";

/// Longest message in bytes; the rest is cut and marked.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Most fields of one line.
pub(crate) const FIELDS_MAX: usize = 64;

/// A line of a plugin, or one that an operator injects.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// Whose it is, or whom it is about.
    pub(crate) plugin: Option<&'a PluginName>,
    /// Which generation of it.
    pub(crate) generation: Option<u64>,
    /// Whether an operator has written it.
    pub(crate) injected: bool,
    /// The request that it goes back to.
    pub(crate) request_id: Option<&'a str>,
    pub(crate) level: Level,
    pub(crate) message: &'a str,
    pub(crate) fields: Map<String, Value>,
}

impl Line<'_> {
    /// Writes it.
    pub(crate) fn write(&self) {
        let message = self.message();
        let plugin = self.plugin.map(PluginName::as_str);
        let generation = self.generation;
        let injected = self.injected.then_some(true);
        let request = self.request_id;
        let fields = match self.fields.is_empty() {
            true => None,
            false => serde_json::to_string(&self.fields).ok(),
        };
        // A tracing level is part of the call site, so each level has its own.
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    target: TARGET,
                    $level,
                    plugin,
                    generation,
                    request,
                    injected,
                    fields,
                    "{message}"
                )
            };
        }
        match self.level {
            Level::ERROR => line!(Level::ERROR),
            Level::WARN => line!(Level::WARN),
            Level::INFO => line!(Level::INFO),
            Level::DEBUG => line!(Level::DEBUG),
            Level::TRACE => line!(Level::TRACE),
        }
    }

    /// Keeps it for those who ask later. Returns its number.
    pub(crate) fn keep(&self) -> u64 {
        let line = KeptLine::new(self.level, TARGET, self.message())
            .of_plugin(self.plugin.map(PluginName::as_str), self.generation)
            .of_request(self.request_id)
            .injected(self.injected)
            .with(&self.fields);
        KeptLines::of_process().add(line)
    }

    /// Its message, or the beginning with a mark.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        cut(self.message)
    }
}

/// Whether a line of `level` goes anywhere: what is important is kept, wherever
/// the log goes.
pub(crate) fn is_wanted(level: Level) -> bool {
    level <= Level::INFO || is_enabled(level)
}

fn is_enabled(level: Level) -> bool {
    match level {
        Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        Level::WARN => tracing::enabled!(target: TARGET, Level::WARN),
        Level::INFO => tracing::enabled!(target: TARGET, Level::INFO),
        Level::DEBUG => tracing::enabled!(target: TARGET, Level::DEBUG),
        Level::TRACE => tracing::enabled!(target: TARGET, Level::TRACE),
    }
}

/// `message`, or its beginning with a mark.
fn cut(message: &str) -> Cow<'_, str> {
    if message.len() <= MESSAGE_BYTES_MAX {
        return message.into();
    }
    let end = (0..=MESSAGE_BYTES_MAX)
        .rev()
        .find(|&at| message.is_char_boundary(at))
        .unwrap_or(0);
    format!("{}... ({} bytes in all)", &message[..end], message.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_at_a_character_and_marked() {
        let long = "ä".repeat(MESSAGE_BYTES_MAX);
        let short = cut(&long);
        assert!(short.len() < MESSAGE_BYTES_MAX + 64);
        assert!(short.ends_with("... (32768 bytes in all)"));
        assert_eq!(cut("as it is"), "as it is");
    }
}
