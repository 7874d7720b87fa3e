//! Files that are refused for what they are: what discovery and inspection see.

use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::elf::Library;
use super::zoo::{Zoo, compile};

/// Adds all of them.
pub(crate) fn add(zoo: &mut Zoo) {
    places(zoo);
    kinds(zoo);
    formats(zoo);
    metas(zoo);
    entries(zoo);
    values(zoo);
}

/// What is refused for where it lies.
fn places(zoo: &mut Zoo) {
    for name in ["a.so", "b.so"] {
        zoo.place(zoo.plugins().join("two").join(name), zoo.sound.clone());
    }
    let says = ["two/a.so", "two/b.so", "remove one"];
    zoo.expect("two", "two-libraries", &says);

    zoo.place(zoo.plugins().join("foreign/a.dll"), zoo.sound.clone());
    let says = [
        "foreign/a.dll",
        std::env::consts::ARCH,
        "add one that ends in .so",
    ];
    zoo.expect("foreign", "no-library-here", &says);

    symlink("nowhere", zoo.plugins().join("dangling.so")).unwrap();
    zoo.expect("dangling.so", "unreadable-entry", &["remove or mend it"]);

    let target = zoo.place(zoo.elsewhere("outside.so"), zoo.sound.clone());
    symlink(&target, zoo.plugins().join("outside.so")).unwrap();
    let directory = zoo.plugins();
    let says = [
        target.to_str().unwrap(),
        directory.to_str().unwrap(),
        "copy the file",
    ];
    zoo.expect("outside.so", "symlink-outside", &says);
}

/// What is refused before a byte of it is understood.
fn kinds(zoo: &mut Zoo) {
    let fifo = zoo.plugins().join("fifo.so");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    zoo.expect(
        "fifo.so",
        "not-a-file",
        &["a FIFO", "a regular file", "remove it"],
    );
    zoo.file(
        "empty.so",
        b"",
        "empty",
        &["0 bytes", "copy the plugin again"],
    );

    let path = zoo.place(zoo.plugins().join("oversize.so"), zoo.sound.clone());
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(64 * 1024 * 1024 + 1).unwrap();
    zoo.expect(
        "oversize.so",
        "too-large",
        &["67108865", "67108864", "strip it"],
    );

    zoo.file(
        "notes.txt",
        b"just a note\n",
        "not-a-library",
        &["just a n", "remove it"],
    );
    zoo.file(
        "script.sh",
        b"#!/bin/sh\n",
        "not-a-library",
        &["#!/bin/s", "remove it"],
    );
}

/// What is refused for its headers.
fn formats(zoo: &mut Zoo) {
    const CLASS: usize = 4;
    const TYPE: usize = 16;
    let sound = zoo.sound.clone();
    let executable = std::fs::read("/bin/true").unwrap();
    zoo.file(
        "executable.so",
        &executable,
        "not-shared",
        &["an executable", "build it"],
    );
    for (name, kind, says) in [
        ("object.so", 1_u16, "an object file"),
        ("fixed.so", 2, "an executable"),
        ("core.so", 4, "a core dump"),
    ] {
        let library = sound.clone().patched(TYPE, &kind.to_ne_bytes());
        zoo.library(name, library, "not-shared", &[says, "-shared"]);
    }
    for (name, size) in [
        ("cut-in-header.so", 40),
        ("cut-in-half.so", sound.bytes.len() / 2),
        ("cut-at-the-end.so", sound.bytes.len() - 64),
    ] {
        let bytes = zoo.marking(Path::new(name), sound.clone());
        let says = [&*size.to_string(), "copy it again"];
        zoo.file(name, &bytes[..size], "truncated", &says);
    }
    let library = sound.patched(CLASS, &[9]);
    let says = ["class is 9", "1 or 2", "build or copy it again"];
    // Its meta could not be found any more to be given a name.
    zoo.as_it_is("malformed.so", library, "malformed", &says);
}

