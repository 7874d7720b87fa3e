//! Where a name is, and which names SQLite keeps for itself.

/// Which database a name is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Main,
    Host,
    Temp,
    Unnamed,
    Other,
}

impl Place {
    /// By the name that SQLite gives, which is at times the plugin's spelling.
    pub(super) fn of(database: Option<&str>) -> Self {
        let Some(name) = database else {
            return Place::Unnamed;
        };
        match name.to_ascii_lowercase().as_str() {
            "main" => Place::Main,
            "host" => Place::Host,
            "temp" => Place::Temp,
            _ => Place::Other,
        }
    }
}

/// Whether SQLite keeps the name for itself.
pub(super) fn is_reserved(table: &str) -> bool {
    table
        .as_bytes()
        .get(..7)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"sqlite_"))
}

pub(super) fn is_schema_table(table: &str) -> bool {
    [
        "sqlite_master",
        "sqlite_schema",
        "sqlite_temp_master",
        "sqlite_temp_schema",
    ]
    .iter()
    .any(|name| name.eq_ignore_ascii_case(table))
}

/// The tables that AUTOINCREMENT and ANALYZE make.
pub(super) fn is_statistics(table: &str) -> bool {
    [
        "sqlite_sequence",
        "sqlite_stat1",
        "sqlite_stat3",
        "sqlite_stat4",
    ]
    .iter()
    .any(|name| name.eq_ignore_ascii_case(table))
}
