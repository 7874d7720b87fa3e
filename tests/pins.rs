//! With `locked = true`, is nothing loaded but what was agreed to, byte for byte,
//! and with no more than was agreed to?

mod tampering;

use std::path::{Path, PathBuf};

use exthost::pins::{LOCK_FILE, Pins};
use serde_json::Value;

use super::support::process::Running;
use super::support::server::eventually;
use super::support::site::{Site, hang_up, text};
use super::support::{HELLO_C, c_plugin, shared_c_plugin};

const VERSIONED_C: &str = "tests/plugins/versioned.c";

/// `versioned` in one version, with what it needs and wants; nothing without a C
/// compiler.
fn versioned(folder: &Path, version: &str, needs: &str, wants: &str) -> Option<PathBuf> {
    let folder = folder.join(version);
    std::fs::create_dir_all(&folder).unwrap();
    let define = |name: &str, value: &str| format!("-D{name}=\"{value}\"");
    let arguments = [
        define("VERSION", version),
        define("NEEDS", needs),
        define("WANTS", wants),
        "-s".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    c_plugin(VERSIONED_C, &folder, &arguments)
}

fn version_of(running: &Running) -> (u16, String) {
    let response = running.get("/api/ext/versioned/version");
    (response.status, response.text().to_owned())
}

/// What `exthost pin` prints, with its exit code.
fn pin(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let output = site.run(&[&["pin"], arguments].concat());
    (output.status.code(), text(&output.stdout))
}

#[test]
fn nothing_is_loaded_but_what_was_agreed_to() {
    let site = Site::new("[plugins]\nlocked = true\n");
    let builds = tempfile::tempdir().unwrap();
    let Some(first) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let hello = shared_c_plugin(HELLO_C).unwrap();
    site.put_file(&first, "plugins");
    assert_eq!(
        pin(&site, &[]),
        (
            Some(0),
            "+  versioned 1.0.0  may use log/1, routes/1\n".to_owned()
        )
    );
    assert_eq!(pin(&site, &["--check"]).0, Some(0));
    let other = site.put_file(&hello, "plugins");
    assert_eq!(pin(&site, &["--check"]).0, Some(1));
    let running = site.serve(&[]);
    assert_eq!(version_of(&running), (200, "1.0.0".to_owned()));
    let said = running.said();
    assert!(
        said.contains("plugin hello-c 1.0.0 is not in exthost.lock"),
        "{said}"
    );
    std::fs::remove_file(other).unwrap();

    // A later version that needs more: the old one goes on until that is agreed to.
    let second = versioned(builds.path(), "2.0.0", "routes/1,webhooks/1", "log/1,db/1").unwrap();
    site.put_file(&second, "plugins");
    hang_up(&running);
    assert_eq!(version_of(&running).1, "1.0.0");
    let said = running.said();
    assert!(said.contains("pin-differs"), "{said}");
    let cure = "exthost pin versioned --grant webhooks/1";
    assert!(said.contains(cure), "{said}");
    let (code, printed) = pin(&site, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        printed,
        format!(
            "no versioned 2.0.0 needs webhooks/1, exthost.lock grants it log/1, routes/1; to \
             agree: {cure}\n"
        )
    );
    hang_up(&running);
    assert_eq!(version_of(&running).1, "1.0.0");
    let (code, printed) = pin(&site, &["versioned", "--grant", "webhooks/1"]);
    assert_eq!(
        (code, &*printed),
        (
            Some(0),
            "~  versioned 1.0.0 -> 2.0.0  may use log/1, routes/1, webhooks/1; not db/1, which it \
             wants\n"
        )
    );
    hang_up(&running);
    assert_eq!(version_of(&running).1, "2.0.0");

    // What it only wants is agreed to as well, or taken away, for the same file.
    assert_eq!(pin(&site, &["versioned", "--grant", "db/1"]).0, Some(0));
    let reloaded = || running.said().matches("versioned").count();
    let before = reloaded();
    hang_up(&running);
    assert!(reloaded() > before, "{}", running.said());

    // Its pin gone, it goes too.
    Pins::default().write(&site.path(LOCK_FILE)).unwrap();
    hang_up(&running);
    assert_eq!(version_of(&running).0, 404);
}

#[test]
fn of_two_files_the_pinned_one_counts_and_the_other_is_told_how_to_win() {
    let site = Site::new("[plugins]\nlocked = true\n");
    let builds = tempfile::tempdir().unwrap();
    let Some(first) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let second = versioned(builds.path(), "1.1.0", "routes/1", "log/1").unwrap();
    let put = |file: &Path, name: &str| {
        std::fs::copy(file, site.path("plugins").join(name)).unwrap();
    };
    put(&first, "m.so");
    assert_eq!(pin(&site, &[]).0, Some(0));
    let checked = || text(&site.run(&["config", "check"]).stdout);

    // After the pinned one, only its removal helps.
    put(&second, "z.so");
    let printed = checked();
    assert!(printed.contains("ok  versioned 1.0.0"), "{printed}");
    assert!(printed.contains("no  duplicate-name"), "{printed}");
    std::fs::remove_file(site.path("plugins/z.so")).unwrap();

    // Before it, an agreement does.
    put(&second, "a.so");
    let printed = checked();
    assert!(printed.contains("ok  versioned 1.0.0"), "{printed}");
    assert!(printed.contains("no  pin-differs"), "{printed}");
    assert_eq!(pin(&site, &["versioned"]).0, Some(0));
    let printed = checked();
    assert!(printed.contains("ok  versioned 1.1.0"), "{printed}");
    assert!(printed.contains("no  duplicate-name"), "{printed}");
}

#[test]
fn a_lock_that_cannot_be_used_changes_nothing() {
    let site = Site::new("[plugins]\nlocked = true\n");
    let builds = tempfile::tempdir().unwrap();
    let Some(first) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    site.put_file(&first, "plugins");
    let refused = site.run(&["serve", "--listen", "127.0.0.1:0"]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("exthost.lock cannot be read"), "{said}");
    assert!(said.contains("write it with exthost pin"), "{said}");

    assert_eq!(pin(&site, &[]).0, Some(0));
    let running = site.serve(&[]);
    std::fs::write(site.path(LOCK_FILE), "[plugin.versioned]\nhash = 'x'\n").unwrap();
    running.signal("-HUP");
    eventually("the error is told", || {
        running
            .log()
            .contains("exthost.lock:2:8: `x` is not the hash")
    });
    assert_eq!(version_of(&running).1, "1.0.0");
    let output = site.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("exthost.lock:2:8"),
        "{output:?}"
    );
}

