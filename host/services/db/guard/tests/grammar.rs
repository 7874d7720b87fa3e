//! Makes statements at random: by a grammar, and out of pieces of the corpora.

use super::corpus::entries;

/// What is named. Own and granted names stand more often, so that more statements
/// get as far as running.
#[rustfmt::skip]
const TABLES: &[&str] = &[
    "ext_notes_a", "ext_notes_a", "ext_notes_a", "ext_notes_b", "ext_notes_b", "ext_notes_t",
    "ext_notes_v", "ext_notes_f", "ext_notes_r", "posts", "host.posts", "secrets", "secrets",
    "users", "host.users", "v_users", "secret_view", "ext_other_t", "ext_notesx", "extXnotesXt",
    "_exthost_outbox", "_exthost_migrations", "ext_notes_h", "host.ext_notes_h", "nosuch",
    "ext_notes_nosuch", "sqlite_master", "sqlite_schema", "sqlite_sequence", "sqlite_stat1",
    "sqlite_stat4", "temp.sqlite_master", "host.sqlite_schema", "secrets_word", "users_name",
    "secrets_trigger", "dbstat", "c", "json_each('[1,2]')", "pragma_table_info('secrets')",
    "pragma_table_info('ext_notes_a')", "pragma_index_list('users')",
];
#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "id", "body", "n", "a_id", "word", "name", "title", "rowid", "value", "sql", "seq", "stat", "x",
    "nosuch", "rank", "count(*)", "1", "NULL", "'a'", "2.5", "x'00'",
];
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "count", "sum", "max", "min", "length", "upper", "hex", "quote", "group_concat", "typeof",
    "json_array", "json_group_array", "coalesce", "instr", "trim", "abs", "total", "likely",
    "row_number", "load_extension", "sqlite_source_id", "zeroblob", "nosuch", "printf", "json",
];
const OPERATORS: &[&str] = &[
    "=", "<>", "<", ">", "||", "+", "-", "AND", "OR", "IS", "LIKE", "GLOB", "->>", "IN", "&",
];

/// A source of statements, always the same for one seed.
pub(super) struct Grammar {
    random: fastrand::Rng,
    /// The corpora, in pieces.
    corpus: Vec<Vec<String>>,
}

impl Grammar {
    pub(super) fn new(seed: u64) -> Self {
        let corpora = ["hostile.sql", "legitimate.sql"];
        let statements = corpora
            .into_iter()
            .flat_map(entries)
            .flat_map(|entry| entry.statements);
        Grammar {
            random: fastrand::Rng::with_seed(seed),
            corpus: statements.map(|sql| pieces(&sql)).collect(),
        }
    }

