//! Is a plugin refused whose tables are not those that were published?
//!
//! The first lock compares fingerprints, in the file; the second compares layouts,
//! where an altered crate kept its fingerprints. Each plugin here leaves a mark when
//! its code runs.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use super::support::overlay::Overlay;
use super::support::server::Server;
use super::support::{FAULTY_C, c_plugin, root};

/// A plugin of an SDK that was altered.
struct Altered {
    library: PathBuf,
    mark: PathBuf,
}

impl Altered {
    fn build(name: &str, alter: impl FnOnce(Overlay) -> Overlay) -> Self {
        let name = format!("altered-{name}");
        let written = alter(Overlay::of_sdk(&name).marked_plugin(&name)).write();
        Altered {
            library: written.library(&name),
            mark: written.mark(&name),
        }
    }

    /// How this host refuses it.
    fn refused(&self) -> Refused {
        refused(&self.library, &self.mark)
    }
}

/// How a host refused a plugin.
#[derive(Debug)]
struct Refused {
    code: String,
    message: String,
    /// Whether any of its code has run.
    ran: bool,
}

fn refused(library: &Path, mark: &Path) -> Refused {
    // There is one if an earlier run has loaded it.
    let _ = fs::remove_file(mark);
    let server = Server::start(&[library]);
    let status = server.get("/api/host/plugins").json();
    let refused = &status["refused"][0];
    let text = |key: &str| match refused[key].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("it was not refused: {status}"),
    };
    Refused {
        code: text("code"),
        message: text("message"),
        ran: mark.exists(),
    }
}

#[test]
fn a_table_that_was_altered_is_refused_from_the_file() {
    let altered = Altered::build("in-sight", |overlay| {
        let fingerprint = "plugin-api/abi/src/fingerprint.rs";
        another_slot(overlay)
            .edit(
                fingerprint,
                "(\"broadcast/1\", \"77e912b8f78a359b\")",
                "(\"broadcast/1\", \"77e912b8f78a359c\")",
            )
            .edit(
                fingerprint,
                "broadcast/1=77e912b8f78a359b",
                "broadcast/1=77e912b8f78a359c",
            )
    });
    let refused = altered.refused();
    assert_eq!(refused.code, "table-changed");
    assert_eq!(
        refused.message,
        "plugin was built with fingerprint 77e912b8f78a359c of table broadcast/1, this host has \
         77e912b8f78a359b; build the plugin against an unpatched exthost-plugin"
    );
    assert!(!refused.ran, "its code has run");
}

#[test]
fn a_header_that_was_altered_is_refused_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let header = fs::read_to_string(root().join("plugin-api/include/exthost.h")).unwrap();
    let (own, other) = ("log/1=379919527d880efe", "log/1=379919527d880eff");
    assert_eq!(header.matches(own).count(), 1, "{own}");
    let slot = "uint32_t level,\n        uint32_t *enabled);";
    assert_eq!(header.matches(slot).count(), 1, "{slot}");
    let header = header
        .replace(own, other)
        .replace(slot, &slot.replace("32_t level", "64_t level"));
    // Beside the source, where it comes before the header of this repository.
    fs::write(directory.path().join("exthost.h"), header).unwrap();
    let source = directory.path().join("altered.c");
    fs::copy(root().join(FAULTY_C), &source).unwrap();
    let mark = directory.path().join("mark");
    let define = format!("-DMARK=\"{}\"", mark.display());
    let Some(library) = c_plugin(source.to_str().unwrap(), directory.path(), &[&define]) else {
        return;
    };
    let refused = refused(&library, &mark);
    assert_eq!(refused.code, "table-changed");
    assert!(refused.message.contains("table log/1"), "{refused:?}");
    assert!(refused.message.contains("379919527d880efe"), "{refused:?}");
    assert!(refused.message.contains("379919527d880eff"), "{refused:?}");
    assert!(!refused.ran, "its code has run");
}

#[test]
fn an_argument_that_was_altered_in_secret_is_found_by_its_layout() {
    let altered = Altered::build("argument", |overlay| {
        overlay
            .edit(
                "plugin-api/abi/src/log.rs",
                "        level: u32,\n        enabled: *mut u32,",
                "        level: u64,\n        enabled: *mut u32,",
            )
            .edit(
                "plugin-api/src/export/log.rs",
                "level.as_raw(),\n                &raw mut enabled,",
                "level.as_raw().into(),\n                &raw mut enabled,",
            )
    });
    differs(
        &altered,
        "log/1",
        "LogTable.enabled, argument 3: u64 in the plugin, u32 in this host",
    );
}

#[test]
fn a_slot_that_was_added_in_secret_is_found_by_its_layout() {
    let altered = Altered::build("slot", another_slot);
    differs(
        &altered,
        "broadcast/1",
        "BroadcastTable: `more` as field 3 in the plugin, no field 3 in this host",
    );
}

#[test]
fn slots_that_were_swapped_in_secret_are_found_by_their_layout() {
    let db = "plugin-api/abi/src/db.rs";
    let altered = Altered::build("swapped", |overlay| {
        overlay
            .edit(db, "pub commit: unsafe", "pub swapped: unsafe")
            .edit(db, "pub rollback: unsafe", "pub commit: unsafe")
            .edit(db, "pub swapped: unsafe", "pub rollback: unsafe")
    });
    differs(
        &altered,
        "db/1",
        "DbTable: `rollback` in the plugin, `commit` in this host",
    );
}

/// Loads what says that its tables are as they were, and is refused for one.
fn differs(altered: &Altered, table: &str, place: &str) {
    let refused = altered.refused();
    assert_eq!(refused.code, "layout-differs");
    let message = format!(
        "table {table} differs from this host's behind the same fingerprint, at {place}; build it \
         against an unaltered exthost-abi"
    );
    assert_eq!(refused.message, message);
    // Layouts are code's to tell; this also shows that the mark works.
    assert!(refused.ran, "its constructors run before");
}

#[test]
fn a_rust_plugin_without_layouts_is_refused_from_the_file() {
    let altered = Altered::build("bare", |overlay| {
        overlay.edit(
            "plugin-api/src/export/macros.rs",
            "#[unsafe(export_name = \"_1as_0lib_1header_0root_bmodule_bloader\")]\n",
            "",
        )
    });
    let refused = altered.refused();
    assert_eq!(refused.code, "no-layouts");
    assert!(refused.message.contains("sdk rust/1.0.0"), "{refused:?}");
    assert!(!refused.ran, "its code has run");
}

#[test]
fn another_patch_of_the_crate_is_the_same_abi() {
    let patched = Altered::build("patch", |overlay| {
        overlay.edit(
            "plugin-api/abi/Cargo.toml",
            "\nversion = \"1.0.0\"",
            "\nversion = \"1.0.7\"",
        )
    });
    // The other direction, a host with 1.0.7, is in the tests of directions.
    let server = Server::start(&[&patched.library]);
    assert_eq!(server.get("/api/ext/altered-patch/hello").text(), "hello");
}

fn another_slot(overlay: Overlay) -> Overlay {
    overlay.after(
        "plugin-api/abi/src/broadcast.rs",
        "        count: *mut u64,\n    ) -> Status,\n",
        "    /// One more.\n    pub more: unsafe extern \"C\" fn(ctx: *const c_void) -> Status,\n",
    )
}
