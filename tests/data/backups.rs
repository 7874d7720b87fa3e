//! Does a backup that fails leave nothing, and say what it failed for?

use std::path::Path;

use super::super::support::process::Running;
use super::damage::{FILL, overwrite};
use super::{Kept, SCHEMA, done};

/// The names in a folder, which may not be there, in their order.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_backup_that_fails_leaves_nothing() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let folder = kept.site.path("copies");
    std::fs::create_dir(&folder).unwrap();
    // No file system takes such a name, which shows once the copy is made.
    let to = folder.join("a".repeat(300));
    let to = to.to_str().unwrap();
    let backups = kept.site.path("data/faulty/db/backups");
    let fails = |host: Option<&Running>| {
        let refused = kept.refused(host, &["backup", "faulty", "--to", to]);
        assert!(refused.contains(to), "{refused}");
        let left = [files(&backups), files(&folder)].concat();
        assert!(left.is_empty(), "{left:?}");
    };
    fails(Some(&running));
    running.signal("-TERM");
    running.wait();
    fails(None);
}

#[test]
fn a_backup_of_a_damaged_database_names_that() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, FILL);
    running.signal("-TERM");
    running.wait();
    overwrite(&kept.file(), 40 * 4096, 40 * 4096);
    let to = kept.site.path("copy.db");
    let to = to.to_str().unwrap();
    let before = files(kept.site.folder.path());
    let fails = |host: Option<&Running>| {
        for arguments in [&["backup", "faulty", "--to", to][..], &["backup", "faulty"]] {
            let refused = kept.refused(host, arguments);
            let named = "data/faulty/db/data.db is damaged, and no backup is made of it: ";
            assert!(refused.contains(named), "{refused}");
            let cure = "exthost data restore faulty FILE";
            assert!(
                refused.contains(cure) && !refused.contains("copy.db"),
                "{refused}"
            );
        }
        assert_eq!(files(kept.site.folder.path()), before);
        assert!(files(&kept.site.path("data/faulty/db/backups")).is_empty());
    };
    let running = kept.site.serve(&[]);
    fails(Some(&running));
    running.signal("-TERM");
    running.wait();
    fails(None);
}
