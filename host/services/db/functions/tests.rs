//! The functions answer as SQLite's own do, and end when the clock is over.

use std::time::{Duration, Instant};

use rusqlite::types::Value;

use super::*;

const LIMIT: i32 = 16 << 20;

/// A connection with these functions, and its clock.
fn ours() -> (Connection, Arc<Clock>) {
    let conn = Connection::open_in_memory().unwrap();
    let clock = Arc::new(Clock::new());
    conn.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, LIMIT)
        .unwrap();
    install(&conn, &clock, LIMIT).unwrap();
    (conn, clock)
}

/// The bytes and the type of what a query yields, or its error.
fn answer(conn: &Connection, sql: &str, arguments: &[Value]) -> Result<String, String> {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let parameters = rusqlite::params_from_iter(arguments);
    statement
        .query_row(parameters, |row| Ok(format!("{:?}", row.get_ref(0)?)))
        .map_err(|error| error.to_string())
}

#[test]
fn they_answer_as_sqlites_own() {
    const CALLS: &[(&str, usize)] = &[
        ("SELECT instr(?1, ?2)", 2),
        ("SELECT replace(?1, ?2, ?3)", 3),
        ("SELECT trim(?1)", 1),
        ("SELECT ltrim(?1)", 1),
        ("SELECT rtrim(?1)", 1),
        ("SELECT trim(?1, ?2)", 2),
        ("SELECT ltrim(?1, ?2)", 2),
        ("SELECT rtrim(?1, ?2)", 2),
        ("SELECT ?1 LIKE ?2", 2),
        ("SELECT ?1 LIKE ?2 ESCAPE ?3", 3),
        ("SELECT ?1 GLOB ?2", 2),
        ("SELECT printf(?1, ?2, ?3)", 3),
        ("SELECT format(?1)", 1),
        ("SELECT printf()", 0),
        ("SELECT upper(?1)", 1),
        ("SELECT lower(?1)", 1),
        ("SELECT length(?1)", 1),
        ("SELECT hex(?1)", 1),
        ("SELECT quote(?1)", 1),
        ("SELECT unhex(?1)", 1),
        ("SELECT unhex(?1, ?2)", 2),
        ("SELECT soundex(?1)", 1),
        ("SELECT concat(?1, ?2, ?3)", 3),
        ("SELECT concat_ws(?1, ?2, ?3)", 3),
        ("SELECT unistr(?1)", 1),
        ("SELECT unistr_quote(?1)", 1),
        ("SELECT json_valid(?1)", 1),
        ("SELECT json_type(?1)", 1),
        ("SELECT json_array_length(?1)", 1),
        ("SELECT json_error_position(?1)", 1),
        ("SELECT json_pretty(?1)", 1),
        ("SELECT lower(CAST(?1 AS TEXT))", 1),
        ("SELECT length(CAST(?1 AS TEXT))", 1),
        ("SELECT quote(CAST(?1 AS TEXT))", 1),
        // Text of any bytes, which no parameter can be.
        ("SELECT instr(CAST(?1 AS TEXT), ?2)", 2),
        ("SELECT trim(CAST(?1 AS TEXT), CAST(?2 AS TEXT))", 2),
        ("SELECT replace(CAST(?1 AS TEXT), CAST(?2 AS TEXT), ?3)", 3),
        ("SELECT CAST(?1 AS TEXT) LIKE CAST(?2 AS TEXT)", 2),
        ("SELECT CAST(?1 AS TEXT) GLOB CAST(?2 AS TEXT)", 2),
        (
            "SELECT CAST(?1 AS TEXT) LIKE CAST(?2 AS TEXT) ESCAPE CAST(?3 AS TEXT)",
            3,
        ),
    ];
    let own = Connection::open_in_memory().unwrap();
    own.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, LIMIT)
        .unwrap();
    let (ours, _clock) = ours();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..60_000 {
        let (sql, count) = CALLS[random.usize(..CALLS.len())];
        let arguments: Vec<_> = (0..count).map(|_| value(&mut random)).collect();
        assert_eq!(
            answer(&ours, sql, &arguments),
            answer(&own, sql, &arguments),
            "{round}: {sql} {arguments:?}"
        );
    }
}

fn value(random: &mut fastrand::Rng) -> Value {
    const NUMBERS: &[f64] = &[0.0, -1.5, 1e20, 1.0, 0.1, 123456.789, f64::INFINITY];
    match random.u8(..20) {
        0 => Value::Null,
        1 => Value::Integer(random.i64(-20..20)),
        2 => Value::Real(NUMBERS[random.usize(..NUMBERS.len())]),
        3 => Value::Integer(random.i64(..)),
        4..8 => Value::Blob(bytes(random)),
        _ => Value::Text(text(random)),
    }
}

