//! Runs the two corpora as the service will: what is hostile is refused in the one
//! text and leaves no trace, what is legitimate succeeds.

#![allow(clippy::print_stdout, reason = "the counts are reported")]

use super::bench::{Bench, CANARY, Foreign, template};
use super::wrapping::Wrapping;
use crate::services::db::guard::GuardError;

/// Some statements that belong together.
pub(super) struct Entry {
    /// The line of the file that the last statement is on.
    line: usize,
    pub(super) statements: Vec<String>,
    /// Whether SQLite refuses the last in words of its own.
    by_sqlite: bool,
    /// Whether it is refused only when it runs, and may be compiled.
    when_run: bool,
}

/// Reads a corpus, at the time of the test: a line more needs no build.
pub(super) fn entries(file: &str) -> Vec<Entry> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/db");
    let corpus = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let mut entries = Vec::new();
    let mut entry: Option<Entry> = None;
    for (at, text) in corpus.lines().chain([""]).enumerate() {
        if text.is_empty() {
            entries.extend(entry.take().filter(|entry| !entry.statements.is_empty()));
            continue;
        }
        let entry = entry.get_or_insert(Entry {
            line: 0,
            statements: Vec::new(),
            by_sqlite: false,
            when_run: false,
        });
        if text.starts_with("--") {
            entry.by_sqlite |= text == "-- by SQLite";
            entry.when_run |= text == "-- when run";
        } else {
            entry.line = at + 1;
            entry.statements.push(unescaped(text));
        }
    }
    entries
}

/// `\n` and `\u{..}` stand for characters that a line cannot show.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('n') {
            out.push('\n');
            rest = after;
        } else if let Some((code, after)) = rest
            .strip_prefix("u{")
            .and_then(|rest| rest.split_once('}'))
        {
            let code = u32::from_str_radix(code, 16).expect("a character's number");
            out.push(char::from_u32(code).expect("a character"));
            rest = after;
        } else {
            out.push('\\');
        }
    }
    out + rest
}

/// The statements must be many, and no two the same.
fn check_count(entries: &[Entry], least: usize) {
    let mut distinct: Vec<_> = entries.iter().map(|entry| &entry.statements).collect();
    distinct.sort();
    let twice = distinct.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "an entry stands there twice");
    assert!(entries.len() >= least, "{} entries", entries.len());
}

fn check_failures(failures: &[String], runs: usize) {
    let count = failures.len();
    assert!(
        failures.is_empty(),
        "{}\n{count} of {runs}",
        failures.join("\n")
    );
}

#[test]
fn what_is_hostile_is_refused_and_leaves_no_trace() {
    let template = template(Foreign::All);
    let entries = entries("hostile.sql");
    check_count(&entries, 600);
    let mut failures = Vec::new();
    let mut runs = 0;
    for wrapping in Wrapping::ALL {
        let mut bench = Bench::new(&template);
        let mut snapshot = bench.snapshot();
        for entry in &entries {
            if entry.when_run && wrapping.compiles_only() {
                continue;
            }
            let (last, before) = entry.statements.split_last().unwrap();
            for sql in wrapping.of(last) {
                runs += 1;
                let mut problem = None;
                for line in before {
                    if let Err(error) = bench.run(line) {
                        problem = Some(format!("the set-up failed: {line}: {error}"));
                    }
                }
                if !before.is_empty() {
                    snapshot = bench.snapshot();
                }
                let problem =
                    problem.or_else(|| problem_of(&bench, wrapping, entry, &sql, &snapshot));
                if problem.is_some() || !before.is_empty() {
                    bench = Bench::new(&template);
                    snapshot = bench.snapshot();
                }
                if let Some(problem) = problem {
                    failures.push(format!("hostile.sql:{}: {sql}\n    {problem}", entry.line));
                }
            }
        }
    }
    assert!(runs >= 5 * entries.len());
    println!("{} entries, {runs} runs", entries.len());
    check_failures(&failures, runs);
}

