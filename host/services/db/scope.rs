//! What one plugin may name in its database, and the text that refuses the rest.

use std::fmt;

use rusqlite::{Error, ErrorCode};

/// What one plugin may name: its prefix, and the tables of the host's database
/// that were granted to it.
///
/// Names are compared byte by byte after folding ASCII, as SQLite compares them;
/// never with LIKE, where `_` stands for any character.
#[derive(Debug)]
pub(super) struct Scope {
    prefix: String,
    granted: Vec<String>,
}

impl Scope {
    /// The scope of the plugin of this name: dashes become underscores.
    pub(super) fn new(plugin_name: &str, granted: Vec<String>) -> Self {
        let name = plugin_name.replace('-', "_").to_ascii_lowercase();
        Scope {
            prefix: format!("ext_{name}_"),
            granted,
        }
    }

    /// Whether the name begins with the prefix and goes on after it.
    pub(super) fn owns(&self, name: &str) -> bool {
        let (name, prefix) = (name.as_bytes(), self.prefix.as_bytes());
        name.len() > prefix.len() && name[..prefix.len()].eq_ignore_ascii_case(prefix)
    }

    /// Whether the index is one that SQLite made for a constraint of an own table.
    pub(super) fn owns_autoindex(&self, name: &str) -> bool {
        strip_ascii_prefix(name, "sqlite_autoindex_").is_some_and(|table| self.owns(table))
    }

    /// Whether the operator granted this table of the host's database.
    pub(super) fn is_granted(&self, name: &str) -> bool {
        self.granted
            .iter()
            .any(|granted| granted.eq_ignore_ascii_case(name))
    }

    /// The granted tables, as the operator wrote them.
    pub(super) fn granted(&self) -> &[String] {
        &self.granted
    }

    /// Refuses a table, view, index or trigger. All four are called tables, since
    /// the right word would tell what exists.
    pub(super) fn refuse_table(&self, name: &str) -> Refusal {
        self.refuse("table", name)
    }

    /// Refuses anything else, by its kind.
    pub(super) fn refuse(&self, kind: &'static str, name: &str) -> Refusal {
        Refusal {
            kind,
            name: name.to_ascii_lowercase(),
            prefix: self.prefix.clone(),
        }
    }
}

