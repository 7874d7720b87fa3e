//! Does each published table still say what it said?
//!
//! `abi/lock.json` holds a row for each table; the C header, the reference in
//! docs/abi.md and the fingerprints follow from it and from the source of
//! `exthost-abi`. What was released is frozen. `EXTHOST_ABI_WRITE=1` adds what is
//! new and writes what follows, instead of failing.

mod c;
mod changes;
mod compiled;
mod compiler;
mod declared;
mod freeze;
mod header;
mod lock;
mod meta;
mod program;
mod prose;
mod real;
mod seen;
mod signature;
mod source;
mod uses;

use std::path::PathBuf;
use std::{env, fs};

use exthost_abi::API_VERSION;
use exthost_abi::fingerprint::FINGERPRINTS as COMPILED;

use super::support::compilers;
use freeze::{Published, RELEASED};
use lock::Lock;
use seen::Seen;
use source::Source;

const LOCK: &str = "tests/abi/lock.json";
const FINGERPRINTS: &str = "plugin-api/abi/src/fingerprint.rs";
const HEADER: &str = "plugin-api/include/exthost.h";
const PAGE: &str = "docs/abi.md";
const WRITE: &str = "EXTHOST_ABI_WRITE";

/// A path of this repository.
fn repo(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(repo(path)).unwrap_or_default()
}

/// The lock file.
fn published() -> Lock {
    serde_json::from_str(&read(LOCK)).unwrap_or_else(|error| panic!("{LOCK}: {error}"))
}

/// Compares a generated file, or writes it when asked to.
fn same_or_written(path: &str, text: &str) {
    if env::var_os(WRITE).is_some() {
        fs::write(repo(path), text).unwrap();
    }
    assert!(
        read(path) == text,
        "{path} does not follow from the source of exthost-abi; run the test with {WRITE}=1",
    );
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
    let published = Published {
        lock: published(),
        released: RELEASED,
        fingerprints: COMPILED,
    };
    let lock = published.follow(&source, API_VERSION, meta::meta());
    let lock = lock.unwrap_or_else(|why| panic!("{why}"));
    same_or_written(LOCK, &(serde_json::to_string_pretty(&lock).unwrap() + "\n"));

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
    let lock = published();
    let rows = lock.tables.iter();
    let rows: Vec<_> = rows
        .map(|row| (row.key(), row.fingerprint.clone()))
        .collect();

    let pairs = COMPILED.iter();
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
}

#[test]
fn rustc_makes_the_rows_of_the_lock() {
    let lock = published();
    let rows = compiled::rows(&lock);
    for (row, real) in lock.tables.iter().zip(&rows) {
        for (ty, real) in row.types.iter().zip(&real.types) {
            assert_eq!(ty, real, "{}", row.key());
        }
        assert_eq!(row, real, "{}", row.key());
    }
    let keys: Vec<_> = rows.iter().map(lock::Row::key).collect();
    let known: Vec<_> = lock.tables.iter().map(lock::Row::key).collect();
    assert_eq!(keys, known, "LAYOUTS of plugin-api/abi/src/layout.rs");

    let joined = lock.versions.iter().flat_map(|version| &version.constants);
    let data = compiled::constants("data").into_iter();
    let data = data.filter(|constant| !joined.clone().any(|joined| joined == constant));
    assert_eq!(lock.data, data.collect::<Vec<_>>());
    assert_eq!(lock.meta, meta::meta());
}

#[test]
fn each_c_compiler_makes_the_rows_of_the_lock() {
    let source = Source::read();
    let lock = published();
    for compiler in compilers::c() {
        let seen = Seen::by(&compiler, &source, &lock);
        for row in &lock.tables {
            let real = seen.row(row);
            for (ty, real) in row.types.iter().zip(&real.types) {
                assert_eq!(ty, real, "{}: {}", compiler.name(), row.key());
            }
            assert_eq!(*row, real, "{}: {}", compiler.name(), row.key());
        }
        for constant in &lock.data {
            assert_eq!(*constant, seen.constant("data", constant));
        }
        nothing_else(&seen, &lock);
        println!("{}: {} claims hold", compiler.name(), seen.asked());
    }
}

/// Whether the header has no type and no constant that the lock does not have.
fn nothing_else(seen: &Seen<'_>, lock: &Lock) {
    let types = lock.tables.iter().flat_map(|row| &row.types);
    let types: Vec<_> = types.map(|ty| &ty.name).collect();
    for name in seen.types() {
        assert!(types.contains(&name), "the lock has no {name}");
    }

    let text = |name: &str, value: String| assert_eq!(seen.text(name), value, "{name}");
    let api = format!("{}.{}", API_VERSION.major, API_VERSION.minor);
    text(
        "EXTHOST_API_VERSION",
        format!("{api}.{}", API_VERSION.patch),
    );
    text("EXTHOST_API_NEEDED", "1.0.0".to_owned());
    text(
        "EXTHOST_TABLES",
        exthost_abi::fingerprint::TABLES.to_owned(),
    );
    let mut known = ["API_VERSION", "API_NEEDED", "TABLES"]
        .map(str::to_owned)
        .to_vec();
    for row in &lock.tables {
        let name = format!("TABLE_{}_{}", row.id.to_uppercase(), row.revision);
        text(
            &format!("EXTHOST_{name}"),
            format!("{}={}", row.key(), row.fingerprint),
        );
        known.push(name);
        known.push(format!("{}_ID", row.id.to_uppercase()));
        let codes = row.types.iter().flat_map(|ty| &ty.codes);
        known.extend(
            row.constants
                .iter()
                .chain(codes)
                .map(|known| known.name.clone()),
        );
    }
    let joined = lock.versions.iter().flat_map(|version| &version.constants);
    known.extend(
        lock.data
            .iter()
            .chain(joined)
            .map(|known| known.name.clone()),
    );
    for name in seen.constants() {
        let short = name.trim_start_matches("EXTHOST_");
        assert!(
            known.iter().any(|known| known == short),
            "the lock has no {name}"
        );
    }
}