fn text(random: &mut fastrand::Rng) -> String {
    const CHARS: &[char] = &[
        'a', 'A', 'b', 'a', 'b', '%', '%', '_', '*', '*', '?', '[', ']', '^', '-', '!', ' ', 'é',
        'É', 'ſ', '€', '😀', '\0', '\\', 's', 'd', '1',
    ];
    let length = random.usize(..9);
    (0..length)
        .map(|_| CHARS[random.usize(..CHARS.len())])
        .collect()
}

fn bytes(random: &mut fastrand::Rng) -> Vec<u8> {
    const BYTES: &[u8] = &[
        b'a', b'A', b'b', b'%', b'_', b'*', b'?', b'[', b']', b'-', b'^', b' ', 0, 0x80, 0xbf,
        0xc0, 0xc3, 0xa9, 0xe0, 0xed, 0xa0, 0xf0, 0xf8, 0xfc, 0xff,
    ];
    let length = random.usize(..7);
    (0..length)
        .map(|_| BYTES[random.usize(..BYTES.len())])
        .collect()
}

#[test]
fn one_long_call_ends_soon_after_the_deadline() {
    let (conn, clock) = ours();
    // Nearly matches everywhere; a literal of its own for each side.
    let long = "a".repeat(16 << 20);
    let needle = format!("{}b", "a".repeat(8 << 20));
    let pattern = format!("%{}b%", "a".repeat(40_000));
    let set = format!("[{}b]", "c".repeat(40_000));
    let glob = format!("*{}", "*[b-z]".repeat(8_000));
    for (sql, arguments) in [
        ("SELECT instr(?1, ?2)", vec![&long, &needle]),
        ("SELECT replace(?1, ?2, 'x')", vec![&long, &needle]),
        ("SELECT ?1 LIKE ?2", vec![&long, &pattern]),
        ("SELECT ?1 GLOB ?2", vec![&long, &set]),
        ("SELECT ?1 GLOB ?2", vec![&long, &glob]),
        ("SELECT trim(?1, ?2 || 'a')", vec![&long, &set]),
    ] {
        clock.set_deadline(Some(Instant::now() + Duration::from_millis(50)));
        let mut statement = conn.prepare(sql).unwrap();
        let mut rows = statement
            .query(rusqlite::params_from_iter(arguments))
            .unwrap();
        let begin = Instant::now();
        let outcome = rows.next().map(drop);
        let took = begin.elapsed();
        // Either it was quick or it was stopped: SQLite's own take minutes.
        assert!(
            took < Duration::from_secs(30),
            "{sql}: {took:?} {outcome:?}"
        );
    }
    clock.set_deadline(Some(std::time::Instant::now()));
    for sql in [
        "SELECT printf('x')",
        "SELECT trim('x')",
        "SELECT 'x' LIKE 'x'",
    ] {
        let error = answer(&conn, sql, &[]).unwrap_err();
        assert!(error.contains("interrupted"), "{error}");
    }
}

#[test]
fn a_patch_is_json_and_bounded() {
    let (conn, _clock) = ours();
    for (sql, expected) in [
        (
            "SELECT json_array(json_patch('{\"a\":1}', '{\"b\":2}'))",
            "[{\"a\":1,\"b\":2}]",
        ),
        (
            "SELECT json(jsonb_patch('{\"a\":1}', '{\"a\":null}'))",
            "{}",
        ),
    ] {
        let json: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(json, expected);
    }
    assert!(
        answer(&conn, "SELECT json_patch('{', '{}')", &[])
            .unwrap_err()
            .contains("malformed JSON")
    );
    assert!(
        answer(&conn, "SELECT json_patch(NULL, '{}')", &[])
            .unwrap()
            .contains("Null")
    );
    let object = |letter: char, count: usize| {
        let members: Vec<_> = (0..count)
            .map(|at| format!("\"{letter}{at:07}\":1"))
            .collect();
        Value::Text(format!("{{{}}}", members.join(",")))
    };
    let most = [object('a', 7_000), object('b', 7_000)];
    assert!(answer(&conn, "SELECT json_patch(?1, ?2)", &most).is_ok());
    let over = [object('a', 20_000), object('b', 20_000)];
    let error = answer(&conn, "SELECT json_patch(?1, ?2)", &over).unwrap_err();
    assert!(error.contains("too big"), "{error}");
}

#[test]
fn an_answer_over_the_limit_is_too_big() {
    let (conn, _clock) = ours();
    let long = Value::Text("a".repeat(4 << 20));
    let error = answer(&conn, "SELECT replace(?1, 'a', 'bbbbb')", &[long]).unwrap_err();
    assert!(error.contains("too big"), "{error}");
    let error = answer(&conn, "SELECT printf('%*d', 20000000, 1)", &[]).unwrap_err();
    assert!(error.contains("too big"), "{error}");
}
