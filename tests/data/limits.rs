//! Are limits, versions and slow statements seen from outside, and is memory bounded?

use serde_json::Value;

use super::super::support::client::Connection;
use super::{Kept, SCHEMA, counted, done, sql};

#[test]
fn operators_see_limits_and_versions() {
    let kept = Kept::with(
        "[plugin.faulty.limits.db]\nfile_bytes_max = 5_000_000\nslow_statement_ms = 1\n",
    );
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let migrated = sql(
        &running,
        "/migrate?version=2",
        "CREATE TABLE ext_faulty_b (a)",
    );
    assert_eq!(migrated.status, 200, "{migrated:?}");
    let status = kept.ask(&running, "/api/host/plugins").json();
    let database = &status["plugins"][0]["database"];
    assert_eq!(database["schema_version"], 2, "{status}");
    assert_eq!(database["damage"], Value::Null, "{status}");
    let limits = &database["limits"];
    for (limit, value) in [
        ("statement_deadline_ms", 5_000),
        ("value_bytes_max", 16_777_216),
        ("sql_bytes_max", 1_048_576),
        ("file_bytes_max", 5_000_000),
        ("readers", 4),
        ("statements_max", 10_000),
    ] {
        assert_eq!(limits[limit], value, "{limit} in {limits}");
    }
    let metrics = kept.ask(&running, "/metrics");
    for line in [
        "exthost_database_quota_bytes{plugin=\"faulty\"} 5000000",
        "exthost_database_damaged{plugin=\"faulty\"} 0",
        "exthost_database_schema_version{plugin=\"faulty\"} 2",
    ] {
        assert!(
            metrics.text().contains(line),
            "{line} in {}",
            metrics.text()
        );
    }
    // Longer than a millisecond on any machine.
    let slow = "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 300000) \
                SELECT count(*) AS n FROM n";
    assert_eq!(sql(&running, "", slow).status, 200);
    let told = kept.json(Some(&running), &["slow", "faulty"]);
    assert!(
        told.as_array()
            .unwrap()
            .iter()
            .any(|told| told["text"] == slow),
        "{told}"
    );
    assert!(
        kept.listed(Some(&running), "faulty")["slow"]
            .as_u64()
            .unwrap()
            >= 1
    );
    let other = kept.site.token("reader", &["host.read"]);
    let bearer = format!("Bearer {other}");
    let mut connection = Connection::open(running.address).unwrap();
    for (method, path, status) in [
        ("GET", "/api/host/data", 200),
        ("GET", "/api/host/data/faulty/slow", 200),
        ("POST", "/api/host/data/faulty/backup", 403),
        ("POST", "/api/host/data/faulty/restore", 403),
        ("POST", "/api/host/data/faulty/vacuum", 403),
        ("POST", "/api/host/data/faulty/remove", 403),
    ] {
        let asked = connection.request(method, path, &[("authorization", &bearer)], b"");
        assert_eq!(asked.unwrap().status, status, "{method} {path}");
    }
}

#[test]
fn a_statement_that_would_take_all_memory_fails_and_nothing_else_does() {
    let kept = Kept::with("[database]\nmemory_bytes_max = 67_108_864\n");
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (1)");
    let columns = vec!["randomblob(15000000)"; 100].join(", ");
    for _ in 0..3 {
        let refused = sql(&running, "", &format!("SELECT {columns}"));
        assert_eq!((refused.status, &*refused.code()), (413, "out-of-memory"));
        assert_eq!(counted(&running)["n"], 1);
    }
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (2)");
}
