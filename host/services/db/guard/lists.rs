//! The functions, modules and pragmas that a plugin may use: lists of what is
//! allowed, so that what a later SQLite adds is refused until it is read.

/// Whether a plugin may call the function, by the name it is registered under.
pub(super) fn is_function_allowed(name: &str) -> bool {
    FUNCTIONS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether ALTER TABLE calls the function in the statements it runs for itself.
/// Nothing that a plugin can write into an ALTER reads a table, so with them it
/// learns nothing.
pub(super) fn is_alter_function(name: &str) -> bool {
    ALTER_FUNCTIONS.contains(&name)
}

/// Whether it is the pragma, behind `prefix`, with which ALTER TABLE looks whether
/// the rows that are there meet a new constraint.
pub(super) fn is_alter_check(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix) == Some("quick_check")
}

/// Whether a table-valued function that SQLite itself brings may be read.
pub(super) fn is_table_function(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["json_each", "json_tree", "jsonb_each", "jsonb_tree"].contains(&name.as_str())
        || name
            .strip_prefix("pragma_")
            .is_some_and(|pragma| DESCRIBING.contains(&pragma))
}

/// Whether virtual tables of the module may be made.
pub(super) fn is_module_allowed(name: &str) -> bool {
    ["fts5", "rtree", "rtree_i32"]
        .iter()
        .any(|module| module.eq_ignore_ascii_case(name))
}

/// Whether the pragma describes the one table or index that it is given.
pub(super) fn is_describing(pragma: &str) -> bool {
    DESCRIBING.contains(&pragma.to_ascii_lowercase().as_str())
}

const DESCRIBING: &[&str] = &[
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
];

const ALTER_FUNCTIONS: &[&str] = &[
    "sqlite_rename_column",
    "sqlite_rename_table",
    "sqlite_rename_test",
    "sqlite_rename_quotefix",
    "sqlite_drop_column",
    "sqlite_drop_constraint",
    "sqlite_add_constraint",
    "sqlite_find_constraint",
    "sqlite_fail",
];

#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    // Core.
    "abs", "changes", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "if",
    "ifnull", "iif", "instr", "last_insert_rowid", "length", "like", "likelihood", "likely",
    "lower", "ltrim", "max", "min", "nullif", "octet_length", "printf", "quote", "random",
    "randomblob", "replace", "round", "rtrim", "sign", "soundex", "sqlite_version", "substr",
    "substring", "subtype", "total_changes", "trim", "typeof", "unhex", "unicode", "unistr",
    "unistr_quote", "unlikely", "upper", "zeroblob",
    // Aggregates.
    "avg", "count", "group_concat", "median", "percentile", "percentile_cont", "percentile_disc",
    "string_agg", "sum", "total",
    // Windows.
    "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile",
    "percent_rank", "rank", "row_number",
    // Dates.
    "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday",
    "strftime", "time", "timediff", "unixepoch",
    // Mathematics.
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh",
    "degrees", "exp", "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power",
    "radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
    // JSON.
    "->", "->>", "json", "json_array", "json_array_insert", "json_array_length",
    "json_error_position", "json_extract", "json_group_array", "json_group_object", "json_insert",
    "json_object", "json_patch", "json_pretty", "json_quote", "json_remove", "json_replace",
    "json_set", "json_type", "json_valid", "jsonb", "jsonb_array", "jsonb_array_insert",
    "jsonb_extract", "jsonb_group_array", "jsonb_group_object", "jsonb_insert", "jsonb_object",
    "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set",
    // Full text.
    "bm25", "fts5_get_locale", "fts5_insttoken", "fts5_locale", "highlight", "match", "snippet",
];
