//! Does `exthost dev` serve what was saved, and go on with the last good version
//! when that does not build?

use std::path::Path;

use super::support::process::Running;
use super::support::server::eventually;
use super::support::{HELLO_C, root, shared_c_plugin};

/// The folder of a copy of the C sample; nothing where it cannot be built.
fn sample(directory: &Path) -> Option<std::path::PathBuf> {
    shared_c_plugin(HELLO_C)?;
    if std::process::Command::new("make")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: no make");
        return None;
    }
    let folder = directory.join("plugins/hello-c");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["hello-c.c", "Makefile"] {
        std::fs::copy(root().join("plugins/hello-c").join(file), folder.join(file)).unwrap();
    }
    Some(folder)
}

#[test]
fn what_is_saved_is_served() {
    // What make is told of lies in it, and a space ends a word for make.
    let directory = tempfile::Builder::new().prefix("a folder ").tempdir();
    let directory = directory.unwrap();
    let Some(folder) = sample(directory.path()) else {
        return;
    };
    let running = Running::start(directory.path());
    let greeting = || running.get("/api/ext/hello-c/hello").text().to_owned();
    assert_eq!(greeting(), r#"{"message":"hello world"}"#);

    let source = std::fs::read_to_string(folder.join("hello-c.c")).unwrap();
    let saved = source.replace(r#"{\"message\":\"hello "#, r#"{\"message\":\"good day "#);
    assert_ne!(saved, source);
    std::fs::write(folder.join("hello-c.c"), &saved).unwrap();
    eventually("the change is served", || greeting().contains("good day"));

    std::fs::write(folder.join("hello-c.c"), "this is no C").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(
        greeting().contains("good day"),
        "the last good version was given up"
    );

    std::fs::write(folder.join("hello-c.c"), &source).unwrap();
    eventually("the mended source is served", || {
        greeting().contains("hello world")
    });
    let status = running.get("/api/host/plugins").json();
    assert_eq!(status["plugins"][0]["generation"], 3, "{status}");
}

#[test]
fn a_new_project_is_picked_up() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("plugins")).unwrap();
    let running = Running::start(directory.path());
    assert_eq!(running.get("/api/ext/hello-c/hello").status, 404);
    if sample(directory.path()).is_none() {
        return;
    }
    eventually("the new plugin serves", || {
        running.get("/api/ext/hello-c/hello").status == 200
    });
}
