//! Does the operator get back what was stored, while a host serves and while none
//! does?

/// Does a backup that fails leave nothing, and say what it failed for?
mod backups;
/// Does a damaged file cost its own plugin alone, and nobody a wrong row?
#[cfg(unix)]
mod damage;
/// Does a full or failing disk lose nothing, and is all well once it is?
#[cfg(target_os = "linux")]
mod disk;
/// Is there the old or the new, whenever a restoration is killed?
#[cfg(unix)]
mod kills;
/// Are limits seen from outside, and is memory bounded?
mod limits;
/// Is what is stored hidden from other users of the machine?
mod privacy;
/// Is what is done to data without a host on record as well, or not done?
mod recorded;
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
use super::support::server::eventually;
use super::support::site::{Site, hang_up, text};

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
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (over, running) = (&over, &running);
        for _ in 0..4 {
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let seen = sql(running, "", COUNT);
                    let seen = (seen.status, seen.text().to_owned());
                    let whole = ["[{\"n\":1,\"sum\":7}]", "[{\"n\":3,\"sum\":6}]"];
                    let sound = seen.0 == 503 || seen.0 == 200 && whole.contains(&&*seen.1);
                    assert!(sound, "{seen:?}");
                }
            });
        }
        let _over = Over(over);
        for _ in 0..5 {
            let restored = kept.json(host, &["restore", "faulty", to]);
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
        kept.json(host, &["restore", "faulty", to]);
    });
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

#[cfg(unix)]
#[test]
fn what_root_does_beside_the_host_stays_that_of_its_user() {
    use std::os::unix::fs::{MetadataExt, chown};

    const USER: u32 = 65_534;
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    running.signal("-TERM");
    running.wait();
    let own = |path: &Path| path.metadata().unwrap().uid();
    let db = kept.site.path("data/faulty/db");
    let files = [kept.site.path("data"), kept.site.path("data/faulty")];
    for path in files.iter().chain([&db, &kept.file()]) {
        if chown(path, Some(USER), Some(USER)).is_err() {
            println!("skipped: this user may give nothing away");
            return;
        }
    }
    std::fs::remove_file(kept.site.path("data/host.lock")).unwrap();
    let backup = kept.site.path("faulty.db");
    let to = backup.to_str().unwrap();
    kept.json(None, &["backup", "faulty", "--to", to]);
    for made in ["data/host.lock", "data/audit.db", "data/audit.key"] {
        assert_eq!(own(&kept.site.path(made)), USER, "{made}");
    }
    assert_eq!(own(&backup), own(kept.site.folder.path()));
    let beside = kept.json(None, &["backup", "faulty"]);
    let restored = kept.json(None, &["restore", "faulty", to]);
    let made = [&beside["file"], &restored["before"]].map(|file| file.as_str().unwrap());
    let made = [Path::new(made[0]), Path::new(made[1]), &db.join("backups")];
    for path in made.into_iter().chain([&*kept.file()]) {
        assert_eq!(own(path), USER, "{}", path.display());
    }
    kept.json(None, &["remove", "faulty", "--yes"]);
    kept.json(None, &["restore", "faulty", to]);
    for path in [&files[1], &db, &kept.file()] {
        assert_eq!(own(path), USER, "{}", path.display());
    }
}

#[test]
fn a_backup_is_of_one_moment_and_holds_up_nobody() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (over, running) = (&over, &running);
        scope.spawn(move || {
            // What is added in pairs is there in pairs.
            let mut n = 0;
            while !over.load(Ordering::Relaxed) {
                n += 2;
                let (one, two) = (n, n + 1);
                let pair = format!(
                    "INSERT INTO ext_faulty_a VALUES ({one}, printf('%.*c', 2000, 'x')); \
                     INSERT INTO ext_faulty_a VALUES ({two}, printf('%.*c', 2000, 'y'))"
                );
                let added = sql(running, "/transaction?end=commit", &pair);
                assert_eq!(added.status, 200, "{added:?}");
            }
        });
        let _over = Over(over);
        for n in 0..10 {
            let to = kept.site.path(&format!("{n}.db"));
            kept.json(
                Some(running),
                &["backup", "faulty", "--to", to.to_str().unwrap()],
            );
            let rows = query(&to, "SELECT count(*) FROM ext_faulty_a");
            assert_eq!(rows % 2, 0, "half a pair in backup {n}");
        }
    });
}

#[test]
fn a_database_is_rebuilt_and_removed_beside_those_who_serve() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    let host = Some(&running);
    done(&running, SCHEMA);
    done(
        &running,
        "WITH RECURSIVE n(n) AS (VALUES (10) UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
         INSERT INTO ext_faulty_a SELECT n, printf('%.*c', 900, 'x') FROM n;
         DELETE FROM ext_faulty_a WHERE n > 10",
    );
    let vacuumed = kept.json(host, &["vacuum", "faulty"]);
    let bytes = |key: &str| vacuumed[key].as_u64().unwrap();
    assert!(
        bytes("bytes_after") * 10 < bytes("bytes_before"),
        "{vacuumed}"
    );
    assert_eq!(counted(&running), json!({"n": 1, "sum": 10}));

    let refused = kept.refused(host, &["remove", "faulty", "--yes"]);
    assert!(
        refused.contains("faulty is serving; set `enabled = false` in [plugin.faulty]"),
        "{refused}"
    );
    let nobody = kept.refused(host, &["remove", "faulty"]);
    assert!(nobody.contains("say --yes"), "{nobody}");
    kept.site.write("[plugin.faulty]\nenabled = false\n");
    hang_up(&running);
    eventually("the plugin has gone", || {
        sql(&running, "", "SELECT 1").status == 404
    });
    kept.json(host, &["remove", "faulty", "--yes"]);
    assert!(!kept.site.path("data/faulty").exists());
    kept.site.write("");
    hang_up(&running);
    eventually("the plugin is back", || {
        sql(&running, "", "SELECT 1").status == 200
    });
    let empty = sql(&running, "", COUNT);
    assert_eq!(empty.status, 500, "{empty:?}");
}

