//! Does a full or failing disk lose nothing, and is all well once it is?

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use super::super::support::client::Connection;
use super::super::support::process::Running;
use super::super::support::server::eventually;
use super::super::support::{count, exthost, root};
use super::{Kept, SCHEMA, done, query, sql};

/// Errors of the disk, as Linux numbers them.
const EIO: i64 = 5;
const ENOSPC: i64 = 28;

/// What a disk is to do, for the process that reads it.
struct Plan {
    file: File,
    path: PathBuf,
}

impl Plan {
    fn new(path: PathBuf) -> Self {
        let file = File::create(&path).unwrap();
        let plan = Plan { file, path };
        plan.all_well();
        plan
    }

    /// Lets `good` calls go well, and all that follow fail.
    fn fail_after(&self, good: i64, error: i64) {
        self.file.write_all_at(&error.to_ne_bytes(), 8).unwrap();
        self.file.write_all_at(&good.to_ne_bytes(), 0).unwrap();
    }

    fn all_well(&self) {
        self.file.write_all_at(&(-1_i64).to_ne_bytes(), 0).unwrap();
        self.file.write_all_at(&0_i64.to_ne_bytes(), 8).unwrap();
    }
}

/// The library that lets a disk fail; nothing, and a line that says so, where there
/// is no C compiler.
fn failing(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("failing.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler)
        .args([
            "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
        ])
        .arg(&library)
        .arg(root().join("tests/data/failing.c"))
        .arg("-ldl")
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            Some(library)
        }
        Err(error) => {
            println!("skipped: no C compiler ({error})");
            None
        }
    }
}

/// Adds `max` rows at most, and goes on for a while once one is refused. Returns
/// whether one was.
fn add(running: &Running, (round, client): (usize, usize), max: usize, kept: &Stored) -> bool {
    let mut connection = Connection::open(running.address).unwrap();
    let mut refused = 0;
    for n in 0..max {
        if refused == REFUSALS_MAX {
            break;
        }
        let id = (round * 1_000_000 + client * 10_000 + n) as i64;
        let row = format!("INSERT INTO ext_faulty_a VALUES ({id}, printf('%.*c', 3000, 'x'))");
        let path = match n % 3 {
            0 => "/api/ext/faulty/sql/transaction?end=commit",
            _ => "/api/ext/faulty/sql/script",
        };
        let response = connection.request("POST", path, &[], row.as_bytes());
        let response = response.unwrap();
        match response.status {
            200 | 204 => drop(kept.lock().unwrap().insert(id)),
            507 => {
                assert_eq!(response.code(), "quota", "{response:?}");
                refused += 1;
            }
            500 => {
                assert_eq!(response.code(), "internal", "{response:?}");
                refused += 1;
            }
            503 => assert_eq!(response.code(), "busy", "{response:?}"),
            _ => panic!("{response:?}"),
        }
    }
    refused > 0
}

/// Refusals after which a client has seen enough.
const REFUSALS_MAX: usize = 20;

/// The rows that were acknowledged.
type Stored = Mutex<BTreeSet<i64>>;

/// Waits until a row can be added again, by the plugin as it is.
fn recovers(running: &Running, id: i64, kept: &Stored) {
    eventually("rows are added again", || {
        let row = format!("INSERT INTO ext_faulty_a (n) VALUES ({id})");
        sql(running, "/script", &row).status == 204
    });
    kept.lock().unwrap().insert(id);
}

