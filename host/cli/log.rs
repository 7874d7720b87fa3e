//! The log: lines on stderr, chosen by `EXTHOST_LOG`.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use exthost::logs::{self, JsonLines, OneLine};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{self, time};
use tracing_subscriber::prelude::*;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Begins to write log lines; `default` says which, unless `EXTHOST_LOG` does. The
/// host's important lines are kept for operators, whichever are written.
///
/// On a terminal they are in colour and tell the seconds since the start;
/// elsewhere, where they are kept, the full time.
pub(crate) fn start(default: &str, format: LogFormat) {
    let chosen = std::env::var("EXTHOST_LOG").unwrap_or_default();
    let filter = match chosen.trim() {
        "" => EnvFilter::new(default),
        chosen => EnvFilter::builder().parse(chosen).unwrap_or_else(|error| {
            super::output::fail(format_args!(
                "EXTHOST_LOG is not understood ({error}); `{default}` is used"
            ));
            EnvFilter::new(default)
        }),
    };
    let terminal = io::stderr().is_terminal();
    let text = fmt::layer()
        .fmt_fields(OneLine)
        .with_writer(io::stderr)
        .with_ansi(terminal && super::output::may_colour())
        .with_target(false)
        .compact();
    let lines = match (format, terminal) {
        (LogFormat::Json, _) => fmt::layer()
            .with_writer(io::stderr)
            .event_format(JsonLines)
            .boxed(),
        (LogFormat::Text, true) => text.with_timer(time::uptime()).boxed(),
        (LogFormat::Text, false) => text.boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(logs::layer())
        .init();
}
