//! Does the operator get back what was stored, while a host serves and while none
//! does?

/// Does a backup that fails leave nothing, and say what it failed for?
mod backups;
/// Does work on data hold up nobody, and leave what is the host's to the host?
mod beside;
/// Does a damaged file cost its own plugin alone, and nobody a wrong row?
mod damage;
/// Does a full or failing disk lose nothing, and is all well once it is?
#[cfg(target_os = "linux")]
mod disk;
/// Is there the old or the new, whenever a restoration is killed?
mod kills;
/// Are limits seen from outside, and is memory bounded?
mod limits;
/// Is what is stored hidden from other users of the machine?
mod privacy;
/// Is what is done to data without a host on record as well, or not done?
mod recorded;
/// Is what cannot be done refused by name, and nothing changed by it?
mod refusals;
/// Is it told who has a data directory, and what to do about it?
mod taken;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::support::client::Response;
use super::support::exthost;
use super::support::process::Running;
use super::support::site::{Site, text};

const SCHEMA: &str = "CREATE TABLE ext_faulty_a (n INTEGER PRIMARY KEY, word TEXT)";
const COUNT: &str = "SELECT count(*) AS n, coalesce(sum(n), 0) AS sum FROM ext_faulty_a";

/// A site with the plugin that runs any SQL, and its operator.
struct Kept {
    site: Site,
    token: String,
}

impl Kept {
    fn new() -> Self {
        Self::with("")
    }

    fn with(config: &str) -> Self {
        let site = Site::new(config);
        site.put("faulty", "plugins");
        let token = site.token("operator", &["host.read", "host.manage", "host.metrics"]);
        Kept { site, token }
    }

    /// Runs `exthost data` beside the host that serves, if one does.
    fn data(&self, running: Option<&Running>, arguments: &[&str]) -> Output {
        let mut command = exthost();
        command
            .arg("data")
            .args(arguments)
            .current_dir(self.site.folder.path())
            .env("EXTHOST_TOKEN", &self.token);
        if let Some(running) = running {
            command.env("EXTHOST_URL", format!("http://{}", running.address));
        }
        command.output().unwrap()
    }

    /// What it prints as JSON.
    fn json(&self, running: Option<&Running>, arguments: &[&str]) -> Value {
        let output = self.data(running, &[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What it says when it refuses.
    fn refused(&self, running: Option<&Running>, arguments: &[&str]) -> String {
        let output = self.data(running, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        text(&output.stderr)
    }

    /// What is listed of the plugin.
    fn listed(&self, running: Option<&Running>, plugin: &str) -> Value {
        let listed = self.json(running, &["list"]);
        let mut rows = listed.as_array().unwrap().iter();
        let row = rows.find(|row| row["plugin"] == plugin);
        row.unwrap_or_else(|| panic!("no {plugin} in {listed}"))
            .clone()
    }

    fn ask(&self, running: &Running, path: &str) -> Response {
        let bearer = format!("Bearer {}", self.token);
        running.get_with(path, &[("authorization", &bearer)])
    }

    fn file(&self) -> PathBuf {
        self.site.path("data/faulty/db/data.db")
    }
}

/// Tells threads that it is over, also when a test fails meanwhile.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sql(running: &Running, path: &str, text: &str) -> Response {
    let mut connection = super::support::client::Connection::open(running.address).unwrap();
    let path = format!("/api/ext/faulty/sql{path}");
    connection
        .request("POST", &path, &[], text.as_bytes())
        .unwrap()
}

fn done(running: &Running, text: &str) {
    let response = sql(running, "/script", text);
    assert_eq!(response.status, 204, "{text}: {response:?}");
}

fn counted(running: &Running) -> Value {
    sql(running, "", COUNT).json()[0].clone()
}

/// Reads a file that no host has.
fn query(file: &Path, sql: &str) -> i64 {
    let raw = rusqlite::Connection::open(file).unwrap();
    raw.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_was_backed_up_comes_back_while_the_plugin_serves() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    let host = Some(&running);
    done(&running, SCHEMA);
    done(
        &running,
        "INSERT INTO ext_faulty_a (n) VALUES (1), (2), (3)",
    );
    let backup = kept.site.path("faulty.db");
    let to = backup.to_str().unwrap();
    let made = kept.json(host, &["backup", "faulty", "--to", to]);
    assert_eq!(made["schema_version"], 0, "{made}");
    assert_eq!(made["bytes"], backup.metadata().unwrap().len());
    assert_eq!(query(&backup, "SELECT count(*) FROM ext_faulty_a"), 3);
    // One file, with nothing beside it.
    assert!(!kept.site.path("faulty.db-wal").exists());
    let refused = kept.refused(host, &["backup", "faulty", "--to", to]);
    assert!(
        refused.contains("is there already; name another"),
        "{refused}"
    );
    let again = kept.data(host, &["backup", "faulty", "--to", to, "--force"]);
    assert!(again.status.success(), "{again:?}");

    // A message that was on its way when the backup was made.
    let raw = rusqlite::Connection::open(&backup).unwrap();
    raw.execute_batch("INSERT INTO _exthost_outbox VALUES ('msg_a', 'a', '', x'', 0)")
        .unwrap();
    drop(raw);

    done(
        &running,
        "DELETE FROM ext_faulty_a; INSERT INTO ext_faulty_a (n) VALUES (7)",
    );
    restored_back_and_forth(&kept, &running, to);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (4)");
    assert_eq!(counted(&running), json!({"n": 4, "sum": 10}));
    assert_eq!(
        query(&kept.file(), "SELECT count(*) FROM _exthost_outbox"),
        0
    );
    let listed = kept.listed(host, "faulty");
    assert_eq!(listed["state"], "serving", "{listed}");
    // Those made before a restoration are kept to a few.
    assert_eq!(listed["backups"], 3, "{listed}");
    assert!(listed["file_bytes"].as_u64().unwrap() > 0, "{listed}");
}

/// Restores the three rows of `backup` and the one that was there, in turn; whoever
/// reads meanwhile sees either.
fn restored_back_and_forth(kept: &Kept, running: &Running, backup: &str) {
    let host = Some(running);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let seen = sql(running, "", COUNT);
                    let whole = ["[{\"n\":1,\"sum\":7}]", "[{\"n\":3,\"sum\":6}]"];
                    let sound = match seen.status {
                        200 => whole.contains(&seen.text()),
                        status => status == 503,
                    };
                    assert!(sound, "{seen:?}");
                }
            });
        }
        let _over = Over(&over);
        for _ in 0..5 {
            let restored = kept.json(host, &["restore", "faulty", backup]);
            assert_eq!(restored["was_damaged"], false);
            assert_eq!(counted(running), json!({"n": 3, "sum": 6}));
            let before = restored["before"].as_str().unwrap();
            assert_eq!(
                query(Path::new(before), "SELECT sum(n) FROM ext_faulty_a"),
                7
            );
            kept.json(host, &["restore", "faulty", before]);
            assert_eq!(counted(running), json!({"n": 1, "sum": 7}));
        }
        kept.json(host, &["restore", "faulty", backup]);
    });
}

