//! Does every module import only what stands below it, and is unsafe code where
//! it may be?

use std::path::{Path, PathBuf};

use super::support::root;

/// Each row: files under a path must not name a module or crate, and why.
const MUST_NOT_NAME: &[(&str, &str, &str)] = &[
    ("host/discovery", "fs::File", "discovery opens nothing"),
    (
        "host/inspect",
        "crate::verify",
        "inspection is before verification",
    ),
    (
        "host/inspect",
        "crate::library",
        "inspection maps nothing as code",
    ),
    ("host/verify", "std::fs", "verification is a pure function"),
    (
        "host/verify",
        "crate::library",
        "verification is before loading",
    ),
    ("host/library", "crate::instance", "loading is before init"),
    (
        "host/services",
        "crate::registry",
        "services know no instances",
    ),
    (
        "host/services",
        "crate::instance",
        "services know no instances",
    ),
    (
        "host/services",
        "crate::library",
        "services know no libraries",
    ),
    ("host/services", "crate::http", "services know no front"),
    (
        "host/services",
        "crate::ffi",
        "services know nothing of the boundary",
    ),
    ("host/services", "axum", "services know no front"),
    (
        "host/ffi",
        "crate::registry",
        "the boundary stands on services alone",
    ),
    (
        "host/ffi",
        "crate::instance",
        "the boundary stands on services alone",
    ),
    (
        "host/ffi",
        "crate::http",
        "the boundary stands on services alone",
    ),
    ("host/ffi", "axum", "the boundary knows no front"),
    ("host/instance", "crate::http", "instances know no front"),
    (
        "host/registry",
        "crate::http",
        "the registry knows no front",
    ),
    (
        "host/auth",
        "crate::http",
        "who asks is found out below the front",
    ),
    (
        "host/http",
        "crate::host",
        "the front stands below the host",
    ),
    ("plugins", "exthost_abi", "plugins depend on the SDK alone"),
    ("plugins", "abi_stable", "plugins depend on the SDK alone"),
    ("plugins", "unsafe ", "plugins are safe code"),
];

/// Each row: a crate, and the only paths that may name it.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("libloading::", &["host/library"]),
    ("abi_stable::", &["host/library", "plugin-api/abi"]),
    ("rusqlite::", &["host/services"]),
    ("libc::", &["host/library"]),
    ("axum::", &["host/http", "host/host.rs"]),
    (
        "unsafe {",
        &[
            "host/library",
            "host/ffi",
            "plugin-api/abi",
            "plugin-api/src/export",
        ],
    ),
    (
        "unsafe impl",
        &[
            "host/library",
            "host/ffi",
            "plugin-api/abi",
            "plugin-api/src/export",
        ],
    ),
];

#[test]
fn imports_follow_the_data() {
    let mut wrong = Vec::new();
    for (path, name, why) in MUST_NOT_NAME {
        for (file, line) in code_under(path) {
            if line.contains(name) {
                wrong.push(format!("{}: names {name}: {why}", file.display()));
            }
        }
    }
    for (name, paths) in NAMED_ONLY_IN {
        for (file, line) in ["host", "plugin-api", "plugins"]
            .into_iter()
            .flat_map(code_under)
        {
            let allowed = paths.iter().any(|path| file.starts_with(root().join(path)))
                || paths
                    .iter()
                    .any(|path| file == root().join(format!("{path}.rs")));
            if names(&line, name) && !allowed {
                wrong.push(format!("{}: {name} belongs in {paths:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    for (file, first) in ["host", "plugin-api", "plugins", "tests"]
        .into_iter()
        .flat_map(sources)
        .map(|file| (file.clone(), std::fs::read_to_string(file).unwrap()))
    {
        assert!(
            first.starts_with("//!"),
            "{} has no module doc",
            file.display()
        );
    }
}

/// Whether `line` has `name`, not as the end of a longer word.
fn names(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(word))
}

/// The lines of code below a path, without comments.
fn code_under(path: &str) -> Vec<(PathBuf, String)> {
    let mut lines = Vec::new();
    for file in sources(path) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|line| (file.clone(), line.to_owned())));
    }
    lines
}

/// The Rust files of `path`, which names a folder, a module, or both.
fn sources(path: &str) -> Vec<PathBuf> {
    let path = root().join(path);
    let mut files = Vec::new();
    let module = path.with_extension("rs");
    if module.is_file() {
        files.push(module);
    }
    walk(&path, &mut files);
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
