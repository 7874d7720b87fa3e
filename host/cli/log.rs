//! The log: lines on stderr, chosen by `EXTHOST_LOG`.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time;

/// Begins to write log lines; `default` says which, unless `EXTHOST_LOG` does.
///
/// On a terminal they are in colour and tell the seconds since the start;
/// elsewhere, where they are kept, the full time.
pub(crate) fn start(default: &str) {
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
    let coloured = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(coloured)
        .with_target(false)
        .compact();
    match terminal {
        true => lines.with_timer(time::uptime()).init(),
        false => lines.init(),
    }
}
