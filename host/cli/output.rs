//! What the command line writes: its product to stdout, its errors to stderr.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line of the product.
///
/// A reader that has gone (`exthost list | head -1`) is no error, and must not
/// end a host that serves.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a text over the one before it, on a terminal.
pub(crate) fn redraw(text: &str) {
    // To the corner; each line to its end; then what is left below.
    let lines = text.lines().map(|line| format!("{line}\x1b[K\n"));
    let _ = write!(
        io::stdout().lock(),
        "\x1b[H{}\x1b[J",
        lines.collect::<String>()
    );
}

/// Whether the one who looks does not mind colours.
pub(crate) fn may_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a line for whoever looks on, beside the product.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes an error with its causes, in one line.
pub(crate) fn error(error: &(dyn Error + 'static)) {
    fail(chain(error));
}

/// Writes an error that is only text.
pub(crate) fn fail(message: impl Display) {
    let _ = writeln!(io::stderr().lock(), "error: {message}");
}

/// Writes a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> super::Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Joins an error and its causes, leaving out those that the text before
/// already tells.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layer(text: &'static str, source: Option<Layer>) -> Layer {
        let source = source.map(Box::new);
        Layer { text, source }
    }

    #[test]
    fn causes_are_told_once() {
        let error = layer("cannot open x", Some(layer("no such file", None)));
        assert_eq!(chain(&error), "cannot open x: no such file");
        let error = layer("cannot open x: gone", Some(layer("gone", None)));
        assert_eq!(chain(&error), "cannot open x: gone");
    }
}
