//! Does a plugin built for one version of the API do with a host of another what the
//! promise says?
//!
//! The other version is this one with one table more, `pebble/1`, as API 1.2: a host
//! and an SDK of it are built here, once.
#![cfg(target_os = "linux")]

mod pebble;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::museum;
use super::support::overlay::{Overlay, Written};
use super::support::process::Running;
use super::support::server::Server;
use super::support::{EVERY_TABLE_C, c_plugin, exercise, root, rust_plugin, shared_c_plugin};

/// The API 1.2: its SDK, and what was built with it.
fn sdk() -> &'static Written {
    static SDK: OnceLock<Written> = OnceLock::new();
    SDK.get_or_init(|| {
        let overlay = Overlay::of_sdk("next-sdk")
            .new_plugin("pebble-needed", &rust_source("needs = [routes, pebble]"))
            .new_plugin("pebble-wanted", &rust_source("wants = [pebble]"));
        pebble::in_sdk(overlay).write()
    })
}

/// The binary of a host of API 1.2.
fn next_host() -> &'static Path {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    HOST.get_or_init(|| {
        let overlay = pebble::in_host(pebble::in_sdk(Overlay::of_host("next-host")));
        overlay.write().host()
    })
}

/// A plugin of the SDK of API 1.2 that weighs pebbles, and leaves a mark when its
/// code runs.
fn rust_source(capabilities: &str) -> String {
    let source = r#"//! Weighs three pebbles, where the host can.
use exthost_plugin::prelude::*;

struct Pebbles;

impl Plugin for Pebbles {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let services = *services;
        router.get("granted", move || services.granted("pebble").to_string()).public();
        router.get("weigh", move || weigh(services)).public();
        Ok(Pebbles)
    }
}

fn weigh(services: Services) -> String {
    match services.pebble().weigh(3) {
        Ok(grams) => format!("{grams} g"),
        Err(error) => format!("{}: {}", error.code(), error.message()),
    }
}

export_plugin!(Pebbles, CAPABILITIES);

extern "C" fn mark_that_code_ran() {
    let _ = std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/mark"), "");
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = mark_that_code_ran;
"#;
    source.replace("CAPABILITIES", capabilities)
}

/// A plugin of API 1.2 and the mark that it leaves.
struct Next {
    library: PathBuf,
    mark: PathBuf,
}

impl Next {
    fn rust(name: &str) -> Self {
        let mark = sdk().mark(name);
        let library = sdk().library(name);
        Self { library, mark }.unmarked()
    }

    /// The one in C; nothing without a compiler.
    fn c(entries: &str, api: &str, directory: &Path) -> Option<Self> {
        let source = fs::read(root().join("tests/directions/pebble.c")).unwrap();
        let header = fs::read(sdk().path("plugin-api/include/exthost.h")).unwrap();
        // Beside its source, where it comes before this version's.
        fs::write(directory.join("exthost.h"), header).unwrap();
        fs::write(directory.join("pebble.c"), source).unwrap();
        let mark = directory.join("mark");
        let source = directory.join("pebble.c");
        let library = c_plugin(
            source.to_str().unwrap(),
            directory,
            &[
                &format!("-DMARK=\"{}\"", mark.display()),
                &format!("-DENTRIES={entries}"),
                &format!("-DEXTHOST_API_NEEDED=\"{api}\""),
            ],
        )?;
        Some(Self { library, mark }.unmarked())
    }

    fn unmarked(self) -> Self {
        // There is one if an earlier test, or run, has loaded it.
        let _ = fs::remove_file(&self.mark);
        self
    }

    /// Code and message with which this host refuses it, having run nothing.
    fn refused(&self) -> (String, String) {
        let server = Server::start(&[&self.library]);
        let status = server.get("/api/host/plugins").json();
        let refused = &status["refused"][0];
        assert!(!self.mark.exists(), "its code has run: {refused}");
        let text = |key: &str| refused[key].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    }
}