/// All that was acknowledged is there.
fn all_there(running: &Running, kept: &Stored) {
    let rows = sql(running, "", "SELECT n FROM ext_faulty_a").json();
    let rows = rows.as_array().unwrap().iter();
    let stored: BTreeSet<i64> = rows.map(|row| row["n"].as_i64().unwrap()).collect();
    let kept = kept.lock().unwrap();
    let lost: Vec<_> = kept.difference(&stored).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// Removes rows, so that the next round has space as well. That takes space first,
/// which the log may have.
fn forget(running: &Running, kept: &Stored) {
    eventually("rows are removed", || {
        sql(running, "/script", "DELETE FROM ext_faulty_a").status == 204
    });
    kept.lock().unwrap().clear();
}

#[test]
fn a_disk_that_fails_at_any_call_loses_nothing() {
    let kept = Kept::new();
    let Some(library) = failing(kept.site.folder.path()) else {
        return;
    };
    let plan = Plan::new(kept.site.path("plan"));
    let folder = kept.site.folder.path().canonicalize().unwrap();
    let serve = || {
        let mut command = exthost();
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(&folder)
            .env("LD_PRELOAD", &library)
            .env("EXTHOST_FAULT_PLAN", &plan.path)
            .env("EXTHOST_FAULT_FOLDER", folder.join("data/faulty"));
        Running::of(&mut command)
    };
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let stored = Stored::default();
    let mut running = serve();
    done(&running, SCHEMA);
    let (mut refused, mut acknowledged) = (0, 0);
    for round in 1..=count(15, 300) {
        let error = if random.bool() { EIO } else { ENOSPC };
        plan.fail_after(random.i64(0..400), error);
        let failed = thread::scope(|scope| {
            let (running, stored) = (&running, &stored);
            let clients: Vec<_> = (0..4)
                .map(|client| scope.spawn(move || add(running, (round, client), 30, stored)))
                .collect();
            clients.into_iter().any(|client| client.join().unwrap())
        });
        refused += usize::from(failed);
        plan.all_well();
        recovers(&running, (round * 1_000_000 + 999_999) as i64, &stored);
        all_there(&running, &stored);
        acknowledged += stored.lock().unwrap().len();
        if round % 10 == 0 {
            running.signal("-KILL");
            running.wait();
            assert_eq!(
                query(
                    &kept.file(),
                    "SELECT (SELECT * FROM pragma_quick_check) = 'ok'"
                ),
                1
            );
            running = serve();
            all_there(&running, &stored);
        }
        forget(&running, &stored);
    }
    assert!(refused > 0, "no call failed");
    println!("{acknowledged} acknowledged, none lost; {refused} rounds with refusals");
    let listed = kept.listed(Some(&running), "faulty");
    assert_eq!(listed["state"], "serving", "{listed}");
}

/// A small disk, gone when dropped.
struct Small(PathBuf);

impl Small {
    /// Mounts it; nothing, and a line that says so, for whoever may not.
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "none"])
            .arg(&at)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Small(at)),
            other => {
                println!("skipped: this user may mount no small disk ({other:?})");
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_well_once_there_is_space() {
    let kept = Kept::new();
    let Some(disk) = Small::mount(kept.site.path("data/faulty")) else {
        return;
    };
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let stored = Stored::default();
    let mut random = fastrand::Rng::new();
    let (rounds, mut full_rounds) = (count(5, 300), 0);
    for round in 1..=rounds {
        let filler = disk.0.join("filler");
        // Some space is left, which the plugin uses up.
        let mut file = File::create(&filler).unwrap();
        let block = vec![0; 4096];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(random.u64(0..200_000)))
            .unwrap();
        let full = thread::scope(|scope| {
            let (running, stored) = (&running, &stored);
            let clients: Vec<_> = (0..2)
                .map(|client| scope.spawn(move || add(running, (round, client), 120, stored)))
                .collect();
            clients.into_iter().any(|client| client.join().unwrap())
        });
        // What the log has taken before may be enough for a round.
        if full {
            full_rounds += 1;
            let backup = kept.refused(Some(&running), &["backup", "faulty"]);
            assert!(backup.contains("there is no space left for "), "{backup}");
        }
        all_there(&running, &stored);
        drop(file);
        std::fs::remove_file(&filler).unwrap();
        recovers(&running, (round * 1_000_000 + 999_999) as i64, &stored);
        all_there(&running, &stored);
        forget(&running, &stored);
    }
    println!("{full_rounds} of {rounds} rounds on a full disk");
    assert!(full_rounds * 4 >= rounds, "{full_rounds} of {rounds}");
    let leftovers = std::fs::read_dir(disk.0.join("db/backups")).unwrap();
    assert_eq!(leftovers.count(), 0, "a backup that failed is gone");
    drop(running);
}