/// Runs a statement that must be refused, and says what is wrong with how it was.
fn problem_of(
    bench: &Bench,
    wrapping: Wrapping,
    entry: &Entry,
    sql: &str,
    snapshot: &str,
) -> Option<String> {
    wrapping.enter(bench);
    let outcome = bench.run(sql);
    let traceless = bench.snapshot() == snapshot;
    wrapping.leave(bench);
    match outcome {
        Ok(values) => Some(format!("{wrapping:?} was allowed: {values:?}")),
        Err(_) if !traceless => Some("left a trace".to_owned()),
        Err(error) => {
            let text = error.to_string();
            let as_marked = matches!(error, GuardError::Refused(_)) != entry.by_sqlite;
            (text.contains(CANARY) || wrapping == Wrapping::Plain && !as_marked).then_some(text)
        }
    }
}

#[test]
fn what_is_legitimate_succeeds() {
    let template = template(Foreign::All);
    let entries = entries("legitimate.sql");
    check_count(&entries, 300);
    let mut failures = Vec::new();
    let mut runs = 0;
    for wrapping in [
        Wrapping::Plain,
        Wrapping::InTransaction,
        Wrapping::Disguised,
        Wrapping::InScript,
    ] {
        for entry in &entries {
            runs += 1;
            let bench = Bench::new(&template);
            wrapping.enter(&bench);
            for statement in &entry.statements {
                for sql in wrapping.of(statement) {
                    let seen = match bench.run(&sql) {
                        Ok(values) => format!("{values:?}"),
                        Err(error) => {
                            failures.push(format!(
                                "legitimate.sql:{}: {wrapping:?} {sql}\n    {error}",
                                entry.line
                            ));
                            break;
                        }
                    };
                    assert!(!seen.contains(CANARY), "{sql}");
                }
            }
        }
    }
    println!("{} entries, {runs} runs", entries.len());
    check_failures(&failures, runs);
}

/// What is said of a foreign table that exists is said of one that does not.
#[test]
fn no_error_tells_what_exists() {
    // As long as the real ones, since some texts hold a position.
    const NAMES: [(&str, &str); 4] = [
        ("secret", "n0such"),
        ("users", "n0one"),
        ("ext_notes_h", "ext_notes_0"),
        ("ext_other", "ext_0ther"),
    ];
    let renamed = |text: &str| {
        NAMES
            .iter()
            .fold(text.to_ascii_lowercase(), |text, (name, instead)| {
                text.replace(name, instead)
            })
    };
    let template = template(Foreign::All);
    let mut failures = Vec::new();
    let (mut runs, mut seen) = (0, 0);
    // One in some, where one entry makes many; all with `EXTHOST_TEST_FULL=1`.
    let step = match std::env::var_os("EXTHOST_TEST_FULL") {
        Some(_) => 1,
        None => 5,
    };
    for wrapping in [
        Wrapping::Plain,
        Wrapping::Explained,
        Wrapping::Inside,
        Wrapping::Unread,
    ] {
        let mut bench = Bench::new(&template);
        for entry in entries("hostile.sql") {
            let (last, before) = entry.statements.split_last().unwrap();
            for sql in wrapping.of(last) {
                seen += 1;
                if wrapping != Wrapping::Plain && seen % step > 0 {
                    continue;
                }
                runs += 1;
                let mut outcome = |rename: bool| {
                    let named = |sql: &str| match rename {
                        true => renamed(sql),
                        false => sql.to_ascii_lowercase(),
                    };
                    for line in before {
                        // Whether it succeeds tells nothing either.
                        drop(bench.run(&named(line)));
                    }
                    let mut outcome = bench.run(&named(&sql)).map_err(|error| error.to_string());
                    if wrapping == Wrapping::Explained {
                        // It shows addresses.
                        outcome = outcome.map(|_| Vec::new());
                    }
                    if !before.is_empty() || outcome.is_ok() {
                        bench = Bench::new(&template);
                    }
                    renamed(&format!("{outcome:?}"))
                };
                let (exists, missing) = (outcome(false), outcome(true));
                if exists != missing {
                    failures.push(format!(
                        "hostile.sql:{}: {sql}\n    {exists}\n    {missing}",
                        entry.line
                    ));
                }
            }
        }
    }
    println!("{runs} pairs");
    check_failures(&failures, runs);
}
