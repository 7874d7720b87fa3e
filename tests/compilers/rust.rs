//! Rust: other versions of the compiler, other profiles, other dependencies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::overlay::{Overlay, Written, cargo, library_name};
use crate::support::server::Server;
use crate::support::{count, exercise, root};

/// The plugin that is built, of this repository.
const PLUGIN: &str = "every-table";

/// The SDK with the plugins that are built.
fn sdk() -> &'static Written {
    static SDK: OnceLock<Written> = OnceLock::new();
    SDK.get_or_init(|| {
        let overlay = Overlay::of_sdk("compilers").plugin("tests/plugins/every-table");
        overlay.marked_plugin("aborting").write()
    })
}

/// A compiler that is not the one that built this host.
struct Rustc {
    path: PathBuf,
    version: String,
}

/// The other compilers that answer here, the oldest that plugins may use first.
fn others() -> Vec<Rustc> {
    let toolchains = ["1.85.0", "nightly"].map(|toolchain| {
        let output = Command::new("rustup")
            .args(["which", "rustc", "--toolchain", toolchain])
            .output();
        let path = output.ok().filter(|output| output.status.success())?;
        Some(PathBuf::from(String::from_utf8(path.stdout).ok()?.trim()))
    });
    let [oldest, nightly] = toolchains;
    let distributions = Some(PathBuf::from("/usr/bin/rustc"));
    let own = version(Path::new("rustc"));
    let mut found: Vec<Rustc> = Vec::new();
    for path in [oldest, distributions, nightly].into_iter().flatten() {
        let Some(version) = version(&path) else {
            continue;
        };
        let known = found.iter().any(|other| other.version == version);
        if !known && Some(&version) != own.as_ref() {
            found.push(Rustc { path, version });
        }
    }
    if found.is_empty() {
        println!("skipped: no other rustc");
    }
    found
}

fn version(rustc: &Path) -> Option<String> {
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// Settings of the profile: cargo's keys after `CARGO_PROFILE_DEV_`, with values.
type Profile = [(&'static str, &'static str)];

/// Builds `plugin` in a folder of its own.
fn build(plugin: &str, apart: &str, rustc: Option<&Path>, profile: &Profile) -> PathBuf {
    sdk().library_apart(plugin, apart, |command| {
        // Nobody debugs these.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        for (key, value) in profile {
            command.env(format!("CARGO_PROFILE_DEV_{key}"), value);
        }
        match rustc {
            Some(rustc) => command.env("RUSTC", rustc),
            None => command,
        }
    })
}

#[test]
fn another_rustc_makes_plugins_that_work() {
    for (at, other) in others().iter().enumerate().take(count(2, usize::MAX)) {
        println!("{}", other.version);
        let plain: &Profile = &[];
        let optimised: &Profile = &[("OPT_LEVEL", "2"), ("DEBUG_ASSERTIONS", "false")];
        // Each compiler in one way, the next in the other; all in both if there is time.
        let mut profiles = [plain, optimised];
        profiles.rotate_left(at % 2);
        for (nth, profile) in profiles.iter().enumerate().take(count(1, 2)) {
            let apart = format!("rustc-{at}-{nth}");
            let library = build(PLUGIN, &apart, Some(&other.path), profile);
            exercise::in_process(PLUGIN, &library);
        }
    }
}

#[test]
fn another_profile_makes_plugins_that_work() {
    let profiles: [(&str, &Profile); 6] = [
        (
            "small",
            &[
                ("OPT_LEVEL", "s"),
                ("LTO", "fat"),
                ("CODEGEN_UNITS", "1"),
                ("DEBUG_ASSERTIONS", "false"),
                ("OVERFLOW_CHECKS", "false"),
                ("STRIP", "symbols"),
            ],
        ),
        ("thin", &[("OPT_LEVEL", "2"), ("LTO", "thin")]),
        ("split", &[("OPT_LEVEL", "1"), ("CODEGEN_UNITS", "256")]),
        (
            "checked",
            &[("OPT_LEVEL", "3"), ("OVERFLOW_CHECKS", "true")],
        ),
        (
            "assertive",
            &[("OPT_LEVEL", "z"), ("DEBUG_ASSERTIONS", "true")],
        ),
        ("stripped", &[("OPT_LEVEL", "0"), ("STRIP", "debuginfo")]),
    ];
    for (name, profile) in profiles.iter().take(count(1, 6)) {
        println!("{name}: {profile:?}");
        let library = build(PLUGIN, &format!("profile-{name}"), None, profile);
        exercise::in_process(PLUGIN, &library);
    }
}

#[test]
fn a_plugin_whose_panics_abort_is_refused_before_it_runs() {
    let library = build("aborting", "aborting", None, &[("PANIC", "abort")]);
    let mark = sdk().mark("aborting");
    // There is one if an earlier run has loaded it.
    let _ = fs::remove_file(&mark);
    let server = Server::start(&[&library]);
    let status = server.get("/api/host/plugins").json();
    let refused = &status["refused"][0];
    assert_eq!(refused["code"], "panic-abort", "{status}");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("aborting"), "{message}");
    assert!(!mark.exists(), "its code has run");
}

#[test]
fn a_plugin_brings_its_own_versions_of_serde_and_tokio() {
    let folder = root().join("tests/plugins/other-versions");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-versions");
    let manifest = folder.join("Cargo.toml");
    let run = |arguments: &[&str]| {
        let mut command = cargo();
        command
            .args(arguments)
            .arg("--locked")
            .arg("--manifest-path");
        command.arg(&manifest).status().unwrap().success()
    };
    if !run(&["fetch", "--quiet"]) {
        println!("skipped: the registry did not answer");
        return;
    }
    let target_dir = target.to_str().unwrap();
    assert!(run(&["build", "--quiet", "--target-dir", target_dir]));

    let library = target.join("debug").join(library_name("other-versions"));
    let server = Server::start(&[&library]);
    let path = "/api/ext/other-versions/ask";
    let json = [("content-type", "application/json")];
    for name in ["Ada", "Grace"] {
        let body = format!("{{\"name\":\"{name}\"}}");
        let answer = server.request("POST", path, &json, body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let expected = format!("{{\"message\":\"hello {name}\",\"thread\":\"own-runtime\"}}");
        assert_eq!(answer.text(), expected);
    }
}
