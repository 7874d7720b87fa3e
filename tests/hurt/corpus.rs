//! What the fuzzer found worth keeping, parsed again.

use std::path::PathBuf;

use allocation_counter::measure;
use exthost::inspect::{Meta, inspect_bytes};

use super::super::support::root;

/// Most bytes that a parser may have at a time, beside what it parses.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The files that the fuzzer has for one target.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).unwrap();
    let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 50, "{} files for {target}", files.len());
    files
}

#[test]
fn files_cost_little_memory() {
    let mut most = (0, PathBuf::new());
    for file in corpus("library") {
        let bytes = std::fs::read(&file).unwrap();
        let taken = measure(|| drop(inspect_bytes(&file, bytes).map_err(|e| e.to_string())));
        most = most.max((taken.bytes_max, file));
    }
    println!("most: {} bytes for {}", most.0, most.1.display());
    assert!(
        most.0 <= BYTES_MAX,
        "{} bytes for {}",
        most.0,
        most.1.display()
    );
}

#[test]
fn metas_cost_little_memory() {
    let mut most = (0, PathBuf::new());
    for file in corpus("meta") {
        let bytes = std::fs::read(&file).unwrap();
        let taken = measure(|| drop(Meta::parse(&bytes).map_err(|e| e.to_string())));
        most = most.max((taken.bytes_max, file));
    }
    println!("most: {} bytes for {}", most.0, most.1.display());
    assert!(
        most.0 <= BYTES_MAX,
        "{} bytes for {}",
        most.0,
        most.1.display()
    );
}
