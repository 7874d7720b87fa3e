//! What a statement that changes the schema says it is about.
//!
//! SQLite says more about such a name than it should before it asks the
//! authorizer: `IF EXISTS` succeeds or not, a view is no table. So the name is
//! looked at first. Whoever gets past this still meets the authorizer.

use super::words::{Word, Words};
use crate::services::db::scope::{Refusal, Scope};

/// Refuses a change of the schema whose target is outside the scope.
pub(super) fn check(scope: &Scope, sql: &str) -> Result<(), Refusal> {
    let mut words = Words::of(sql).peekable();
    let Some(verb) = words.next() else {
        return Ok(());
    };
    if let Some(kind) = ["reindex", "analyze"]
        .into_iter()
        .find(|kind| verb.is(kind))
    {
        // Without a name, or with that of a collation or a database, it is about
        // everything.
        return match target(&mut words) {
            Some(target) => check_one(scope, &target),
            None => Err(scope.refuse("statement", kind)),
        };
    }
    let creates = verb.is("create");
    let mut kind = words.next();
    if creates
        && kind
            .as_ref()
            .is_some_and(|word| word.is("unique") || word.is("virtual"))
    {
        kind = words.next();
    }
    let Some(kind) = kind else {
        return Ok(());
    };
    if !["table", "index", "view", "trigger"]
        .iter()
        .any(|known| kind.is(known))
    {
        return Ok(());
    }
    skip_condition(&mut words);
    if let Some(target) = target(&mut words) {
        check_one(scope, &target)?;
    }
    let on_a_table = creates && (kind.is("index") || kind.is("trigger"));
    if on_a_table
        && words.any(|word| word.is("on"))
        && let Some(table) = target(&mut words)
    {
        check_one(scope, &table)?;
    }
    Ok(())
}

/// The name, without a database, in `DROP ... IF EXISTS`, REINDEX or ANALYZE: those
/// that SQLite looks for in every database and may find nowhere.
pub(super) fn sought_everywhere(sql: &str) -> Option<String> {
    let mut words = Words::of(sql).peekable();
    let verb = words.next()?;
    if verb.is("drop") {
        words.next()?;
        words.peek().filter(|word| word.is("if"))?;
        skip_condition(&mut words);
    } else if !verb.is("reindex") && !verb.is("analyze") {
        return None;
    }
    let target = target(&mut words)?;
    target.schema.is_none().then_some(target.name)
}

type Rest<'s> = std::iter::Peekable<Words<'s>>;

/// A name, with its database when that was written.
struct Target {
    schema: Option<String>,
    name: String,
}

fn check_one(scope: &Scope, target: &Target) -> Result<(), Refusal> {
    let here = target
        .schema
        .as_ref()
        .is_none_or(|schema| schema.eq_ignore_ascii_case("main"));
    if here && (scope.owns(&target.name) || scope.owns_autoindex(&target.name)) {
        return Ok(());
    }
    Err(scope.refuse_table(&target.name))
}

/// Skips `IF EXISTS` and `IF NOT EXISTS`.
fn skip_condition(words: &mut Rest<'_>) {
    let mut ahead = words.clone();
    if !ahead.next().is_some_and(|word| word.is("if")) {
        return;
    }
    let mut second = ahead.next();
    if second.as_ref().is_some_and(|word| word.is("not")) {
        second = ahead.next();
    }
    if second.is_some_and(|word| word.is("exists")) {
        *words = ahead;
    }
}

fn target(words: &mut Rest<'_>) -> Option<Target> {
    let first = words.next()?.name()?.to_owned();
    if words.next_if_eq(&Word::Sign('.')).is_none() {
        return Some(Target {
            schema: None,
            name: first,
        });
    }
    let name = words.next()?.name()?.to_owned();
    Some(Target {
        schema: Some(first),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_found_behind_whatever_stands_before_it() {
        let scope = Scope::new("notes", Vec::new());
        for own in [
            "CREATE TABLE ext_notes_a(b)",
            "create unique index if not exists main.ext_notes_i on ext_notes_a(b)",
            "CREATE TRIGGER ext_notes_g UPDATE OF \"on\" ON ext_notes_a BEGIN SELECT 1; END",
            "DROP VIEW IF EXISTS [ext_notes_v]",
            "ALTER TABLE 'ext_notes_a' RENAME TO b",
            "REINDEX ext_notes_a",
            "CREATE TEMP TABLE a(b)",
            "DROP",
            "CREATE TABLE",
        ] {
            assert_eq!(check(&scope, own), Ok(()), "{own}");
        }
        for users in [
            "CREATE TABLE users(b)",
            "CREATE VIRTUAL TABLE IF NOT EXISTS \"users\" USING fts5(x)",
            "CREATE INDEX ext_notes_i ON users(b)",
            "CREATE TRIGGER ext_notes_g UPDATE OF \"on\" ON users BEGIN SELECT 1; END",
            "DROP TABLE IF EXISTS host.users",
            "ALTER TABLE/**/main . `users` ADD b",
            "ANALYZE users",
        ] {
            assert_eq!(
                check(&scope, users),
                Err(scope.refuse_table("users")),
                "{users}"
            );
        }
        assert!(check(&scope, "REINDEX").is_err() && check(&scope, "analyze;").is_err());
    }
}
