//! Does each published table still say what it said?
//!
//! `abi/lock.json` holds a row for each table; the C header, the reference in
//! docs/abi.md and the fingerprints follow from it and from the source of
//! `exthost-abi`. Two switches change files instead of failing:
//! `EXTHOST_ABI_WRITE=1` adds rows of new tables and writes what follows;
//! `EXTHOST_ABI_RECUT=1` also writes existing rows anew, which is forbidden from
//! the first public release on.

mod c;
mod compiler;
mod header;
mod lock;
mod program;
mod prose;
mod real;
mod signature;
mod source;

use std::path::PathBuf;
use std::{env, fs};

use lock::Lock;
use source::{Kind, Source};

const LOCK: &str = "tests/abi/lock.json";
const FINGERPRINTS: &str = "plugin-api/abi/src/fingerprint.rs";
const HEADER: &str = "plugin-api/include/exthost.h";
const PAGE: &str = "docs/abi.md";
const WRITE: &str = "EXTHOST_ABI_WRITE";
const RECUT: &str = "EXTHOST_ABI_RECUT";

/// A path of this repository.
fn repo(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(repo(path)).unwrap_or_default()
}

/// Whether a switch is on.
fn asked(switch: &str) -> bool {
    env::var_os(switch).is_some()
}

/// Compares a generated file, or writes it when asked to.
fn same_or_written(path: &str, text: &str) {
    if asked(WRITE) || asked(RECUT) {
        fs::write(repo(path), text).unwrap();
    }
    assert!(
        read(path) == text,
        "{path} does not follow from the source of exthost-abi; run the test with {WRITE}=1",
    );
}

/// The lock of the source, checked against the published one.
fn checked_lock(source: &Source) -> Lock {
    let now = Lock::of(source);
    let recut = asked(RECUT);
    let published: Lock = match serde_json::from_str(&read(LOCK)) {
        Ok(lock) if !recut => lock,
        Err(error) if !recut => panic!("{LOCK}: {error}"),
        _ => Lock::default(),
    };
    for row in &published.tables {
        assert_eq!(
            row.fingerprint,
            row.hash(),
            "{}: the row was edited by hand",
            row.key()
        );
        assert!(
            now.row(&row.id, row.revision) == Some(row),
            "the published table {} has changed, or something it reaches; plugins in the field \
             were built against it. Put it back as it was, and add what you need as a new table \
             under a new id or revision (`pub struct {}2` in the same module, with \"Since: API \
             1.N\"). Constants of a set that may grow say \"Since: API 1.N\" themselves",
            row.key(),
            row.types[0].name,
        );
    }
    for constant in &published.later {
        let name = &constant.name;
        assert!(
            now.later.contains(constant),
            "the published constant {name} has changed"
        );
    }
    if recut || asked(WRITE) {
        let text = serde_json::to_string_pretty(&now).unwrap() + "\n";
        fs::write(repo(LOCK), text).unwrap();
        return now;
    }
    for row in &now.tables {
        let known = published.row(&row.id, row.revision).is_some();
        let key = row.key();
        assert!(
            known,
            "the table {key} is not in {LOCK}; run the test with {WRITE}=1 to add it"
        );
    }
    assert!(
        now.later == published.later,
        "new constants; run the test with {WRITE}=1"
    );
    now
}

/// The end of fingerprint.rs.
fn fingerprints(lock: &Lock) -> String {
    let mut text = String::from(
        "/// Each table of this crate as `id/revision`, with its fingerprint.\n\
         pub const FINGERPRINTS: &[(&str, &str)] = &[\n",
    );
    for row in &lock.tables {
        text += &format!("    (\"{}\", \"{}\"),\n", row.key(), row.fingerprint);
    }
    text += "];\n\n/// The meta entry `tables`: every table with its fingerprint.\n\
             pub const TABLES: &str = concat!(\n";
    for (index, row) in lock.tables.iter().enumerate() {
        let comma = if index + 1 < lock.tables.len() {
            ","
        } else {
            ""
        };
        text += &format!("    \"{}={}{comma}\",\n", row.key(), row.fingerprint);
    }
    text + ");\n"
}

/// One after the other, because each file follows from the one before.
#[test]
fn published_tables_are_frozen() {
    let source = Source::read();
    let lock = checked_lock(&source);

    let text = read(FINGERPRINTS);
    let (head, _) = text
        .split_once("/// Each table")
        .expect("the two constants");
    same_or_written(FINGERPRINTS, &(head.to_owned() + &fingerprints(&lock)));
    same_or_written(HEADER, &header::header(&source, &lock));
    same_or_written(PAGE, &prose::page(&read(PAGE), &source, &lock));
}

#[test]
fn the_crate_names_every_table_with_its_fingerprint() {
    let source = Source::read();
    let lock = Lock::of(&source);
    let rows = lock.tables.iter();
    let rows: Vec<_> = rows
        .map(|row| (row.key(), row.fingerprint.clone()))
        .collect();

    let pairs = exthost_abi::fingerprint::FINGERPRINTS.iter();
    let pairs: Vec<_> = pairs
        .map(|(key, hash)| (key.to_string(), hash.to_string()))
        .collect();
    assert_eq!(
        pairs, rows,
        "fingerprint.rs is out of date, or was written just now: test again"
    );

    let list: Vec<_> = rows
        .iter()
        .map(|(key, hash)| format!("{key}={hash}"))
        .collect();
    assert_eq!(exthost_abi::fingerprint::TABLES, list.join(","));

    let layouts = exthost_abi::layout::LAYOUTS.iter();
    let layouts: Vec<_> = layouts
        .map(|table| format!("{}/{}", table.id, table.revision))
        .collect();
    let keys: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        layouts, keys,
        "LAYOUTS of layout.rs, the second lock, names the same tables"
    );
}

#[test]
fn rustc_lays_out_as_the_lock_says() {
    let source = Source::read();
    for (name, size, align) in real::TYPES {
        assert_eq!(lock::layout(&source, name), (*size, *align), "{name}");
    }
    for (_, item) in source.items() {
        let known = real::TYPES.iter().any(|(name, ..)| *name == item.name);
        let constant = matches!(item.kind, Kind::Constant { .. });
        assert!(
            known || constant,
            "name {} in TYPES of tests/abi/real.rs",
            item.name
        );
    }
}

#[test]
fn a_c_compiler_reads_the_header_as_the_lock_says() {
    let source = Source::read();
    let lock: Lock = serde_json::from_str(&read(LOCK)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lock.c");
    fs::write(&file, program::program(&source, &lock)).unwrap();
    for compiler in compiler::c() {
        compiler::compile(compiler, "-std=c11", &file, &["-fsyntax-only"]);
    }
}

#[test]
fn the_header_compiles_without_a_warning() {
    let file = repo("tests/abi/uses.c");
    for compiler in compiler::c() {
        for standard in ["-std=c99", "-std=c11"] {
            compiler::compile(compiler, standard, &file, &["-fsyntax-only"]);
        }
    }
    for compiler in compiler::cpp() {
        compiler::compile(compiler, "-std=c++17", &file, &["-xc++", "-fsyntax-only"]);
    }
}

#[test]
fn the_c_plugins_compile_without_a_warning() {
    for file in ["plugins/hello-c/hello-c.c", "tests/plugins/faulty-c.c"] {
        for compiler in compiler::c() {
            compiler::compile(
                compiler,
                "-std=c11",
                &repo(file),
                &["-fsyntax-only", "-pthread"],
            );
        }
    }
}