const NEEDS: &str = "EXTHOST_KEY(\"needs\",\"routes/1,pebble/1\")";
const WANTS: &str = "EXTHOST_KEY(\"needs\",\"routes/1\")EXTHOST_KEY(\"wants\",\"pebble/1\")";

/// A host of API 1.2 with plugins that nobody built anew.
fn in_next_host(plugins: &[&Path]) -> (Running, tempfile::TempDir) {
    let site = tempfile::tempdir().unwrap();
    let folder = site.path().join("plugins");
    fs::create_dir(&folder).unwrap();
    fs::write(site.path().join("exthost.toml"), "").unwrap();
    for plugin in plugins {
        fs::copy(plugin, folder.join(plugin.file_name().unwrap())).unwrap();
    }
    let mut command = Command::new(next_host());
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(site.path());
    (Running::of(&mut command), site)
}

fn body(running: &Running, path: &str) -> String {
    let response = running.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.text().to_owned()
}

#[test]
fn an_old_plugin_works_in_a_new_host() {
    exercise::in_host(next_host(), "every-table", &rust_plugin("every-table"));
    if let Some(library) = shared_c_plugin(EVERY_TABLE_C) {
        exercise::in_host(next_host(), "every-table-c", &library);
    }
    for (name, library) in museum::loadable() {
        exercise::in_host(next_host(), name, &library);
    }
}

#[test]
fn a_new_plugin_that_needs_what_an_old_host_lacks_is_refused_before_it_runs() {
    let (code, message) = Next::rust("pebble-needed").refused();
    assert_eq!(code, "api-too-new");
    assert!(message.contains("needs API 1.2.0"), "{message}");
    assert!(message.contains("this host offers 1.1.0"), "{message}");

    let directory = tempfile::tempdir().unwrap();
    let Some(c) = Next::c(NEEDS, "1.2.0", directory.path()) else {
        return;
    };
    assert_eq!(c.refused(), (code, message));

    // One that says nothing of the version is refused for the table.
    let c = Next::c(NEEDS, "1.0.0", directory.path()).unwrap();
    let (code, message) = c.refused();
    assert_eq!(code, "unknown-need");
    assert!(message.contains("plugin needs pebble/1"), "{message}");
    assert!(message.contains("this host with API 1.1.0"), "{message}");
}

#[test]
fn a_new_plugin_that_only_wants_it_serves_in_an_old_host() {
    let absent = "no-such-table: this host has no table pebble/1";
    let plugin = Next::rust("pebble-wanted");
    let server = Server::start(&[&plugin.library]);
    assert_eq!(server.get("/api/ext/pebble-wanted/granted").text(), "false");
    assert_eq!(server.get("/api/ext/pebble-wanted/weigh").text(), absent);
    assert!(plugin.mark.exists(), "a plugin that serves leaves its mark");

    let directory = tempfile::tempdir().unwrap();
    let Some(plugin) = Next::c(WANTS, "1.0.0", directory.path()) else {
        return;
    };
    let server = Server::start(&[&plugin.library]);
    assert_eq!(server.get("/api/ext/pebble-c/weigh").text(), absent);
    assert!(plugin.mark.exists(), "a plugin that serves leaves its mark");
}

#[test]
fn a_new_plugin_uses_the_table_in_a_new_host() {
    let needed = Next::rust("pebble-needed");
    let wanted = Next::rust("pebble-wanted");
    let directory = tempfile::tempdir().unwrap();
    let c = Next::c(NEEDS, "1.2.0", directory.path());
    let mut plugins = vec![&*needed.library, &*wanted.library];
    plugins.extend(c.iter().map(|plugin| plugin.library.as_path()));
    let (running, _site) = in_next_host(&plugins);
    for plugin in ["pebble-needed", "pebble-wanted"] {
        assert_eq!(
            body(&running, &format!("/api/ext/{plugin}/granted")),
            "true"
        );
        assert_eq!(body(&running, &format!("/api/ext/{plugin}/weigh")), "42 g");
    }
    if c.is_some() {
        assert_eq!(body(&running, "/api/ext/pebble-c/weigh"), "42 g");
    }
}
