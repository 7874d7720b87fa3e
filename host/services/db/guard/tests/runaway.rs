//! A statement that would run for long is stopped at its deadline.

#![allow(clippy::print_stdout, reason = "the longest is reported")]

use std::time::{Duration, Instant};

use super::bench::{Bench, Foreign, template};

/// How long each may run, and how much later it is stopped where SQLite is as fast as it
/// is shipped and has a processor to itself.
const LIMIT: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_millis(150);

/// What the head of runaway.sql says there is.
const TABLES: &str = "
    CREATE TABLE ext_notes_big(id INTEGER PRIMARY KEY, k INTEGER, body TEXT);
    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000)
        INSERT INTO ext_notes_big SELECT n, n * 7919 % 100003, 'word' || (n * 31 % 977) FROM c;
    CREATE INDEX ext_notes_big_k ON ext_notes_big(k);
    CREATE TABLE ext_notes_long(id INTEGER PRIMARY KEY, v);
    INSERT INTO ext_notes_long VALUES (1, replace(printf('%.*c', 15000000, 'x'), 'x', 'a')),
        (2, '[' || replace(printf('%.*c', 5000000, 'x'), 'x', '7, ') || '1]'),
        (3, zeroblob(15000000)),
        (4, replace(printf('%.*c', 2000000, 'x'), 'x', 'words, '));
    CREATE VIRTUAL TABLE ext_notes_f USING fts5(body);
    INSERT INTO ext_notes_f SELECT body || ' a b ' || k FROM ext_notes_big WHERE id <= 20000;
    CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, x0, x1);
    INSERT INTO ext_notes_r SELECT id, k, k + 9 FROM ext_notes_big WHERE id <= 20000;
    CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY);
    INSERT INTO ext_notes_p VALUES (1);
    CREATE TABLE ext_notes_c(id INTEGER PRIMARY KEY,
        p REFERENCES ext_notes_p(id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE ext_notes_loop(n);
    CREATE TRIGGER ext_notes_loop_g AFTER INSERT ON ext_notes_loop
        BEGIN INSERT INTO ext_notes_b(a_id) SELECT NULL FROM ext_notes_big AS a, ext_notes_big AS b; END;
";

#[test]
fn what_runs_for_long_is_stopped_at_its_deadline() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/db/runaway.sql");
    let corpus = std::fs::read_to_string(file).unwrap();
    let bench = Bench::new(&template(Foreign::All));
    bench.trusted(TABLES);
    let mut failures = Vec::new();
    let (mut longest, mut latest) = (Duration::ZERO, Duration::ZERO);
    let (mut count, mut late) = (0, false);
    for (at, line) in corpus.lines().enumerate() {
        late |= line.starts_with("-- Late");
        if line.is_empty() || line.starts_with("--") {
            continue;
        }
        count += 1;
        let sql = repeated(line);
        bench.trusted("BEGIN");
        let begin = Instant::now();
        bench.guard.clock().set_deadline(Some(begin + LIMIT));
        let outcome = bench.run(&sql).map_err(|error| error.to_string());
        let took = begin.elapsed();
        bench.guard.clock().set_deadline(None);
        if !bench.conn.is_autocommit() {
            bench.trusted("ROLLBACK");
        }
        if late {
            latest = latest.max(took);
        } else {
            longest = longest.max(took);
        }
        match outcome {
            Err(error) if error.contains("interrupted") => {
                if !late && took > LIMIT + LATE {
                    println!("runaway.sql:{}: {took:?}: {line}", at + 1);
                }
            }
            Err(error) => failures.push(format!("runaway.sql:{}: {error}: {line}", at + 1)),
            Ok(values) => failures.push(format!(
                "runaway.sql:{}: ended after {took:?} with {} values: {line}",
                at + 1,
                values.len()
            )),
        }
    }
    println!(
        "{count} statements of {LIMIT:?}: the longest ran {longest:?}, of the late {latest:?}"
    );
    assert!(count >= 150);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Writes out each `{60|x}`.
fn repeated(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((count, (item, after))) = after
            .split_once('|')
            .and_then(|(count, after)| Some((count.parse().ok()?, after.split_once('}')?)))
        else {
            out += before;
            out.push('{');
            rest = after;
            continue;
        };
        out += before;
        out += &vec![item; count].join(", ");
        rest = after;
    }
    out + rest
}
