//! Does a damaged file cost its own plugin alone, and nobody a wrong row?

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::support::process::Running;
use super::super::support::server::eventually;
use super::super::support::site::hang_up;
use super::{COUNT, Kept, SCHEMA, counted, done, sql};

/// Rows that fill some hundred pages.
pub(super) const FILL: &str = "
    WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
    INSERT INTO ext_faulty_a SELECT n, hex(randomblob(500)) FROM n";

/// What happens to a file while no host has it.
type Damage = fn(&Path);

pub(super) fn overwrite(file: &Path, from: usize, bytes: usize) {
    let mut content = fs::read(file).unwrap();
    let end = content.len().min(from + bytes);
    content[from..end].fill_with(|| fastrand::u8(..));
    fs::write(file, content).unwrap();
}

fn log_of(file: &Path) -> PathBuf {
    file.with_file_name("data.db-wal")
}

/// Waits for a line of the log.
fn logged(running: &Running, line: &str) {
    eventually(line, || running.log().contains(line));
}

/// Damage that makes a file unusable.
const DAMAGE: &[(&str, Damage)] = &[
    ("the head", |file| overwrite(file, 0, 100)),
    ("pages in the middle", |file| {
        overwrite(file, 40 * 4096, 40 * 4096)
    }),
    ("random bytes", |file| overwrite(file, 0, usize::MAX / 2)),
    ("half of it", |file| {
        let half = file.metadata().unwrap().len() / 2;
        fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(half)
            .unwrap();
    }),
    ("a page and a bit", |file| {
        fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(5000)
            .unwrap();
    }),
    ("nothing of it", |file| fs::write(file, b"").unwrap()),
    ("a directory in its place", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
];

#[test]
fn a_damaged_file_is_not_used_until_it_is_restored() {
    let kept = Kept::new();
    kept.site.put("hello", "plugins");
    kept.site.put("notes", "plugins");
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, FILL);
    let backup = kept.site.path("faulty.db");
    let to = backup.to_str().unwrap();
    kept.json(Some(&running), &["backup", "faulty", "--to", to]);
    running.signal("-TERM");
    running.wait();
    for (what, damage) in DAMAGE {
        damage(&kept.file());
        let running = kept.site.serve(&[]);
        let host = Some(&running);
        for _ in 0..3 {
            let response = sql(&running, "", COUNT);
            assert_eq!(
                (response.status, response.code()),
                (500, "internal".to_owned()),
                "{what}"
            );
        }
        let written = sql(
            &running,
            "/script",
            "INSERT INTO ext_faulty_a (n) VALUES (5000)",
        );
        assert_eq!(written.status, 500, "{what}: {written:?}");
        logged(
            &running,
            "is not used any more; restore a backup with `exthost data restore faulty",
        );
        // Neither its other routes nor other plugins are concerned.
        assert_eq!(running.get("/api/ext/faulty/items/1").status, 200, "{what}");
        assert_eq!(running.get("/api/ext/hello/hello").status, 200, "{what}");
        assert_eq!(running.get("/api/ext/notes/items").status, 200, "{what}");
        let status = kept.ask(&running, "/api/host/plugins").json();
        let plugins = status["plugins"].as_array().unwrap();
        let faulty = plugins.iter().find(|plugin| plugin["name"] == "faulty");
        let told = faulty.unwrap()["database"]["damage"].as_str().unwrap();
        assert!(
            told.contains("exthost data restore faulty FILE"),
            "{what}: {told}"
        );
        let metrics = kept.ask(&running, "/metrics");
        assert!(
            metrics
                .text()
                .contains("exthost_database_damaged{plugin=\"faulty\"} 1"),
            "{what}"
        );
        assert!(
            metrics
                .text()
                .contains("exthost_database_damaged{plugin=\"notes\"} 0"),
            "{what}"
        );
        assert_eq!(kept.listed(host, "faulty")["state"], "damaged", "{what}");
        let refused = kept.refused(host, &["backup", "faulty"]);
        assert!(
            refused.contains("is damaged and is not used any more"),
            "{what}: {refused}"
        );

        let restored = kept.json(host, &["restore", "faulty", to]);
        assert_eq!(restored["was_damaged"], true, "{what}: {restored}");
        let aside = Path::new(restored["before"].as_str().unwrap());
        assert!(aside.join("data.db").exists(), "{what}: {restored}");
        assert_eq!(counted(&running)["n"], 1000, "{what}");
        done(&running, "UPDATE ext_faulty_a SET word = 'x' WHERE n = 1");
        assert_eq!(kept.listed(host, "faulty")["state"], "serving", "{what}");
        let metrics = kept.ask(&running, "/metrics");
        assert!(
            metrics
                .text()
                .contains("exthost_database_damaged{plugin=\"faulty\"} 0"),
            "{what}"
        );
        running.signal("-TERM");
        let (_, log) = running.wait();
        let told = log.matches("the database is damaged and is not used any more");
        assert_eq!(told.count(), 1, "{what}: {log}");
    }
}

