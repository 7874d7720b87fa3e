//! Other forms of one statement, each of which SQLite or the guard takes another
//! way through.

use super::bench::Bench;
use crate::services::db::guard::statements;

/// How a statement of the corpus is brought to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// As it stands.
    Plain,
    /// After a write, in a transaction that stays open.
    InTransaction,
    /// Behind EXPLAIN, which compiles it and does not run it.
    Explained,
    /// With comments and line ends for blanks, the case of every letter changed,
    /// behind a byte order mark.
    Disguised,
    /// Cut out of a script, behind a trigger full of semicolons.
    InScript,
    /// Within a statement or an object that can hold it; not all have such.
    Inside,
    /// Where SQLite can answer without looking at it, and may not ask about it.
    Unread,
}

impl Wrapping {
    /// Those in which whatever is hostile is refused.
    pub(super) const ALL: [Wrapping; 6] = [
        Wrapping::Plain,
        Wrapping::InTransaction,
        Wrapping::Explained,
        Wrapping::Disguised,
        Wrapping::InScript,
        Wrapping::Inside,
    ];

    /// The statements that stand for `sql`, each to be tried alone.
    pub(super) fn of(self, sql: &str) -> Vec<String> {
        match self {
            Wrapping::Plain | Wrapping::InTransaction => vec![sql.to_owned()],
            Wrapping::Explained if first(sql) == "EXPLAIN" => Vec::new(),
            Wrapping::Explained => vec![
                format!("EXPLAIN {sql}"),
                format!("EXPLAIN QUERY PLAN {sql}"),
            ],
            // A module reads its arguments by rules of its own, and no comment can
            // stand within another.
            Wrapping::Disguised
                if ["CREATE VIRTUAL", "/*", "--"]
                    .iter()
                    .any(|part| sql.contains(part)) =>
            {
                vec![sql.to_owned()]
            }
            Wrapping::Disguised => vec![disguised(sql)],
            Wrapping::InScript => {
                let before = "CREATE TRIGGER ext_notes_w AFTER INSERT ON ext_notes_b
                     BEGIN SELECT ';'; SELECT CASE 1 WHEN 2 THEN 3 END; END";
                let script = format!("{before};;\n{sql};; -- ;");
                let found: Vec<_> = statements(&script).map(str::to_owned).collect();
                assert_eq!(found.len(), 2, "{script}");
                vec![found[1].clone()]
            }
            Wrapping::Inside => inside(sql),
            Wrapping::Unread => unread(sql),
        }
    }

    /// Whether the statement may be compiled without being run.
    pub(super) fn compiles_only(self) -> bool {
        matches!(self, Wrapping::Explained | Wrapping::Inside)
    }

    /// Prepares the connection for it.
    pub(super) fn enter(self, bench: &Bench) {
        if self == Wrapping::InTransaction {
            bench.trusted("BEGIN");
            bench
                .run("UPDATE ext_notes_a SET n = n + 1")
                .expect("an own write");
        }
    }

    /// Undoes [`enter`](Self::enter).
    pub(super) fn leave(self, bench: &Bench) {
        if self == Wrapping::InTransaction && !bench.conn.is_autocommit() {
            bench.trusted("ROLLBACK");
        }
    }
}

fn first(sql: &str) -> String {
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next();
    word.unwrap_or("").to_ascii_uppercase()
}

fn inside(sql: &str) -> Vec<String> {
    match first(sql).as_str() {
        "SELECT" | "VALUES" | "WITH" => vec![
            format!("WITH ext_notes_w AS ({sql}) SELECT * FROM ext_notes_w"),
            format!("INSERT INTO ext_notes_b(a_id) {sql}"),
            format!("CREATE VIEW ext_notes_w AS {sql}"),
            format!("CREATE TABLE ext_notes_w AS {sql}"),
            format!(
                "CREATE TRIGGER ext_notes_w AFTER INSERT ON ext_notes_b \
                 BEGIN UPDATE ext_notes_a SET n = 1 WHERE n IN ({sql}); END"
            ),
        ],
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => vec![
            format!("CREATE TRIGGER ext_notes_w AFTER INSERT ON ext_notes_b BEGIN {sql}; END"),
            format!(
                "CREATE TRIGGER ext_notes_w BEFORE DELETE ON ext_notes_a WHEN old.n > 1 \
                 BEGIN SELECT 1; {sql}; END"
            ),
        ],
        _ => Vec::new(),
    }
}

fn unread(sql: &str) -> Vec<String> {
    match first(sql).as_str() {
        "SELECT" | "VALUES" | "WITH" => vec![
            format!("SELECT 1 FROM ext_notes_a WHERE EXISTS ({sql})"),
            format!("SELECT EXISTS (SELECT 1, ({sql}))"),
            format!("SELECT count(*) FROM (SELECT 1, ({sql}))"),
            format!("SELECT 1 WHERE 0 AND EXISTS ({sql})"),
            format!("SELECT CASE WHEN 1 THEN 2 ELSE ({sql}) END"),
            format!("SELECT body FROM (SELECT body, ({sql}) FROM ext_notes_a)"),
            format!("WITH ext_notes_w AS ({sql}) SELECT 1"),
            format!("SELECT 1 FROM ext_notes_a LEFT JOIN (SELECT ({sql}) AS x) ON 0"),
            format!("SELECT 1 FROM ext_notes_a ORDER BY 1, EXISTS ({sql})"),
            format!("UPDATE ext_notes_a SET n = n WHERE 0 AND EXISTS ({sql})"),
            format!("CREATE VIEW ext_notes_w AS SELECT 1 WHERE EXISTS (SELECT EXISTS ({sql}))"),
            format!(
                "CREATE TRIGGER ext_notes_w AFTER INSERT ON ext_notes_b WHEN 0 \
                 BEGIN SELECT 1 ORDER BY EXISTS ({sql}); END"
            ),
        ],
        _ => Vec::new(),
    }
}

/// Changes how the text looks outside of quotes, and nothing of what it says.
fn disguised(sql: &str) -> String {
    let mut out = String::from("\u{feff}/* SELECT 1; */");
    let mut quote = None;
    for char in sql.chars() {
        match (quote, char) {
            (Some(end), _) => {
                if char == end {
                    quote = None;
                }
                out.push(char);
            }
            (None, '\'' | '"' | '`') => {
                quote = Some(char);
                out.push(char);
            }
            (None, '[') => {
                quote = Some(']');
                out.push(char);
            }
            (None, ' ') => out.push_str(" /*'*/-- \"\n\t"),
            (None, _) if char.is_ascii_lowercase() => out.push(char.to_ascii_uppercase()),
            (None, _) => out.push(char.to_ascii_lowercase()),
        }
    }
    out.push_str(" ; -- '");
    out
}
