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
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (name, value) in row.0 {
        columns.push(quoted(&name));
        values.push((String::new(), value));
    }
    let table = quoted(table);
    let sql = match values.len() {
        0 => format!("INSERT INTO {table} DEFAULT VALUES"),
        len => format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            vec!["?"; len].join(", ")
        ),
    };
    Ok(Ask::new(Target::Sql(sql.into()), Params(values)))
}

/// An identifier that is one whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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