/// Why something was refused; its text is all that the plugin learns:
/// `denied: table users is outside ext_notes_`.
///
/// The name is the one that the plugin wrote, in lower case, so that neither its
/// spelling nor its existence can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    kind: &'static str,
    name: String,
    prefix: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied: {}", self.kind)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        write!(f, " is outside {}", self.prefix)?;
        match self.kind {
            "transaction" => f.write_str("; use the transactions of db/1"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// Turns what SQLite itself says about a name outside the scope into the one
/// text; `None` for every error about the plugin's own names.
pub(super) fn refusal_of(scope: &Scope, error: &Error) -> Option<Refusal> {
    let message = message_of(error)?;
    if message == "not authorized" || message == "authorizer malfunction" {
        return Some(scope.refuse("statement", ""));
    }
    if let Some(function) = message.strip_prefix("not authorized to use function: ") {
        return Some(scope.refuse("function", function));
    }
    if let Some(access) = message
        .strip_prefix("access to ")
        .and_then(|rest| rest.strip_suffix(" is prohibited"))
    {
        let table = access.rsplit_once('.').map_or(access, |(table, _)| table);
        return Some(scope.refuse_table(split_schema(table).1));
    }
    let name = named(message)?;
    let (schema, name) = split_schema(name);
    let in_main = schema.is_none_or(|schema| schema.eq_ignore_ascii_case("main"));
    if in_main && (scope.owns(name) || scope.owns_autoindex(name)) {
        return None;
    }
    Some(scope.refuse_table(name))
}

/// The text of an error from SQLite.
pub(super) fn message_of(error: &Error) -> Option<&str> {
    match error {
        Error::SqliteFailure(_, message) => message.as_deref(),
        Error::SqlInputError { msg, .. } => Some(msg),
        _ => None,
    }
}

/// The code of an error from SQLite.
pub(super) fn code_of(error: &Error) -> Option<ErrorCode> {
    match error {
        Error::SqliteFailure(error, _) | Error::SqlInputError { error, .. } => Some(error.code),
        _ => None,
    }
}

/// The name of a schema object that SQLite's message is about, of those messages
/// that it gives for objects it found or missed before it asked the authorizer.
fn named(message: &str) -> Option<&str> {
    const BEFORE: &[&str] = &[
        "no such table: ",
        "no such view: ",
        "no such index: ",
        "no such trigger: ",
        "no such table column: ",
        "use DROP TABLE to delete table ",
        "use DROP VIEW to delete view ",
        "there is already a table named ",
        "there is already an index named ",
        "there is already another table or index with this name: ",
        "object name reserved for internal use: ",
        "cannot create INSTEAD OF trigger on table: ",
        "cannot create BEFORE trigger on view: ",
        "cannot create AFTER trigger on view: ",
        "cannot create trigger on virtual table: ",
    ];
    const AROUND: &[(&str, &str)] = &[
        ("table ", " already exists"),
        ("view ", " already exists"),
        ("index ", " already exists"),
        ("trigger ", " already exists"),
        ("table ", " may not be dropped"),
        ("table ", " may not be altered"),
        ("table ", " may not be modified"),
        ("table ", " may not be indexed"),
        ("view ", " may not be altered"),
        ("cannot modify ", " because it is a view"),
    ];
    BEFORE
        .iter()
        .find_map(|before| message.strip_prefix(before))
        .or_else(|| {
            AROUND
                .iter()
                .find_map(|(before, after)| message.strip_prefix(before)?.strip_suffix(after))
        })
        .map(|name| name.trim_matches('"'))
}

/// Splits `main.`, `host.` or `temp.` off a name; other dots belong to the name.
fn split_schema(name: &str) -> (Option<&str>, &str) {
    match name.split_once('.') {
        Some((schema, rest))
            if ["main", "host", "temp"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(schema)) =>
        {
            (Some(schema), rest)
        }
        _ => (None, name),
    }
}

fn strip_ascii_prefix<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let head = name.as_bytes().get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix.as_bytes())
        .then(|| name.get(prefix.len()..))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_own_by_its_bytes() {
        let scope = Scope::new("my-notes", vec!["User".to_owned()]);
        assert_eq!(scope.prefix, "ext_my_notes_");
        for own in ["ext_my_notes_a", "EXT_My_NOTES_a", "ext_my_notes_é"] {
            assert!(scope.owns(own), "{own}");
        }
        for foreign in [
            "ext_my_notes_",
            "extXmyXnotesXa",
            "ext_my_noteſ_a",
            "ext_m",
            "",
            "é",
        ] {
            assert!(!scope.owns(foreign), "{foreign}");
        }
        assert!(scope.is_granted("uSER") && !scope.is_granted("users"));
        assert!(scope.owns_autoindex("sqlite_autoindex_ext_my_notes_a_1"));
        assert!(!scope.owns_autoindex("sqlite_autoindex_users_1"));
    }

    #[test]
    fn sqlites_texts_become_the_one_text() {
        let scope = Scope::new("notes", Vec::new());
        let refusal = |text: &str| {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR);
            let error = Error::SqliteFailure(code, Some(text.to_owned()));
            refusal_of(&scope, &error).map(|refusal| refusal.to_string())
        };
        let users = Some("denied: table users is outside ext_notes_".to_owned());
        for text in [
            "no such table: users",
            "no such table: main.users",
            "no such view: HOST.Users",
            "no such index: users",
            "no such trigger: users",
            "access to users.id is prohibited",
            "access to host.users.id is prohibited",
            "table users may not be dropped",
            "table \"users\" already exists",
            "cannot modify users because it is a view",
        ] {
            assert_eq!(refusal(text), users, "{text}");
        }
        let named_host = Some("denied: table ext_notes_a is outside ext_notes_".to_owned());
        assert_eq!(refusal("no such table: host.ext_notes_a"), named_host);
        for own in [
            "no such table: ext_notes_a",
            "no such column: users",
            "no such index: main.ext_notes_i",
        ] {
            assert_eq!(refusal(own), None, "{own}");
        }
    }
}
