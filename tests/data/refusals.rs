//! Is what cannot be done refused by name, and nothing changed by it?

use super::super::support::exthost;
use super::super::support::server::eventually;
use super::super::support::site::{Site, text};
use super::{Kept, SCHEMA, done, query};

/// What is asked for, with `@` for the folder of the site, and how it is refused.
const REFUSED: &[(&str, &str)] = &[
    ("backup nobody", "there is no data of a plugin `nobody` in "),
    ("vacuum nobody", "`exthost data list` shows what there is"),
    (
        "remove nobody --yes",
        "there is no data of a plugin `nobody`",
    ),
    (
        "backup faulty --to @/text --force",
        "is no backup of a plugin's database, and is not replaced",
    ),
    (
        "backup faulty --to @/none/a.db",
        "No such file or directory",
    ),
    (
        "backup faulty --to @/data/here.db",
        "that is in the data directory",
    ),
    ("restore faulty @/none.db", "there is no file "),
    (
        "restore faulty @/text",
        "is no sound SQLite database: file is not a database",
    ),
    ("restore faulty @/empty", "it is empty"),
    ("restore faulty @/plugins", "that is no file"),
    ("restore faulty @/torn.db", "is no sound SQLite database"),
    (
        "restore faulty @/data/faulty/db/data.db",
        "that is the database itself",
    ),
    (
        "restore faulty @/foreign.db",
        "holds table `ext_other_items`, and what is of faulty begins with `ext_faulty_`",
    ),
    (
        "restore faulty @/hostile.db",
        "holds trigger `ext_faulty_t`",
    ),
    (
        "restore other @/faulty.db",
        "is a backup of another plugin; name one of other",
    ),
];

/// Puts files beside the sound backup that are none of the plugin's.
fn put_unfit(kept: &Kept) {
    let path = |name: &str| kept.site.path(name);
    let text = "not a database, but long enough to be read as one";
    std::fs::write(path("text"), text).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let mut torn = std::fs::read(path("faulty.db")).unwrap();
    torn.truncate(torn.len() / 2);
    std::fs::write(path("torn.db"), torn).unwrap();
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
}

#[test]
fn what_cannot_be_done_is_refused_by_name_and_changes_nothing() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    done(&running, "INSERT INTO ext_faulty_a (n) VALUES (5)");
    let backup = kept.site.path("faulty.db");
    let backup = backup.to_str().unwrap();
    kept.json(Some(&running), &["backup", "faulty", "--to", backup]);
    put_unfit(&kept);
    let folder = kept.site.folder.path().to_str().unwrap();
    for host in [Some(&running), None] {
        if host.is_none() {
            running.signal("-TERM");
            eventually("the host has ended", || {
                kept.data(None, &["list"]).status.success()
            });
        }
        for (asked, expected) in REFUSED {
            let arguments: Vec<String> = asked
                .split(' ')
                .map(|argument| argument.replace('@', folder))
                .collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let refused = kept.refused(host, &arguments);
            assert!(refused.contains(expected), "{arguments:?}: {refused}");
        }
    }
    assert_eq!(query(&kept.file(), "SELECT sum(n) FROM ext_faulty_a"), 5);
    assert!(!kept.site.path("data/other/db/data.db").exists());
    // And the larger than allowed.
    kept.site
        .write("[plugin.faulty]\nlimits.db.file_bytes_max = 4096\n");
    let large = kept.refused(None, &["restore", "faulty", backup]);
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
