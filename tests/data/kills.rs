//! Is there the old or the new, whenever a restoration is killed?

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::support::{count, exthost};
use super::{COUNT, Kept, SCHEMA, counted, done, sql};

/// Rows of the old and of the new, which differ.
const ROWS: [(i64, i64); 2] = [(600, 180_300), (500, 125_250)];

fn fill(rows: i64) -> String {
    format!(
        "DELETE FROM ext_faulty_a;
         WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {rows})
         INSERT INTO ext_faulty_a SELECT n, hex(randomblob(2000)) FROM n"
    )
}

#[test]
fn a_killed_restoration_leaves_the_old_or_the_new() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let backups = ["old.db", "new.db"].map(|name| kept.site.path(name));
    for (backup, (rows, _)) in backups.iter().zip(ROWS) {
        done(&running, &fill(rows));
        kept.json(
            Some(&running),
            &["backup", "faulty", "--to", backup.to_str().unwrap()],
        );
    }
    drop(running);
    let restore = |index: usize| backups[index].to_str().unwrap();
    // How long one takes that is left alone, so that kills fall on all of it.
    let begun = Instant::now();
    kept.json(None, &["restore", "faulty", restore(0)]);
    let whole = begun.elapsed();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut old, mut new) = (0, 0);
    for round in 0..count(12, 300) {
        // Every third by a host that is killed with it.
        let host = (round % 3 == 0).then(|| kept.site.serve(&[]));
        let mut command = exthost();
        command
            .args(["data", "restore", "faulty", restore(1)])
            .current_dir(kept.site.folder.path())
            .env("EXTHOST_TOKEN", &kept.token)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(host) = &host {
            command.env("EXTHOST_URL", format!("http://{}", host.address));
        }
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_micros(
            random.u64(0..=whole.as_micros() as u64),
        ));
        if let Some(host) = host {
            host.signal("-KILL");
            host.wait();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let running = kept.site.serve(&[]);
        let seen = counted(&running);
        let [(old_rows, old_sum), (new_rows, new_sum)] = ROWS;
        match seen == json!({"n": new_rows, "sum": new_sum}) {
            true => new += 1,
            false => {
                assert_eq!(
                    seen,
                    json!({"n": old_rows, "sum": old_sum}),
                    "round {round}"
                );
                old += 1;
            }
        }
        // It can be written as well, and what is restored next is whole.
        done(&running, "INSERT INTO ext_faulty_a (n) VALUES (100000)");
        kept.json(Some(&running), &["restore", "faulty", restore(0)]);
        let restored = sql(&running, "", COUNT);
        assert_eq!(
            restored.json()[0]["n"],
            old_rows,
            "round {round}: {restored:?}"
        );
    }
    println!("{old} times the old, {new} times the new");
}