    /// The next statement.
    pub(super) fn statement(&mut self) -> String {
        match self.random.u8(..20) {
            0..7 => self.query(3),
            7..10 => self.change(),
            10..12 => self.definition(),
            12 => format!("PRAGMA {}({})", self.pragma(), self.table()),
            13 => {
                let explain = self.one(&["EXPLAIN", "EXPLAIN QUERY PLAN"]);
                format!("{explain} {}", self.query(2))
            }
            14..17 => self.mutant(),
            _ => self.splice(),
        }
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.random.usize(..of.len())]
    }

    fn maybe(&mut self, text: impl FnOnce(&mut Self) -> String) -> String {
        if self.random.bool() {
            return String::new();
        }
        text(self)
    }

    /// A table in some spelling.
    fn table(&mut self) -> String {
        let table = self.one(TABLES);
        match self.random.u8(..12) {
            0 => table.to_ascii_uppercase(),
            1 if !table.contains(['.', '(']) => format!("\"{table}\""),
            2 if !table.contains(['.', '(']) => format!("main.{table}"),
            3 if !table.contains(['.', '(']) => format!("[{table}]"),
            4 if !table.contains(['.', '(']) => format!("'{table}'"),
            _ => table.to_owned(),
        }
    }

    fn name(&mut self) -> &'static str {
        self.one(&[
            "ext_notes_t",
            "ext_notes_v",
            "ext_notes_g",
            "ext_notes_i",
            "ext_notes_u",
            "secrets",
            "mine",
            "users",
            "secrets_word",
            "ext_other_x",
            "temp.ext_notes_t",
            "host.ext_notes_t",
        ])
    }

    fn pragma(&mut self) -> &'static str {
        self.one(&[
            "table_info",
            "table_xinfo",
            "table_list",
            "index_list",
            "index_info",
            "foreign_key_list",
            "quick_check",
            "foreign_key_check",
            "user_version",
            "main.table_info",
            "host.table_info",
            "optimize",
        ])
    }

    fn expression(&mut self, depth: u8) -> String {
        match self.random.u8(..if depth == 0 { 6 } else { 14 }) {
            0..6 => self.one(COLUMNS).to_owned(),
            6 | 7 => format!(
                "{} {} {}",
                self.expression(depth - 1),
                self.one(OPERATORS),
                self.expression(depth - 1)
            ),
            8 | 9 => format!("{}({})", self.one(FUNCTIONS), self.expression(depth - 1)),
            10 => format!("({})", self.query(depth - 1)),
            11 => format!("EXISTS ({})", self.query(depth - 1)),
            12 => format!("{} IN ({})", self.one(COLUMNS), self.query(depth - 1)),
            _ => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.expression(depth - 1),
                self.expression(depth - 1),
                self.expression(depth - 1)
            ),
        }
    }

    fn query(&mut self, depth: u8) -> String {
        let down = depth.saturating_sub(1);
        let with = match self.random.u8(..8) {
            0 if depth > 0 => format!("WITH c AS ({}) ", self.query(down)),
            1 if depth > 0 => format!("WITH {} AS (SELECT 1 AS x) ", self.name()),
            _ => String::new(),
        };
        let columns = match self.random.u8(..5) {
            0 => "*".to_owned(),
            1 => format!("{}, {}", self.expression(down), self.expression(down)),
            _ => self.expression(down),
        };
        let from = match self.random.u8(..9) {
            0 => String::new(),
            1 if depth > 0 => format!(" FROM ({})", self.query(down)),
            2 => {
                let join = self.one(&[",", "JOIN", "LEFT JOIN", "NATURAL JOIN", "CROSS JOIN"]);
                format!(" FROM {} AS p {join} {} AS q", self.table(), self.table())
            }
            _ => format!(" FROM {}", self.table()),
        };
        let filter = self.maybe(|own| format!(" WHERE {}", own.expression(down)));
        let end = match self.random.u8(..10) {
            0 => format!(" GROUP BY {}", self.one(COLUMNS)),
            1 => format!(" ORDER BY {}", self.expression(down)),
            2 => format!(" UNION {}", self.query(0)),
            3 => " LIMIT 1".to_owned(),
            _ => String::new(),
        };
        format!("{with}SELECT {columns}{from}{filter}{end}")
    }

    fn change(&mut self) -> String {
        let (table, column) = (self.table(), self.one(COLUMNS));
        let returning = self.maybe(|own| format!(" RETURNING {}", own.expression(1)));
        match self.random.u8(..5) {
            0 => format!(
                "INSERT INTO {table}({column}) VALUES ({}){returning}",
                self.expression(2)
            ),
            1 => format!("INSERT OR IGNORE INTO {table} {} LIMIT 3", self.query(1)),
            2 => {
                let from = self.maybe(|own| format!(" FROM {}", own.table()));
                format!(
                    "UPDATE {table} SET {column} = {}{from}{returning}",
                    self.expression(2)
                )
            }
            3 => format!(
                "INSERT INTO {table}(id, {column}) VALUES (1, 2) ON CONFLICT DO UPDATE SET {column} = {}{returning}",
                self.expression(2)
            ),
            _ => format!(
                "DELETE FROM {table} WHERE {}{returning}",
                self.expression(2)
            ),
        }
    }

    fn definition(&mut self) -> String {
        let (name, table) = (self.name(), self.table());
        match self.random.u8(..12) {
            0 => format!("CREATE TABLE {name}(id INTEGER PRIMARY KEY, x REFERENCES {table})"),
            1 => format!("CREATE TABLE {name} AS {}", self.query(2)),
            2 | 3 => format!("CREATE VIEW {name} AS {}", self.query(2)),
            4 => format!("CREATE INDEX {name} ON {table}({})", self.expression(1)),
            5 | 6 => format!(
                "CREATE TRIGGER {name} AFTER INSERT ON {table} WHEN {} BEGIN {}; END",
                self.expression(1),
                self.change()
            ),
            7 => format!(
                "DROP {} IF EXISTS {table}",
                self.one(&["TABLE", "VIEW", "INDEX"])
            ),
            8 => format!("ALTER TABLE {table} RENAME TO {name}"),
            9 => format!(
                "ALTER TABLE {table} ADD COLUMN x CHECK ({})",
                self.expression(1)
            ),
            10 => format!("{} {table}", self.one(&["ANALYZE", "REINDEX"])),
            _ => format!("CREATE VIRTUAL TABLE {name} USING fts5(body, content={table})"),
        }
    }

    /// A statement of the corpora with some pieces lost, doubled or changed.
    fn mutant(&mut self) -> String {
        let mut sql = self.corpus[self.random.usize(..self.corpus.len())].clone();
        for _ in 0..=self.random.u8(..3) {
            if sql.is_empty() {
                break;
            }
            let (at, other) = (
                self.random.usize(..sql.len()),
                self.random.usize(..sql.len()),
            );
            match self.random.u8(..5) {
                0 => drop(sql.remove(at)),
                1 => sql.swap(at, other),
                2 => sql.insert(at, format!(" {} ", self.table())),
                3 => sql[at] = self.table(),
                _ => sql[at] = self.expression(1),
            }
        }
        sql.concat()
    }

    /// The beginning of one statement and the end of another.
    fn splice(&mut self) -> String {
        let first = &self.corpus[self.random.usize(..self.corpus.len())];
        let second = &self.corpus[self.random.usize(..self.corpus.len())];
        let begin = &first[..self.random.usize(..=first.len())];
        let end = &second[self.random.usize(..=second.len())..];
        format!("{} {}", begin.concat(), end.concat())
    }
}

/// Words with what lies between them, so that together they are the text.
fn pieces(sql: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_word = false;
    for char in sql.chars() {
        let word = char.is_alphanumeric() || char == '_';
        match pieces.last_mut() {
            Some(last) if word && in_word => last.push(char),
            _ => pieces.push(char.to_string()),
        }
        in_word = word;
    }
    pieces
}
