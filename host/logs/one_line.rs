//! Lines of the log as text, each of which stays one line.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::field::{MakeVisitor, RecordFields, VisitOutput};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

/// Formats the message and the fields of a line as usual, with control characters
/// escaped: whatever a plugin writes, it neither begins another line nor tells the
/// terminal something.
///
/// # Examples
/// ```no_run
/// tracing_subscriber::fmt().fmt_fields(exthost::logs::OneLine).init();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct OneLine;

impl<'writer> FormatFields<'writer> for OneLine {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut escaped = Escaped(DefaultFields::new().make_visitor(writer));
        fields.record(&mut escaped);
        escaped.0.finish()
    }
}

/// Hands on what it is told, escaped.
struct Escaped<V>(V);

impl<V: Visit> Visit for Escaped<V> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = without_control(&format!("{value:?}"));
        self.0.record_debug(field, &format_args!("{text}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.record_debug(field, &format_args!("{value}")),
            // It is written in quotes, and escaped by that.
            _ => self.0.record_str(field, value),
        }
    }
}

/// Escapes what would begin another line, move the cursor, or worse.
pub fn without_control(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::written::Written;

    #[test]
    fn what_is_written_stays_on_its_line() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .compact()
            .fmt_fields(OneLine)
            .with_ansi(true)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = std::io::Error::other("gone\nERROR forged");
            let text = "a\u{1b}[2J\rb";
            tracing::info!(%error, text, n = 1, "one\n{}\u{9b}", "two\u{1b}[2J\r");
            let error: &dyn std::error::Error = &error;
            tracing::info!(error, message = "three\nfour");
        });
        let text = written.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        for told in [
            r"one\ntwo\u{1b}[2J\r\u{9b}",
            r"gone\nERROR forged",
            r"three\nfour",
        ] {
            assert!(text.contains(told), "{told} in {text}");
        }
        assert!(
            !text.contains("\u{1b}[2J") && !text.contains('\r'),
            "{text:?}"
        );
        // The names of fields are in italics as ever.
        assert!(text.contains("\u{1b}[3mn\u{1b}[0m"), "{text:?}");
    }
}
