//! Is what is stored hidden from other users of the machine, unless the operator says
//! otherwise?

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::support::site::{Site, hang_up};
use super::{SCHEMA, done};

/// What the warning says.
const WARNING: &str = "with which every user of this machine can get at what plugins have stored";

fn mode(folder: &Path) -> u32 {
    folder.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_data_directory_is_its_owners_alone() {
    let site = Site::new("data = \"deep/data\"");
    site.put("faulty", "plugins");
    let running = site.serve(&[]);
    done(&running, SCHEMA);
    running.signal("-TERM");
    let (_, log) = running.wait();
    assert!(!log.contains(WARNING), "{log}");
    let made = site.run(&["data", "backup", "faulty"]);
    assert!(made.status.success(), "{made:?}");
    for folder in [
        "deep",
        "deep/data",
        "deep/data/faulty",
        "deep/data/faulty/db/backups",
    ] {
        assert_eq!(mode(&site.path(folder)), 0o700, "{folder}");
    }
    // The first to make it may be another command.
    let site = Site::new("");
    site.token("operator", &["host.read"]);
    assert_eq!(mode(&site.path("data")), 0o700);
}

#[test]
fn a_directory_that_is_there_stays_as_it_is_and_is_told_of_once() {
    let site = Site::new("");
    let data = site.path("data");
    std::fs::create_dir(&data).unwrap();
    site.put("faulty", "plugins");
    for (open, told) in [(0o755, 1), (0o711, 1), (0o750, 0)] {
        set_permissions(&data, Permissions::from_mode(open)).unwrap();
        let running = site.serve(&[]);
        done(&running, "CREATE TABLE IF NOT EXISTS ext_faulty_a (n)");
        hang_up(&running);
        running.signal("-TERM");
        let (_, log) = running.wait();
        assert_eq!(log.matches(WARNING).count(), told, "{log}");
        assert_eq!(log.matches("chmod 700 ").count(), told, "{log}");
        assert_eq!(
            log.matches(&format!("has mode {open:04o}")).count(),
            told,
            "{log}"
        );
        assert_eq!(mode(&data), open);
        // What is made in it is private all the same.
        assert_eq!(mode(&data.join("faulty")), 0o700);
    }
}
