//! Structured lines of plugins, tagged with plugin and request.

use serde_json::{Map, Value};
use tracing::Level;

use crate::services::context::PluginContext;
use crate::services::exchange::Exchange;

/// The target of every line a plugin writes.
pub(crate) const TARGET: &str = "exthost::plugin";

/// Longest message in bytes; the rest is cut and marked.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Most fields of one line.
pub(crate) const FIELDS_MAX: usize = 64;

/// Writes one line.
pub(crate) fn write(
    context: &PluginContext,
    exchange: Option<&Exchange>,
    level: Level,
    message: &str,
    fields: Map<String, Value>,
) {
    let message = cut(message);
    let plugin = context.name.as_ref();
    let generation = context.generation;
    let request = exchange.map(|exchange| exchange.request_id.as_str());
    let fields = match fields.is_empty() {
        true => None,
        false => Some(Value::Object(fields).to_string()),
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
                fields,
                "{message}"
            )
        };
    }
    match level {
        Level::ERROR => line!(Level::ERROR),
        Level::WARN => line!(Level::WARN),
        Level::INFO => line!(Level::INFO),
        Level::DEBUG => line!(Level::DEBUG),
        Level::TRACE => line!(Level::TRACE),
    }
}

/// Whether a line of `level` would be kept.
pub(crate) fn is_enabled(level: Level) -> bool {
    match level {
        Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        Level::WARN => tracing::enabled!(target: TARGET, Level::WARN),
        Level::INFO => tracing::enabled!(target: TARGET, Level::INFO),
        Level::DEBUG => tracing::enabled!(target: TARGET, Level::DEBUG),
        Level::TRACE => tracing::enabled!(target: TARGET, Level::TRACE),
    }
}

/// `message`, or its beginning with a mark.
fn cut(message: &str) -> std::borrow::Cow<'_, str> {
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
