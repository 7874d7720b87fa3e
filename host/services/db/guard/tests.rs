//! The guard, as the service uses it: what is within each file is one promise.

mod bench;
mod corpus;
mod generated;
mod grammar;
mod runaway;
mod wrapping;

use super::*;

use self::bench::Bench;

#[test]
fn a_step_that_prepares_anew_is_guarded() {
    let bench = Bench::alone();
    let sql = "SELECT * FROM ext_notes_v";
    bench
        .run("CREATE VIEW ext_notes_v AS SELECT body FROM ext_notes_a")
        .unwrap();
    let mut statement = bench.guard.prepare(&bench.conn, sql).unwrap();
    // Nobody but the host can do this.
    bench.guard.trusted(|| {
        let change = "DROP VIEW ext_notes_v; CREATE VIEW ext_notes_v AS SELECT word FROM secrets";
        bench.conn.execute_batch(change).unwrap();
    });
    let mut rows = statement.raw_query();
    let error = rows.next().map(drop).unwrap_err();
    let error = bench.guard.explain(&bench.conn, sql, error);
    assert!(matches!(error, GuardError::Refused(_)), "{error}");
}

#[test]
fn a_runaway_statement_ends_and_the_services_own_does_not() {
    let bench = Bench::alone();
    let endless =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
    let clock = bench.guard.clock();
    let begin = std::time::Instant::now();
    clock.set_deadline(Some(begin + std::time::Duration::from_millis(30)));
    let error = bench.run(endless).unwrap_err();
    assert!(error.to_string().contains("interrupted"), "{error}");
    bench.guard.trusted(|| {
        let sum = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT max(n) FROM c";
        let sum: i64 = bench.conn.query_row(sum, [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 100_000);
    });
}

#[test]
fn trust_ends_with_a_panic() {
    let bench = Bench::alone();
    let panic = || {
        bench
            .guard
            .trusted(|| std::panic::resume_unwind(Box::new(())))
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panic)).unwrap_err();
    assert!(bench.run("SELECT * FROM secrets").is_err());
}

#[test]
fn a_change_that_cannot_be_committed_leaves_no_transaction_open() {
    let bench = Bench::alone();
    for line in [
        "CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)",
        "CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO ext_notes_p VALUES (1)",
        "INSERT INTO ext_notes_c VALUES (1)",
    ] {
        bench.run(line).unwrap();
    }
    let snapshot = bench.snapshot();
    bench.run("DROP TABLE ext_notes_p").unwrap_err();
    assert!(bench.conn.is_autocommit());
    assert_eq!(bench.snapshot(), snapshot);
}

#[test]
fn a_statement_that_the_service_cached_is_not_the_plugins() {
    let bench = Bench::alone();
    for sql in [
        "SELECT word FROM secrets",
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema",
    ] {
        bench
            .guard
            .trusted(|| drop(bench.conn.prepare_cached(sql).unwrap()));
        for spelling in [sql.to_owned(), format!(" {sql}\n--"), format!("{sql} ;")] {
            let error = bench.run(&spelling).unwrap_err();
            assert!(
                matches!(error, GuardError::Refused(_)),
                "{spelling}: {error}"
            );
        }
    }
    let own = bench
        .guard
        .prepare(&bench.conn, "SELECT 1 -- one")
        .map(drop);
    assert!(own.is_ok());
}
