//! What a host answers about its plugins, for people.

use comfy_table::{
    Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets,
};
use exthost::registry::{DisabledStatus, RefusedStatus, Totals};
use serde::Deserialize;

/// What of the host's answer is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    plugins: Vec<Plugin>,
    #[serde(default)]
    refused: Vec<RefusedStatus>,
    #[serde(default)]
    disabled: Vec<DisabledStatus>,
    #[serde(default)]
    missing: Vec<String>,
}

/// Fields of a later host are passed over.
#[derive(Debug, Deserialize)]
struct Plugin {
    name: String,
    version: String,
    state: String,
    generation: u64,
    in_flight: u64,
    totals: Totals,
    rates: Option<Rates>,
    since_ms: u64,
    file: String,
}

#[derive(Debug, Deserialize)]
struct Rates {
    requests_per_s: f64,
    p99_ms: Option<f64>,
}

/// The columns; those from [`NUMBERS`] hold numbers.
const HEADER: [&str; 12] = [
    "name",
    "version",
    "state",
    "generation",
    "requests",
    "req/s",
    "errors",
    "p99",
    "in flight",
    "faults",
    "since",
    "file",
];

/// Columns that stand to the right.
const NUMBERS: std::ops::RangeInclusive<usize> = 3..=10;

/// What stands where there is no value.
const NONE: &str = "-";

impl Status {
    /// A table of the plugins, and below it why files are not among those that
    /// serve. As wide as the terminal, if stdout is one.
    pub(super) fn text(&self, now_ms: u64, coloured: bool) -> String {
        let empty = self.plugins.is_empty() && self.refused.is_empty() && self.disabled.is_empty();
        let mut text = match empty {
            true => "no plugins".to_owned(),
            false => self.table(now_ms, coloured),
        };
        for refused in &self.refused {
            text += &told(refused);
        }
        for DisabledStatus { name, reason, .. } in &self.disabled {
            text += &format!("\n\n{name} is disabled: {reason}");
        }
        for name in &self.missing {
            text += &format!("\n\n{name} is configured, and no file of that name was found");
        }
        text
    }

    fn table(&self, now_ms: u64, coloured: bool) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(HEADER);
        let state = |state: &str, colour: Color| match coloured {
            true => Cell::new(state).fg(colour),
            false => Cell::new(state),
        };
        for plugin in &self.plugins {
            let colour = match &*plugin.state {
                "serving" => Color::Green,
                // One of a later host.
                _ => Color::Yellow,
            };
            table.add_row(plugin.row(now_ms, state(&plugin.state, colour)));
        }
        for refused in &self.refused {
            let file = refused.file.display().to_string();
            table.add_row(row(NONE, state("refused", Color::Red), &file));
        }
        for disabled in &self.disabled {
            let file = disabled.file.display().to_string();
            table.add_row(row(&disabled.name, state("disabled", Color::Yellow), &file));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if NUMBERS.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            // Where there is too little room, files are broken over lines.
            if index + 1 < HEADER.len() {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table.trim_fmt()
    }
}

impl Plugin {
    fn row(&self, now_ms: u64, state: Cell) -> Vec<Cell> {
        let rates = self.rates.as_ref();
        let p99_ms = rates.and_then(|rates| rates.p99_ms);
        let numbers = [
            self.generation.to_string(),
            self.totals.responses.to_string(),
            rates.map_or_else(|| NONE.to_owned(), |it| format!("{:.1}", it.requests_per_s)),
            self.totals.errors.to_string(),
            p99_ms.map_or_else(|| NONE.to_owned(), time),
            self.in_flight.to_string(),
            self.totals.faults.to_string(),
            age(now_ms.saturating_sub(self.since_ms)),
        ];
        let mut row = vec![Cell::new(&self.name), Cell::new(&self.version), state];
        row.extend(numbers.map(Cell::new));
        row.push(Cell::new(&self.file));
        row
    }
}

/// The row of a file that does not serve.
fn row(name: &str, state: Cell, file: &str) -> Vec<Cell> {
    let mut row = vec![Cell::new(name), Cell::new(NONE), state];
    row.extend(NUMBERS.map(|_| Cell::new(NONE)));
    row.push(Cell::new(file));
    row
}

/// Why a file was refused, and what to do.
fn told(refused: &RefusedStatus) -> String {
    let ran = match refused.code_ran {
        true => "some of its code may have run",
        false => "none of its code has run",
    };
    let (file, code, message) = (refused.file.display(), &refused.code, &refused.message);
    format!("\n\n{file} is refused: {code}\n  {message}\n  {ran}")
}

/// A time, short.
fn time(ms: f64) -> String {
    match ms {
        ms if ms < 1e3 => format!("{ms:.1} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// How long ago something was, in its greatest unit.
fn age(ms: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)];
    let fitting = units.into_iter().find(|(_, length)| ms >= *length);
    let (unit, length) = fitting.unwrap_or(("s", 1000));
    format!("{} {unit}", ms / length)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status() -> Value {
        json!({
            "plugins": [{
                "name": "hello", "version": "0.1.0", "state": "serving", "generation": 2,
                "requests": 4, "in_flight": 0, "faults": 0, "file": "plugins/libhello.so",
                "totals": { "responses": 1234, "errors": 5, "faults": 6 },
                "rates": { "window_s": 60.0, "requests_per_s": 12.34, "errors_per_s": 0.0,
                    "p50_ms": 1.0, "p99_ms": 2.5 },
                "since_ms": 1_000, "from_a_later_host": [],
            }, {
                "name": "new", "version": "0.1.0", "state": "serving", "generation": 1,
                "in_flight": 0, "file": "plugins/libnew.so", "since_ms": 10_800_000,
                "totals": { "responses": 0, "errors": 0, "faults": 0 },
            }],
            "refused": [{
                "file": "plugins/old.so", "code": "api-too-new",
                "message": "upgrade the host", "code_ran": false,
            }],
            "disabled": [{
                "name": "off", "file": "plugins/liboff.so",
                "reason": "enabled = false in [plugin.off]",
            }],
        })
    }

    #[test]
    fn a_table_and_what_does_not_serve() {
        let status = Status::deserialize(status()).unwrap();
        let text = status.text(10_801_000, false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "name   version  state     generation  requests  req/s  errors     p99  in flight  \
                 faults  since  file",
                "hello  0.1.0    serving            2      1234   12.3       5  2.5 ms          0  \
                 \u{20}    6    3 h  plugins/libhello.so",
                "new    0.1.0    serving            1         0      -       0       -          0  \
                 \u{20}    0    1 s  plugins/libnew.so",
                "-      -        refused            -         -      -       -       -          -  \
                 \u{20}    -      -  plugins/old.so",
                "off    -        disabled           -         -      -       -       -          -  \
                 \u{20}    -      -  plugins/liboff.so",
                "",
                "plugins/old.so is refused: api-too-new",
                "  upgrade the host",
                "  none of its code has run",
                "",
                "off is disabled: enabled = false in [plugin.off]",
            ]
        );
    }

    #[test]
    fn a_host_without_plugins() {
        let status = Status::deserialize(json!({ "plugins": [] })).unwrap();
        assert_eq!(status.text(0, true), "no plugins");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            [0.25, 999.0, 1500.0].map(time),
            ["0.2 ms", "999.0 ms", "1.5 s"]
        );
        let ages = [999, 59_999, 60_000, 7_200_000, 200_000_000].map(age);
        assert_eq!(ages, ["0 s", "59 s", "1 min", "2 h", "2 d"]);
    }
}