/// What is refused for where its meta lies, or how it begins and ends.
fn metas(zoo: &mut Zoo) {
    let sound = zoo.sound.clone();
    let hidden = sound.clone().renamed("\0.exthost\0", "\0.exthosp\0");
    let hidden = hidden.renamed("\0exthost_meta\0", "\0exthost_beta\0");
    zoo.as_it_is(
        "no-meta.so",
        hidden,
        "no-meta",
        &[".exthost", "exthost_meta", "export it"],
    );

    let (first, meta) = (sound.meta_section().start, sound.meta());
    let twice = sound.clone().with_meta(&[&*meta, &*meta].concat());
    let says = [
        &*first.to_string(),
        &*(first + meta.len()).to_string(),
        "link no other plugin",
    ];
    zoo.as_it_is("two-metas.so", twice, "two-metas", &says);

    const VALUE: usize = 8;
    let moved = sound.clone().with_entry("exthost_meta", VALUE, &[8]);
    zoo.library(
        "meta-mismatch.so",
        moved,
        "meta-mismatch",
        &[".exthost", "exthost_meta", "define"],
    );

    let magic = [b"EXTHOST9", &meta[8..]].concat();
    let says = ["EXTHOST9", "expected EXTHOST1", "build against"];
    zoo.as_it_is(
        "bad-magic.so",
        sound.clone().with_meta(&magic),
        "meta-magic",
        &says,
    );

    let room = sound.meta_section().len();
    let endless = [&meta[..meta.len() - 1], &vec![b'a'; room + 1 - meta.len()]].concat();
    let says = [&*room.to_string(), "end it with a zero byte"];
    zoo.as_it_is(
        "endless.so",
        sound.with_meta(&endless),
        "meta-unterminated",
        &says,
    );

    let roomy = compile(&["-DROOM=70000"]).unwrap();
    let large = roomy
        .with("name", "large-meta")
        .with("description", &"a".repeat(64 * 1024));
    // Whether the empty entry fits as well does not matter any more.
    let size = (large.meta().len() - 1).to_string();
    let says = [&*size, "65536", "shorten its texts"];
    zoo.library("large-meta.so", large, "meta-too-large", &says);
}

/// What is refused for an entry of its meta.
fn entries(zoo: &mut Zoo) {
    let sound = zoo.sound.clone();
    let with = |entry: &[u8]| sound.clone().saying(entry);
    let says = ["license=caf", "UTF-8"];
    zoo.library(
        "not-utf8.so",
        with(b"license=caf\xe9"),
        "meta-not-utf8",
        &says,
    );
    let says = ["`license`", "key=value"];
    zoo.library("no-entry.so", with(b"license"), "meta-not-an-entry", &says);
    zoo.library(
        "no-key.so",
        with(b"=MIT"),
        "meta-not-an-entry",
        &["`=MIT`", "key=value"],
    );
    let says = ["`version`", "`1.0.0` and `2.0.0`", "remove one"];
    zoo.library(
        "twice.so",
        with(b"version=2.0.0"),
        "meta-duplicate-key",
        &says,
    );
    for key in ["name", "version", "api", "sdk", "panic", "tables"] {
        let library = sound.clone().without(key);
        let says = [&*format!("no `{key}`"), &*format!("add {key}=")];
        zoo.as_it_is(&format!("no-{key}.so"), library, "meta-missing-key", &says);
    }
}

/// What is refused for a value in its meta.
fn values(zoo: &mut Zoo) {
    for (key, value, expected) in [
        ("name", "marked_c", "a plugin name such as my-extension"),
        ("version", "1.0", "a version such as 1.2.3"),
        ("api", "one", "a version such as 1.0.0"),
        ("sdk", "c", "expected"),
        ("panic", "oops", "unwind, abort or none"),
        ("tables", "routes/1", "expected"),
        ("needs", "routes", "capabilities such as routes/1,db/1"),
        ("requires", "A,b", "plugin names separated by commas"),
        ("priority", "high", "an integer of 32 bits"),
    ] {
        let library: Library = zoo.sound.clone().with(key, value);
        let says = [&*format!("{key}=`{value}`"), expected];
        zoo.as_it_is(&format!("bad-{key}.so"), library, "meta-value", &says);
    }
}
