//! Does work on data hold up nobody, and leave what is the host's to the host?

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use super::super::support::server::eventually;
use super::super::support::site::hang_up;
use super::{COUNT, Kept, Over, SCHEMA, counted, done, query, sql};

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
