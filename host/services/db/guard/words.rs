//! The first words of a statement. They decide how it is run and what its error
//! says, never whether it may: that is the authorizer's.

/// Whether the statement changes the schema, and so runs inside a savepoint.
pub(super) fn is_ddl(sql: &str) -> bool {
    first_is(sql, SCHEMA_CHANGES)
}

const SCHEMA_CHANGES: &[&str] = &["create", "alter", "drop", "reindex", "analyze"];

/// Whether the statement may turn out to only read, and is worth trying on a
/// reader first.
pub(super) fn may_read(sql: &str) -> bool {
    first_is(sql, &["select", "values", "with", "explain", "pragma"])
}

/// What a statement is that is not even compiled. VACUUM asks for authorization
/// only when it runs, ATTACH and DETACH after they have looked up what they name,
/// and an explanation of a change of the schema depends on what exists.
pub(super) fn never_compiled(sql: &str) -> Option<&'static str> {
    let mut words = Words::of(sql).skip_while(explains);
    let verb = words.next()?;
    let explained = first_is(sql, &["explain"]);
    if explained && SCHEMA_CHANGES.iter().any(|change| verb.is(change)) {
        return Some("explain");
    }
    ["vacuum", "attach", "detach"]
        .into_iter()
        .find(|never| verb.is(never))
}

fn explains(word: &Word<'_>) -> bool {
    ["explain", "query", "plan"]
        .iter()
        .any(|before| word.is(before))
}

/// The PRAGMA, about the database `main`; `None` for every other statement.
pub(super) fn in_main(sql: &str) -> Option<String> {
    let mut words = Words::of(sql);
    words
        .find(|word| !explains(word))
        .filter(|word| word.is("pragma"))?;
    words.skip_blanks();
    let (before, name) = sql.split_at(sql.len() - words.rest.len());
    Some(format!("{before}main.{name}"))
}

/// The first name that `is_foreign` says so of, wherever it stands in the text.
pub(super) fn find_name(sql: &str, is_foreign: impl Fn(&str) -> bool) -> Option<String> {
    Words::of(sql).find_map(|word| {
        word.name()
            .filter(|name| is_foreign(name))
            .map(str::to_owned)
    })
}

/// The statements of a script, those that say nothing left out.
pub(crate) fn statements(script: &str) -> impl Iterator<Item = &str> {
    let mut rest = script;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (first, after) = split_first(rest);
            rest = after;
            if Words::of(first).any(|word| word != Word::Sign(';')) {
                return Some(first);
            }
        }
        None
    })
}

/// Splits the first statement, with its semicolon, off a script. The body of a
/// trigger belongs to its statement.
fn split_first(script: &str) -> (&str, &str) {
    let mut words = Words::of(script);
    let mut head = words.clone();
    if head.clone().next().is_some_and(|word| word.is("explain")) {
        head.next();
    }
    let creates = head.next().is_some_and(|word| word.is("create"));
    let mut kind = head.next();
    if kind
        .as_ref()
        .is_some_and(|word| word.is("temp") || word.is("temporary"))
    {
        kind = head.next();
    }
    let is_trigger = creates && kind.is_some_and(|word| word.is("trigger"));
    // A trigger ends at `; END ;`.
    let (mut before, mut last) = (false, false);
    while let Some(word) = words.next() {
        let semicolon = word == Word::Sign(';');
        if semicolon && (!is_trigger || last) {
            return script.split_at(script.len() - words.rest.len());
        }
        last = before && word.is("end");
        before = semicolon;
    }
    (script, "")
}

/// The table that the text of an FTS5 table names as its content, also the empty
/// name; `None` for every other text.
pub(crate) fn fts5_content(sql: &str) -> Option<String> {
    let mut words = Words::of(sql);
    words.find(|word| word.is("virtual"))?;
    words.find(|word| word.is("using"))?;
    if !words.next()?.name()?.eq_ignore_ascii_case("fts5") {
        return None;
    }
    // FTS5 takes every beginning of an option's name for the first option that
    // begins so.
    let is_content = |word: &Word<'_>| match word {
        Word::Bare(name) => (1..=7).any(|end| name.eq_ignore_ascii_case(&"content"[..end])),
        _ => false,
    };
    let words: Vec<_> = words.collect();
    words.windows(3).find_map(|three| {
        (is_content(&three[0]) && three[1] == Word::Sign('='))
            .then(|| three[2].name().map(str::to_owned))
            .flatten()
    })
}

fn first_is(sql: &str, words: &[&str]) -> bool {
    match Words::of(sql).next() {
        Some(Word::Bare(first)) => words.iter().any(|word| word.eq_ignore_ascii_case(first)),
        _ => false,
    }
}

