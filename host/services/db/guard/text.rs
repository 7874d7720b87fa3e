//! The text of a statement, and what a look at it says.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use rusqlite::Statement;

use crate::services::db::guard::words;
use crate::services::db::row::Names;

/// The text of one statement of the plugin, looked at once however often it is
/// run.
#[derive(Debug, Clone)]
pub(crate) struct Text(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    /// The text with its [`MARK`].
    marked: String,
    kind: Kind,
    has_zero: bool,
    /// The names of its columns, as they were when it first had a row.
    names: OnceLock<Names>,
}

/// What the first word of a statement says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes the schema.
    Ddl,
    /// It may turn out to only read.
    MayRead,
    /// It is not even compiled, being what is said.
    Refused(&'static str),
    /// Anything else.
    Other,
}

/// Ends the plugin's texts in the connection's cache, where a statement of the
/// service's own with the same text may lie, which nobody was asked about.
const MARK: &str = "\n--";

impl Text {
    /// Looks at a text.
    pub(crate) fn of(sql: &str) -> Self {
        let kind = if let Some(kind) = words::never_compiled(sql) {
            Kind::Refused(kind)
        } else if words::is_ddl(sql) {
            Kind::Ddl
        } else if words::may_read(sql) {
            Kind::MayRead
        } else {
            Kind::Other
        };
        Text(Arc::new(Seen {
            marked: [sql, MARK].concat(),
            kind,
            has_zero: sql.contains('\0'),
            names: OnceLock::new(),
        }))
    }

    /// What its first word says.
    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether it is the same value, and not only the same text.
    pub(crate) fn is(&self, other: &Text) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether there is a zero byte in it, where SQLite would stop.
    pub(crate) fn has_zero(&self) -> bool {
        self.0.has_zero
    }

    /// The text as it stands in the cache of a connection.
    pub(super) fn marked(&self) -> &str {
        &self.0.marked
    }

    /// The names of the columns of `statement`, whose text this is. They are made
    /// once, unless the schema has changed them since.
    pub(crate) fn names(&self, statement: &Statement<'_>) -> Names {
        let made = || statement.column_names().map(Box::from).collect();
        let names = self.0.names.get_or_init(made);
        match names
            .iter()
            .map(|name| &**name)
            .eq(statement.column_names())
        {
            true => names.clone(),
            false => made(),
        }
    }
}

impl From<&str> for Text {
    fn from(sql: &str) -> Self {
        Text::of(sql)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.marked[..self.0.marked.len() - MARK.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_says_the_kind() {
        for (sql, kind) in [
            ("CREATE TABLE a (b)", Kind::Ddl),
            ("-- reads\nselect 1", Kind::MayRead),
            ("VACUUM", Kind::Refused("vacuum")),
            ("DELETE FROM a", Kind::Other),
            ("", Kind::Other),
        ] {
            let text = Text::of(sql);
            assert_eq!((&*text, text.kind()), (sql, kind));
        }
    }

    #[test]
    fn names_follow_the_schema() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let text = Text::of("SELECT * FROM a");
        let names = || text.names(&conn.prepare(&text).unwrap());
        conn.execute_batch("CREATE TABLE a (b)").unwrap();
        assert!(Arc::ptr_eq(&names(), &names()));
        conn.execute_batch("ALTER TABLE a ADD c").unwrap();
        assert_eq!(*names(), ["b".into(), "c".into()]);
    }
}