#[test]
fn what_a_log_that_cannot_be_read_held_is_not_passed_over() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, FILL);
    let backup = kept.site.path("faulty.db");
    let to = backup.to_str().unwrap();
    kept.json(Some(&running), &["backup", "faulty", "--to", to]);
    running.signal("-KILL");
    running.wait();
    let log = fs::read(log_of(&kept.file())).unwrap();
    assert!(log.len() > 100_000, "what was committed is in the log");

    // The index of the log is made anew from the log.
    fs::write(
        kept.file().with_file_name("data.db-shm"),
        vec![0x5a; 32_768],
    )
    .unwrap();
    let running = kept.site.serve(&[]);
    assert_eq!(counted(&running)["n"], 1000);
    running.signal("-KILL");
    running.wait();

    let whole = fs::read(kept.file()).unwrap();
    for damage in [vec![0x5a; log.len()], [&[0; 32], &log[32..]].concat()] {
        fs::write(kept.file(), &whole).unwrap();
        fs::write(log_of(&kept.file()), damage).unwrap();
        let running = kept.site.serve(&[]);
        assert_eq!(sql(&running, "", COUNT).status, 500);
        logged(&running, "the head of its write-ahead log cannot be read");
        let restored = kept.json(Some(&running), &["restore", "faulty", to]);
        let aside = Path::new(restored["before"].as_str().unwrap());
        assert!(aside.join("data.db-wal").exists(), "{restored}");
        assert_eq!(counted(&running)["n"], 1000);
        running.signal("-KILL");
        running.wait();
    }
    // The log of a file that is gone belongs to no other.
    fs::write(log_of(&kept.file()), &log).unwrap();
    fs::remove_file(kept.file()).unwrap();
    let running = kept.site.serve(&[]);
    assert_eq!(sql(&running, "", COUNT).status, 500);
    logged(&running, "the file is gone, and its log is still there");
    assert_eq!(kept.listed(Some(&running), "faulty")["state"], "damaged");
    drop(running);
    assert_eq!(kept.listed(None, "faulty")["state"], "damaged");
    let restored = kept.json(None, &["restore", "faulty", to]);
    let aside = Path::new(restored["before"].as_str().unwrap());
    assert_eq!(fs::read(aside.join("data.db-wal")).unwrap(), log);
    let running = kept.site.serve(&[]);
    assert_eq!(counted(&running)["n"], 1000);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (100000)");
    assert_eq!(counted(&running)["n"], 1001);
}

#[test]
fn a_plugin_that_cannot_begin_for_damage_begins_once_it_is_mended() {
    let kept = Kept::new();
    kept.site.put("notes", "plugins");
    let running = kept.site.serve(&[]);
    running.signal("-TERM");
    running.wait();
    let file = kept.site.path("data/notes/db/data.db");
    overwrite(&file, 0, 4096);
    let running = kept.site.serve(&[]);
    assert_eq!(running.get("/api/ext/notes/items").status, 404);
    assert_eq!(running.get("/api/ext/faulty/items/1").status, 200);
    let listed = kept.listed(Some(&running), "notes");
    assert_eq!(listed["state"], "damaged", "{listed}");
    // Begun anew rather than restored.
    kept.json(Some(&running), &["remove", "notes", "--yes"]);
    hang_up(&running);
    eventually("it serves", || {
        running.get("/api/ext/notes/items").status == 200
    });
}

#[test]
fn a_file_that_may_not_be_read_is_read_once_it_may() {
    use std::os::unix::fs::PermissionsExt;

    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (5)");
    running.signal("-TERM");
    running.wait();
    let permit = |mode| fs::set_permissions(kept.file(), fs::Permissions::from_mode(mode)).unwrap();
    permit(0);
    if fs::File::open(kept.file()).is_ok() {
        println!("skipped: this user may read any file");
        return;
    }
    let running = kept.site.serve(&[]);
    assert_eq!(sql(&running, "", COUNT).status, 500);
    assert_eq!(running.get("/api/ext/faulty/items/1").status, 200);
    permit(0o644);
    assert_eq!(counted(&running), json!({"n": 1, "sum": 5}));
}
