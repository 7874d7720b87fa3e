//! The text that inserts a row.

use super::params::Params;
use super::query::{Ask, Target};
use crate::{Error, Result, StatusCode};

/// Inserts `row`, whose values are named after the columns, into `table`.
pub(super) fn into(table: &str, row: Params) -> Result<Ask<'static>> {
    if row.0.iter().any(|(name, _)| name.is_empty()) {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let message = format!("a row for {table} must be a struct or a map, to name its columns");
        return Err(Error::new(status, "bad-params", message));
    }
    let names = row.0.iter().map(|(name, _)| name.len() + NAME_EXTRA);
    let mut sql = String::with_capacity(TEXT_EXTRA + table.len() + names.sum::<usize>());
    sql.push_str("INSERT INTO ");
    quote(&mut sql, table);
    if row.0.is_empty() {
        sql.push_str(" DEFAULT VALUES");
    }
    for (at, (name, _)) in row.0.iter().enumerate() {
        sql.push_str(if at == 0 { " (" } else { ", " });
        quote(&mut sql, name);
    }
    for at in 0..row.0.len() {
        sql.push_str(if at == 0 { ") VALUES (?" } else { ", ?" });
    }
    if !row.0.is_empty() {
        sql.push(')');
    }
    let unnamed = row.0.into_iter().map(|(_, value)| (String::new(), value));
    let params = Params(unnamed.collect());
    Ok(Ask::new(Target::Sql(sql.into()), params))
}

/// Bytes of the text beside its names.
const TEXT_EXTRA: usize = "INSERT INTO \"\" DEFAULT VALUES".len();

/// Bytes for a column beside its name, for one without quotes in it.
const NAME_EXTRA: usize = "\"\", , ?".len();

/// Adds an identifier that is one whatever it holds.
fn quote(sql: &mut String, name: &str) {
    sql.push('"');
    for (at, part) in name.split('"').enumerate() {
        if at > 0 {
            sql.push_str("\"\"");
        }
        sql.push_str(part);
    }
    sql.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &str, row: serde_json::Value) -> String {
        match into(table, Params::of(&row).unwrap()).unwrap().target {
            Target::Sql(sql) => sql.into_owned(),
            Target::Prepared(_) => unreachable!("an insert is a text"),
        }
    }

    #[test]
    fn identifiers_are_quoted() {
        assert_eq!(
            text("a\"b", serde_json::json!({"x": 1, "y; DROP": null})),
            r#"INSERT INTO "a""b" ("x", "y; DROP") VALUES (?, ?)"#
        );
        assert_eq!(
            text("t", serde_json::json!({})),
            r#"INSERT INTO "t" DEFAULT VALUES"#
        );
    }

    #[test]
    fn a_row_without_names_is_refused() {
        let error = into("t", Params::of(&(1, 2)).unwrap()).unwrap_err();
        assert_eq!(error.code(), "bad-params");
    }
}
