//! Do the plugins that were built for an earlier API version still load and work?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::{
    EVERY_TABLE_C, compiles_as, exercise, exthost, root, rust_plugin, shared_c_plugin,
};

/// The plugins of each API version, with the bytes that the file of each has less
/// than.
const PLUGINS: [(&str, u64); 2] = [("every-table", 614_400), ("every-table-c", 32_768)];

/// What is to be done about a file that is not as it was.
const CURE: &str = "never rebuild or change a file of the museum; \
    put it back, and add a new folder for a new API version";

#[test]
fn the_hash_lists_are_complete_and_right() {
    let folders = folders();
    assert!(folders.contains(&museum().join("1.0.0")), "{folders:?}");
    for folder in folders {
        if let Err(changed) = unchanged(&folder) {
            panic!("{changed}");
        }
        for (name, bytes_max) in PLUGINS {
            let bytes = library(&folder, name).metadata().unwrap().len();
            assert!(bytes < bytes_max, "{name} has {bytes} bytes");
        }
    }
}

#[test]
fn a_file_that_was_altered_added_or_removed_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("1.0.0");
    let original = museum().join("1.0.0");
    for file in files(&original) {
        let to = copy.join(&file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(original.join(&file), to).unwrap();
    }
    std::fs::copy(original.join(SUMS), copy.join(SUMS)).unwrap();
    assert_eq!(unchanged(&copy), Ok(()));

    let library = library(&copy, "every-table-c");
    let whole = std::fs::read(&library).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    std::fs::write(&library, &altered).unwrap();
    let expect = |file: &str| {
        let told = unchanged(&copy).unwrap_err();
        assert!(told.contains(file) && told.ends_with(CURE), "{told}");
    };
    expect("every-table-c.so has the hash ");
    std::fs::remove_file(&library).unwrap();
    expect("every-table-c.so is missing");
    std::fs::write(&library, whole).unwrap();
    assert_eq!(unchanged(&copy), Ok(()));
    std::fs::write(copy.join("more.so"), "").unwrap();
    expect("more.so is not listed");
}

#[test]
fn each_is_inspected_and_works_in_a_host_of_this_process() {
    for (name, library) in loadable() {
        let output = exthost().arg("inspect").arg(&library).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("loads here:  yes"), "{said}");
        exercise::in_process(name, &library);
    }
}

#[test]
fn each_works_in_the_real_binary() {
    for (name, library) in loadable() {
        exercise::in_host(binary(), name, &library);
    }
}

#[test]
fn the_same_plugins_built_today_work_as_well() {
    let rust = rust_plugin("every-table");
    exercise::in_process("every-table", &rust);
    exercise::in_host(binary(), "every-table", &rust);
    if let Some(c) = shared_c_plugin(EVERY_TABLE_C) {
        exercise::in_process("every-table-c", &c);
        exercise::in_host(binary(), "every-table-c", &c);
    }
}

#[test]
fn the_one_in_c_compiles_as_either_standard() {
    for standard in ["c99", "c11"] {
        compiles_as(standard, EVERY_TABLE_C);
    }
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_exthost"))
}

fn museum() -> PathBuf {
    root().join("tests/abi/museum")
}

/// One folder for each API version.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(museum()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn library(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.so"))
}

/// The plugins that this machine can load, by name; a line for those it cannot.
pub(crate) fn loadable() -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    for folder in folders() {
        for (name, _) in PLUGINS {
            let library = library(&folder, name);
            match misfit(&library) {
                None => found.push((name, library)),
                Some(why) => println!("skipped: {}: {why}", library.display()),
            }
        }
    }
    found
}

/// Why this machine cannot load a file for x86-64 Linux, if it cannot.
fn misfit(library: &Path) -> Option<String> {
    if !cfg!(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_env = "gnu"
    )) {
        return Some("not x86-64 Linux with glibc".to_owned());
    }
    let output = exthost()
        .args(["inspect", "--json"])
        .arg(library)
        .output()
        .unwrap();
    let inspected: Value = serde_json::from_slice(&output.stdout).unwrap();
    let needed = inspected[0]["glibc"].as_str().unwrap();
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let Ok(output) = output else {
        return Some("no getconf to ask for the version of glibc".to_owned());
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let offered = said.trim().trim_start_matches("glibc ");
    let is_enough = numbers(offered) >= numbers(needed);
    (!is_enough).then(|| format!("needs glibc {needed}, here is {offered}"))
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split('.').map(|part| part.parse().unwrap());
    parts.collect()
}

/// The list of hashes of a folder, in the format of `sha256sum`.
const SUMS: &str = "SHA256SUMS";

/// Whether the files of a folder are those of its list, and no others.
fn unchanged(folder: &Path) -> Result<(), String> {
    let list = std::fs::read_to_string(folder.join(SUMS)).unwrap();
    let lines = list.lines().map(|line| line.split_once("  ").unwrap());
    let mut listed: BTreeMap<&str, &str> = lines.map(|(hash, file)| (file, hash)).collect();
    for file in files(folder) {
        let hash = sha256(&std::fs::read(folder.join(&file)).unwrap());
        match listed.remove(&*file) {
            Some(expected) if expected == hash => {}
            Some(expected) => {
                return Err(format!(
                    "{file} has the hash {hash}, {SUMS} says {expected}; {CURE}"
                ));
            }
            None => return Err(format!("{file} is not listed in {SUMS}; {CURE}")),
        }
    }
    match listed.keys().next() {
        Some(file) => Err(format!("{file} is missing; {CURE}")),
        None => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// All files in a folder and below but the list, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            if path.is_dir() {
                open.push(path);
            } else if name != SUMS {
                found.push(name.replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}