/// Whether the statement is of a kind that can name tables in its body.
pub(super) fn has_tables(sql: &str) -> bool {
    const WITHOUT: &[&str] = &[
        "pragma",
        "begin",
        "commit",
        "end",
        "rollback",
        "savepoint",
        "release",
    ];
    let first = Words::of(sql).find(|word| !explains(word));
    first.is_none_or(|first| !WITHOUT.iter().any(|without| first.is(without)))
}

/// A name as SQL takes it for one, whatever it holds.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One token of SQL, as far as telling names from the rest needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'s> {
    /// A keyword or a name without quotes.
    Bare(&'s str),
    /// A name in any of SQLite's four quotes, without them.
    Quoted(String),
    /// Any other character.
    Sign(char),
}

impl Word<'_> {
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Word::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// The word as a name.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Word::Bare(name) => Some(name),
            Word::Quoted(name) => Some(name),
            Word::Sign(_) => None,
        }
    }
}

/// The tokens of a statement without blanks and comments.
#[derive(Debug, Clone)]
pub(super) struct Words<'s> {
    rest: &'s str,
}

impl<'s> Words<'s> {
    pub(super) fn of(sql: &'s str) -> Self {
        Words { rest: sql }
    }

    fn skip_blanks(&mut self) {
        loop {
            // SQLite takes a byte order mark for a blank.
            let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r' | '\u{feff}');
            let rest = self.rest.trim_start_matches(blank);
            let after = if let Some(comment) = rest.strip_prefix("--") {
                comment.split_once('\n').map_or("", |(_, after)| after)
            } else if let Some(comment) = rest.strip_prefix("/*") {
                comment.split_once("*/").map_or("", |(_, after)| after)
            } else {
                self.rest = rest;
                return;
            };
            self.rest = after;
        }
    }
}

impl<'s> Iterator for Words<'s> {
    type Item = Word<'s>;

    fn next(&mut self) -> Option<Word<'s>> {
        self.skip_blanks();
        let first = self.rest.chars().next().filter(|first| *first != '\0')?;
        let close = match first {
            '"' | '\'' | '`' => first,
            '[' => ']',
            _ if is_name(first) => {
                let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Word::Bare(word));
            }
            _ => {
                self.rest = &self.rest[first.len_utf8()..];
                return Some(Word::Sign(first));
            }
        };
        let mut name = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some((head, tail)) = rest.split_once(close) else {
                name.push_str(rest);
                self.rest = "";
                return Some(Word::Quoted(name));
            };
            name.push_str(head);
            match tail.strip_prefix(close).filter(|_| close != ']') {
                Some(after) => {
                    name.push(close);
                    rest = after;
                }
                None => {
                    self.rest = tail;
                    return Some(Word::Quoted(name));
                }
            }
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || (!c.is_ascii() && c != '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides() {
        for ddl in [
            "create table a(b)",
            " \t\r\n\x0c-- drop\n/* x\n */ALTER TABLE a ADD b",
            "\u{feff}DROP TABLE a",
            "/**/reindex/**/a",
            "Analyze",
        ] {
            assert!(is_ddl(ddl) && !may_read(ddl), "{ddl}");
        }
        for read in [
            "SELECT 1",
            "values(1)",
            "WITH a AS (SELECT 1) DELETE FROM b",
            "explain drop table a",
        ] {
            assert!(may_read(read) && !is_ddl(read), "{read}");
        }
        for other in [
            "",
            "--",
            "/* create",
            "\"create\" table",
            "creates",
            "(select 1)",
            "INSERT INTO a VALUES(1)",
            "\0create",
        ] {
            assert!(!may_read(other) && !is_ddl(other), "{other}");
        }
    }

    #[test]
    fn a_script_is_split_at_its_semicolons() {
        let trigger = "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM c; END;";
        let statements = [
            "SELECT ';', \";\" /* ; */;",
            " -- ;\n;",
            trigger,
            " SELECT 1",
        ];
        let script = statements.concat();
        let mut rest = script.as_str();
        for statement in statements {
            let (first, after) = split_first(rest);
            assert_eq!(first, statement);
            rest = after;
        }
        assert_eq!(split_first(rest), ("", ""));
    }

    #[test]
    fn quotes_are_taken_off_names() {
        let words: Vec<_> = Words::of("a.\"b\"\"c\"[d e]`f`'g''h'").collect();
        let quoted = |name: &str| Word::Quoted(name.to_owned());
        assert_eq!(
            words,
            [
                Word::Bare("a"),
                Word::Sign('.'),
                quoted("b\"c"),
                quoted("d e"),
                quoted("f"),
                quoted("g'h")
            ]
        );
    }
}
