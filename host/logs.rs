//! The log for applications and operators: which of the host's own lines are kept
//! for `GET /api/host/logs`, and lines as JSON or text.

mod fields;
mod json;
mod one_line;
#[cfg(test)]
mod written;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::services::log::{KeptLine, KeptLines, TARGET};
use fields::Fields;

pub use json::JsonLines;
pub use one_line::{OneLine, without_control};

/// Makes a layer that keeps the host's own lines, from `info` up, for
/// `GET /api/host/logs`; those of plugins are kept without it.
///
/// # Examples
/// ```no_run
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(exthost::logs::layer())
///     .init();
/// ```
pub fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    Keep.with_filter(filter_fn(is_kept))
}

/// Whether a line is one of the host's that are kept. A plugin's line is kept by
/// whoever writes it, with its fields as they were.
fn is_kept(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let own = target == "exthost" || target.starts_with("exthost::");
    own && target != TARGET && *metadata.level() <= Level::INFO
}

/// Keeps every line that it is told of.
struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::of(event);
        let message = fields.take_text("message").unwrap_or_default();
        let plugin = fields.take_text("plugin");
        let generation = fields.take_number("generation");
        let request_id = fields.take_text("request");
        let line = KeptLine::new(*metadata.level(), metadata.target(), message)
            .of_plugin(plugin.as_deref(), generation)
            .of_request(request_id.as_deref())
            .with(fields.rest());
        KeptLines::of_process().add(line);
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::prelude::*;

    use super::*;
    use crate::services::log::LineQuery;

    #[test]
    fn the_hosts_own_lines_are_kept_with_their_plugin() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(
                target: "exthost::fault", plugin = %"kept-here", generation = 3_u64,
                request = Some("r-1"), at = "GET /", none = None::<u64>, "it {}", "broke"
            );
            tracing::debug!(target: "exthost::fault", plugin = "kept-here", "too quiet");
            tracing::warn!(target: "exthosting", plugin = "kept-here", "of somebody else");
            tracing::warn!(target: TARGET, plugin = "kept-here", "kept by its writer");
        });
        let query = LineQuery {
            plugin: Some("kept-here".to_owned()),
            ..LineQuery::default()
        };
        let (found, _) = KeptLines::of_process().find(&query);
        assert_eq!(found.len(), 1, "{found:?}");
        let line = serde_json::to_value(&*found[0]).unwrap();
        assert_eq!(line["message"], "it broke");
        assert_eq!(
            (&line["level"], &line["target"]),
            (&"warn".into(), &"exthost::fault".into())
        );
        assert_eq!(
            (&line["generation"], &line["request_id"]),
            (&3.into(), &"r-1".into())
        );
        assert_eq!(line["fields"], serde_json::json!({ "at": "GET /" }));
    }
}