#[test]
fn a_plugin_that_cannot_be_pinned_says_why() {
    let site = Site::new("");
    let unknown = "no versioned: there is no such plugin\n".to_owned();
    assert_eq!(pin(&site, &["versioned"]), (Some(1), unknown.clone()));
    assert!(!site.path(LOCK_FILE).exists());
    let builds = tempfile::tempdir().unwrap();
    let Some(file) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let there = site.put_file(&file, "plugins");
    site.write("[plugin.versioned]\nenabled = false\n");
    let (code, printed) = pin(&site, &["versioned"]);
    assert_eq!(code, Some(1));
    assert!(
        printed.starts_with("no versioned is disabled: enabled = false in [plugin.versioned]"),
        "{printed}"
    );
    assert!(!site.path(LOCK_FILE).exists());

    // The file may be the one that was meant.
    site.write("");
    std::fs::write(&there, "no library").unwrap();
    let output = site.run(&["pin", "versioned"]);
    assert_eq!(text(&output.stdout), unknown);
    assert!(text(&output.stderr).contains("not-a-library"), "{output:?}");
}

#[test]
fn a_pin_may_grant_less_than_the_plugin_needs() {
    let site = Site::new("");
    let builds = tempfile::tempdir().unwrap();
    let Some(file) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    site.put_file(&file, "plugins");
    assert_eq!(pin(&site, &[]).0, Some(0));
    let lock = std::fs::read_to_string(site.path(LOCK_FILE)).unwrap();
    let less = lock.replace(", \"routes/1\"", "");
    assert_ne!(lock, less);
    std::fs::write(site.path(LOCK_FILE), less).unwrap();
    let running = site.serve(&["--locked"]);
    let said = running.said();
    assert!(said.contains("not-granted"), "{said}");
    assert!(
        said.contains(
            "needs routes/1, exthost.lock grants it log/1; agree to it with exthost pin versioned \
             --grant routes/1"
        ),
        "{said}"
    );
    drop(running);
    // Without the switch the lock counts for nothing.
    let running = site.serve(&[]);
    assert_eq!(version_of(&running).0, 200);
}

#[test]
fn what_is_pinned_is_told_as_json_and_kept_while_files_cannot_be_read() {
    let site = Site::new("");
    let builds = tempfile::tempdir().unwrap();
    let Some(file) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let there = site.put_file(&file, "plugins");
    let (_, printed) = pin(&site, &["--json"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["locked"], false);
    assert_eq!(printed["plugins"][0]["name"], "versioned");
    assert_eq!(printed["plugins"][0]["change"], "new");
    assert_eq!(printed["plugins"][0]["grants"][1], "routes/1");

    // A file that is refused may be the one of any pin.
    std::fs::write(&there, "no library").unwrap();
    assert_eq!(pin(&site, &[]), (Some(1), String::new()));
    assert!(
        Pins::read(&site.path(LOCK_FILE), None)
            .unwrap()
            .of("versioned")
            .is_some()
    );
    std::fs::remove_file(&there).unwrap();
    let gone = "-  versioned: its file is gone\n".to_owned();
    assert_eq!(pin(&site, &[]), (Some(0), gone));
    let unknown = "no versioned: there is no such plugin\n".to_owned();
    assert_eq!(pin(&site, &["versioned"]), (Some(1), unknown));
}