#[test]
fn what_cannot_be_done_is_refused_by_name_and_changes_nothing() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (5)");
    let path = |name: &str| kept.site.path(name).to_str().unwrap().to_owned();
    let backup = path("faulty.db");
    kept.json(Some(&running), &["backup", "faulty", "--to", &backup]);
    std::fs::write(
        path("text"),
        "not a database, but long enough to be read as one",
    )
    .unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let foreign = rusqlite::Connection::open(path("foreign.db")).unwrap();
    foreign
        .execute_batch("CREATE TABLE ext_other_items (a)")
        .unwrap();
    let hostile = rusqlite::Connection::open(path("hostile.db")).unwrap();
    hostile
        .execute_batch(
            "CREATE TABLE ext_faulty_a (n);
             CREATE TABLE _exthost_outbox (id, event_type, content_type, payload, created_ms);
             CREATE TRIGGER ext_faulty_t AFTER INSERT ON _exthost_outbox
             BEGIN DELETE FROM ext_faulty_a; END",
        )
        .unwrap();
    let mut torn = std::fs::read(&backup).unwrap();
    torn.truncate(torn.len() / 2);
    std::fs::write(path("torn.db"), torn).unwrap();
    let inside = path("data/here.db");
    for host in [Some(&running), None] {
        if host.is_none() {
            running.signal("-TERM");
            eventually("the host has ended", || {
                kept.data(None, &["list"]).status.success()
            });
        }
        for (arguments, expected) in [
            (
                vec!["backup", "nobody"],
                "there is no data of a plugin `nobody` in ",
            ),
            (
                vec!["vacuum", "nobody"],
                "`exthost data list` shows what there is",
            ),
            (
                vec!["remove", "nobody", "--yes"],
                "there is no data of a plugin `nobody`",
            ),
            (
                vec!["backup", "faulty", "--to", &path("text"), "--force"],
                "is no backup of a plugin's database, and is not replaced",
            ),
            (
                vec!["backup", "faulty", "--to", &path("none/a.db")],
                "No such file or directory",
            ),
            (
                vec!["backup", "faulty", "--to", &inside],
                "that is in the data directory",
            ),
            (
                vec!["restore", "faulty", &path("none.db")],
                "there is no file ",
            ),
            (
                vec!["restore", "faulty", &path("text")],
                "is no sound SQLite database: file is not a database",
            ),
            (vec!["restore", "faulty", &path("empty")], "it is empty"),
            (
                vec!["restore", "faulty", &path("plugins")],
                "that is no file",
            ),
            (
                vec!["restore", "faulty", &path("torn.db")],
                "is no sound SQLite database",
            ),
            (
                vec!["restore", "faulty", &path("data/faulty/db/data.db")],
                "that is the database itself",
            ),
            (
                vec!["restore", "faulty", &path("foreign.db")],
                "holds table `ext_other_items`, and what is of faulty begins with `ext_faulty_`",
            ),
            (
                vec!["restore", "faulty", &path("hostile.db")],
                "holds trigger `ext_faulty_t`",
            ),
            (
                vec!["restore", "other", &backup],
                "is a backup of another plugin; name one of other",
            ),
        ] {
            let refused = kept.refused(host, &arguments);
            assert!(refused.contains(expected), "{arguments:?}: {refused}");
        }
    }
    assert_eq!(query(&kept.file(), "SELECT sum(n) FROM ext_faulty_a"), 5);
    assert!(!kept.site.path("data/other/db/data.db").exists());
    // And the larger than allowed.
    kept.site
        .write("[plugin.faulty]\nlimits.db.file_bytes_max = 4096\n");
    let large = kept.refused(None, &["restore", "faulty", &backup]);
    assert!(
        large.contains("may have 4096; raise db.file_bytes_max"),
        "{large}"
    );
}

#[test]
fn the_host_that_has_the_directory_is_asked_and_no_other() {
    let (one, other) = (Kept::new(), Kept::new());
    let (running, elsewhere) = (one.site.serve(&[]), other.site.serve(&[]));
    done(&running, SCHEMA);
    let wrong = one.refused(Some(&elsewhere), &["vacuum", "faulty"]);
    // It knows the operators of its own directory alone.
    assert!(wrong.contains("is in use by process "), "{wrong}");
    let mut command = exthost();
    let crossed = command
        .args(["data", "remove", "faulty", "--yes"])
        .current_dir(one.site.folder.path())
        .env("EXTHOST_TOKEN", &other.token)
        .env("EXTHOST_URL", format!("http://{}", elsewhere.address))
        .output()
        .unwrap();
    let said = text(&crossed.stderr);
    assert!(
        said.contains("has another one") && said.contains("--url"),
        "{said}"
    );
    // Without a directory at hand, the host that is named.
    let away = Site::new("");
    let listed = exthost()
        .args(["data", "list"])
        .current_dir(away.folder.path())
        .env("EXTHOST_TOKEN", &one.token)
        .env("EXTHOST_URL", format!("http://{}", running.address))
        .output()
        .unwrap();
    assert!(text(&listed.stdout).contains("faulty"), "{listed:?}");
    let nobody = one.data(None, &["list"]);
    assert!(!nobody.status.success(), "{nobody:?}");
}
