//! What has come of work on plugins' data, for people.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use exthost::data::{BackedUp, Restored, SlowStatement, Stored, StoredState, Vacuumed};
use exthost::name::PluginName;

/// The columns; those from the third on hold numbers.
const HEADER: [&str; 10] = [
    "plugin", "state", "schema", "file", "log", "used", "files", "backups", "of size", "slow",
];

/// A table of what is stored, and below it what is damaged and why.
pub(super) fn list(stored: &[Stored]) -> String {
    if stored.is_empty() {
        return "no data".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(HEADER);
    for stored in stored {
        table.add_row(row(stored));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_constraint(ColumnConstraint::ContentWidth);
        if index > 1 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.trim_fmt();
    for stored in stored {
        if let Some(damage) = &stored.damage {
            text += &format!("\n\n{} is damaged: {damage}", stored.plugin);
        }
    }
    text
}

fn row(stored: &Stored) -> [String; 10] {
    let state = match stored.state {
        StoredState::Serving => "serving",
        StoredState::NotServing => "not serving",
        StoredState::Damaged => "damaged",
        // One of a later host.
        _ => "-",
    };
    let version = stored.schema_version;
    let percent = stored.file_bytes * 100 / stored.file_bytes_max.max(1);
    [
        stored.plugin.clone(),
        state.to_owned(),
        version.map_or_else(|| "-".to_owned(), |version| version.to_string()),
        size(stored.file_bytes),
        size(stored.wal_bytes),
        format!("{percent} %"),
        size(stored.files_bytes),
        stored.backups.to_string(),
        size(stored.backups_bytes),
        stored.slow.to_string(),
    ]
}

/// The statements that took long, each with how often and how long.
pub(super) fn slow(slow: &[SlowStatement]) -> String {
    if slow.is_empty() {
        return "no slow statements".to_owned();
    }
    let line = |slow: &SlowStatement| {
        let text = slow.text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} ms  {} times  {text}", slow.longest_ms, slow.times)
    };
    slow.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a backup is, and where.
pub(super) fn backed_up(plugin: &PluginName, made: &BackedUp) -> String {
    format!(
        "{plugin}: schema {}, {}, in {}",
        made.schema_version,
        size(made.bytes),
        made.file.display()
    )
}

/// What was restored, and where that before it is.
pub(super) fn restored(plugin: &PluginName, restored: &Restored) -> String {
    let now = restored.schema_version;
    let mut text = format!("{plugin} is restored, with schema {now}");
    if let Some(before) = &restored.before {
        let what = match restored.was_damaged {
            true => "the damaged database before it",
            false => "the database before it",
        };
        text += &format!("; {what} is in {}", before.display());
    }
    if restored.schema_before.is_some_and(|before| before != now) {
        text += &format!(
            "\nthe schema was at {} before; a plugin that serves migrates when it is loaded again: \
             POST /api/host/plugins/{plugin}/reload",
            restored.schema_before.unwrap_or_default()
        );
    }
    text
}

/// What rebuilding has gained.
pub(super) fn vacuumed(plugin: &PluginName, vacuumed: &Vacuumed) -> String {
    format!(
        "{plugin}: {} before, {} now",
        size(vacuumed.bytes_before),
        size(vacuumed.bytes_after)
    )
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes as f64 / 1024.0;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