#[test]
fn without_a_host_all_is_done_in_the_directory() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let migrated = sql(
        &running,
        "/migrate?version=3",
        "CREATE TABLE ext_faulty_b (a)",
    );
    assert_eq!(migrated.status, 200, "{migrated:?}");
    done(
        &running,
        "INSERT INTO ext_faulty_a (n) VALUES (1), (2), (3)",
    );
    running.signal("-TERM");
    running.wait();

    let listed = kept.listed(None, "faulty");
    let seen = (&listed["state"], &listed["schema_version"]);
    assert_eq!(seen, (&json!("not-serving"), &json!(3)), "{listed}");
    // One was made before the migration.
    assert_eq!(listed["backups"], 1, "{listed}");
    let table = text(&kept.data(None, &["list"]).stdout);
    assert!(
        table.contains("faulty") && table.contains("not serving"),
        "{table}"
    );
    let all = kept.site.path("all");
    std::fs::create_dir(&all).unwrap();
    let made = kept.json(None, &["backup", "--all", "--to", all.to_str().unwrap()]);
    assert_eq!(made[0]["schema_version"], 3, "{made}");
    let beside = kept.json(None, &["backup", "faulty"]);
    let name = beside["file"].as_str().unwrap();
    assert!(
        name.contains("/data/faulty/db/backups/") && name.ends_with("-v3-asked.db"),
        "{name}"
    );

    let raw = rusqlite::Connection::open(kept.file()).unwrap();
    raw.execute_batch(
        "WITH RECURSIVE n(n) AS (VALUES (10) UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
         INSERT INTO ext_faulty_a SELECT n, printf('%.*c', 900, 'x') FROM n;
         DELETE FROM ext_faulty_a",
    )
    .unwrap();
    drop(raw);
    let vacuumed = kept.json(None, &["vacuum", "faulty"]);
    let bytes = |key: &str| vacuumed[key].as_u64().unwrap();
    assert!(
        bytes("bytes_after") * 10 < bytes("bytes_before"),
        "{vacuumed}"
    );
    assert_eq!(kept.file().metadata().unwrap().len(), bytes("bytes_after"));

    let backup = all.join("faulty.db");
    kept.json(None, &["restore", "faulty", backup.to_str().unwrap()]);
    let running = kept.site.serve(&[]);
    assert_eq!(counted(&running), json!({"n": 3, "sum": 6}));
    drop(running);
    kept.json(None, &["remove", "faulty", "--yes"]);
    assert!(!kept.site.path("data/faulty").exists());
    assert_eq!(kept.json(None, &["list"]), json!([]));
    // Onto another machine.
    kept.json(None, &["restore", "faulty", backup.to_str().unwrap()]);
    let running = kept.site.serve(&[]);
    assert_eq!(counted(&running), json!({"n": 3, "sum": 6}));
}
