//! Does `exthost inspect` print the same meta before and after `strip`, and of
//! libraries for other platforms?

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::support::{exthost, root, rust_plugin};

/// What `exthost inspect --json` prints of a file.
fn inspect(file: &Path) -> Value {
    let output = exthost()
        .arg("inspect")
        .arg(file)
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    printed[0].clone()
}

#[test]
fn stripping_changes_nothing_of_the_meta() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = rust_plugin("hello");
    let stripped = directory.path().join(plugin.file_name().unwrap());
    let strip = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(&plugin)
        .status();
    if !strip.is_ok_and(|status| status.success()) {
        println!("skipped: no strip");
        return;
    }
    let (before, after) = (inspect(&plugin), inspect(&stripped));
    assert_eq!(before["meta"]["name"], "hello");
    assert_eq!(before["meta"], after["meta"]);
    assert_eq!(after["loads_here"], true, "{after}");
    assert_ne!(before["hash"], after["hash"]);
}

#[test]
fn libraries_for_other_platforms_tell_theirs() {
    let mut metas = Vec::new();
    for (file, target) in [
        ("cross-linux-aarch64.so", "linux-aarch64"),
        ("cross-macos-aarch64.dylib", "macos-aarch64"),
        ("cross-macos-x86-64.dylib", "macos-x86-64"),
        ("cross-windows-x86-64.dll", "windows-x86-64"),
    ] {
        let seen = inspect(&root().join("tests/fixtures").join(file));
        assert_eq!(seen["target"], target);
        if seen["loads_here"] == false {
            assert_eq!(seen["refusal"]["code"], "wrong-target", "{seen}");
        }
        metas.push(seen["meta"].clone());
    }
    assert!(metas.iter().all(|meta| *meta == metas[0]), "{metas:?}");
}

#[test]
fn a_file_that_is_no_plugin_is_an_error_and_the_others_are_printed() {
    let hello = rust_plugin("hello");
    let output = exthost()
        .arg("inspect")
        .arg(root().join("Cargo.toml"))
        .arg(&hello)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains("not-a-library"), "{text}");
    let loads = text.lines().find(|line| line.starts_with("loads here:"));
    assert!(loads.is_some_and(|line| line.ends_with("yes")), "{text}");
}
