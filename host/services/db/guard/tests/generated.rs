//! Statements made at random tell nothing of what is foreign, and change none of it.
//!
//! Each runs on two benches: one has everything foreign, one only what is granted.
//! Whatever a statement answers must be the same on both, so not even a bit gets
//! out, and no piece of the canary may stand in it.

#![allow(clippy::print_stdout, reason = "a failure is repeated from its seed")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bench::{Bench, Foreign, template};
use super::grammar::Grammar;

/// How many statements; all with `EXTHOST_TEST_FULL=1`.
const FEW: u64 = 6_000;
const ALL: u64 = 1_000_000;

/// Statements on the same two benches, before they are looked through and made
/// anew.
const ROUND: u64 = 200;

/// Ends what a mutation has made endless.
const DEADLINE: Duration = Duration::from_secs(2);

#[test]
fn no_generated_statement_tells_or_changes_what_is_foreign() {
    let full = std::env::var_os("EXTHOST_TEST_FULL").is_some();
    let total = if full { ALL } else { FEW };
    let seed = match std::env::var("EXTHOST_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("EXTHOST_TEST_SEED={seed}");
    let (all, granted) = (template(Foreign::All), template(Foreign::Granted));
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let rounds = total.div_ceil(ROUND);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let (all, granted) = (&all, &granted);
                let step = usize::try_from(threads).unwrap();
                let mine = (first..rounds).step_by(step);
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for round in mine {
                        tally.round(seed.wrapping_add(round), all, granted);
                    }
                    tally
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    let sum = |count: fn(&Tally) -> u64| tallies.iter().map(count).sum::<u64>();
    println!(
        "{} statements, {} of them ran, {} refused, {} ended by the deadline, {} bytes looked at",
        sum(|tally| tally.statements),
        sum(|tally| tally.ran),
        sum(|tally| tally.refused),
        sum(|tally| tally.ended),
        sum(|tally| tally.bytes),
    );
    // A round ends with a statement that ran into its deadline.
    let cut = sum(|tally| tally.ended) * ROUND;
    assert!(sum(|tally| tally.statements) + cut >= total);
    assert!(
        sum(|tally| tally.ran) > total / 100,
        "too few mean anything"
    );
    assert!(
        sum(|tally| tally.refused) > total / 50,
        "too few are hostile"
    );
}

/// What became of the statements.
#[derive(Default)]
struct Tally {
    statements: u64,
    ran: u64,
    refused: u64,
    ended: u64,
    bytes: u64,
}

impl Tally {
    fn round(&mut self, seed: u64, all: &Arc<tempfile::TempDir>, granted: &Arc<tempfile::TempDir>) {
        let (all, granted) = (Bench::new(all), Bench::new(granted));
        let mut grammar = Grammar::new(seed);
        let foreign = all.dump(FOREIGN);
        let mut history = Vec::new();
        for _ in 0..ROUND {
            let sql = grammar.statement();
            self.statements += 1;
            history.push(sql.clone());
            let (seen, other) = (outcome(&all, &sql), outcome(&granted, &sql));
            if [&seen, &other]
                .iter()
                .any(|text| text.contains("interrupted"))
            {
                // Which of the two was further is chance.
                self.ended += 1;
                break;
            }
            self.bytes += seen.len() as u64;
            self.ran += u64::from(seen.starts_with("Ok"));
            self.refused += u64::from(seen.contains("is outside ext_notes_"));
            assert!(!tells(&seen), "seed {seed}: {sql}\n{seen}\n{history:#?}");
            let same = match varies(&sql) {
                true => seen.starts_with("Ok") == other.starts_with("Ok"),
                false => seen == other,
            };
            assert!(same, "seed {seed}: {sql}\n{seen}\n{other}\n{history:#?}");
        }
        let own = own_rows(&all);
        assert!(!tells(&own), "seed {seed}: {own}\n{history:#?}");
        self.bytes += own.len() as u64;
        let changed = all.dump(FOREIGN) != foreign;
        assert!(
            !changed,
            "seed {seed} changed what is foreign\n{history:#?}"
        );
    }
}

fn outcome(bench: &Bench, sql: &str) -> String {
    let clock = bench.guard.clock();
    clock.set_deadline(Some(Instant::now() + DEADLINE));
    let outcome = bench.run(sql).map_err(|error| error.to_string());
    clock.set_deadline(None);
    format!("{outcome:?}")
}

/// Whether two runs of the statement differ of themselves: it draws lots, asks for
/// the time, or shows the pages and addresses of its plan.
fn varies(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let words = [
        "random",
        "now",
        "current_",
        "unixepoch",
        "julianday",
        "date",
        "time",
        "strftime",
        "explain",
    ];
    words.iter().any(|word| sql.contains(word))
}

/// Whether a piece of the canary stands in the text, in any case, or as the hex of
/// its bytes, or as those bytes in decimal.
fn tells(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let pieces = ["c4n4ry", "6d1f0a9b", "e2774c58"];
    let hex = ["63346e347279", "3664316630613962", "6532373734633538"];
    let decimal = ["99, 52, 110, 52, 114, 121", "54, 100, 49, 102, 48"];
    [&pieces[..], &hex, &decimal]
        .concat()
        .iter()
        .any(|piece| text.contains(piece))
}

/// What no plugin may change.
const FOREIGN: &[&str] = &[
    "main.secrets",
    "main.ext_other_t",
    "main.ext_notesx",
    "main.extXnotesXt",
    "main._exthost_outbox",
    "main._exthost_migrations",
    "host.sqlite_schema",
    "host.users",
    "host.posts",
    "host.ext_notes_h",
    "temp.sqlite_schema",
    "pragma_database_list",
    "pragma_user_version",
    "pragma_foreign_keys",
    "pragma_journal_mode",
    "(SELECT * FROM main.sqlite_sequence WHERE lower(name) NOT GLOB 'ext_notes_*')",
    "(SELECT * FROM main.sqlite_stat1 WHERE lower(tbl) NOT GLOB 'ext_notes_*')",
    "(SELECT * FROM main.sqlite_stat4 WHERE lower(tbl) NOT GLOB 'ext_notes_*')",
    "(SELECT * FROM main.sqlite_schema WHERE lower(tbl_name) NOT GLOB 'ext_notes_*')",
];

/// All that the plugin stored, and how its things are defined.
fn own_rows(bench: &Bench) -> String {
    let own = "(SELECT name, sql FROM main.sqlite_schema WHERE lower(tbl_name) GLOB 'ext_notes_*')";
    let mut out = bench.dump(&[own]);
    let names: Vec<String> = bench.guard.trusted(|| {
        let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table'
                   AND sql NOT LIKE 'CREATE VIRTUAL%' AND lower(name) GLOB 'ext_notes_*'";
        let mut statement = bench.conn.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    });
    for name in names {
        out += &bench.dump(&[format!("main.\"{}\"", name.replace('"', "\"\""))]);
    }
    out
}
