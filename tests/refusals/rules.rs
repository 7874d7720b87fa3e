//! Files that are refused for what they would do here: what verification sees.

use std::path::Path;
use std::process::Command;

use exthost::inspect::{Target, running_glibc};

use super::zoo::{Zoo, compile};
use crate::support::root;

/// Adds all of them.
pub(crate) fn add(zoo: &mut Zoo) {
    targets(zoo);
    exports(zoo);
    versions(zoo);
    linked(zoo);
    libraries(zoo);
    needs(zoo);
    others(zoo);
}

/// Libraries for other machines, widths, byte orders and systems.
fn targets(zoo: &mut Zoo) {
    const MACHINE: usize = 18;
    let here = Target::current().to_string();
    let (riscv, mips) = (243_u16.to_ne_bytes(), 8_u16.to_ne_bytes());
    let library = zoo.sound.clone().patched(MACHINE, &mips);
    let says = ["linux-machine-8-64", &*here, "build it for"];
    zoo.library("unknown-machine.so", library, "wrong-target", &says);
    if !cfg!(target_arch = "riscv64") {
        let library = zoo.sound.clone().patched(MACHINE, &riscv);
        zoo.library(
            "riscv64.so",
            library,
            "wrong-target",
            &["linux-riscv64", &here],
        );
    }
    for (file, target) in [
        ("cross-linux-x86.so", "linux-x86,"),
        ("cross-linux-aarch64-be.so", "linux-aarch64-be,"),
        ("cross-macos-x86-64.dylib", "macos-x86-64,"),
        ("cross-windows-x86-64.dll", "windows-x86-64,"),
    ] {
        let bytes = std::fs::read(root().join("tests/fixtures").join(file)).unwrap();
        zoo.file(
            file,
            &bytes,
            "wrong-target",
            &[target, &here, "build it for"],
        );
    }
}

/// Libraries that lack what the host would look for in memory.
fn exports(zoo: &mut Zoo) {
    let sound = zoo.sound.clone();
    let library = sound
        .clone()
        .renamed("\0exthost_plugin\0", "\0exthost_plugim\0");
    zoo.library(
        "no-door.so",
        library,
        "no-door",
        &["exthost_plugin", "export it"],
    );
    let library = sound
        .clone()
        .renamed("\0exthost_meta\0", "\0exthost_beta\0");
    let says = ["exthost_meta", "make the symbol visible"];
    zoo.library("hidden-meta.so", library, "meta-not-exported", &says);
    let library = sound.with("sdk", "rust/1.0.0");
    let says = ["rust/1.0.0", "root_bmodule_bloader", "export_plugin!"];
    zoo.library("no-layouts.so", library, "no-layouts", &says);
}

/// Libraries that were built against something else.
fn versions(zoo: &mut Zoo) {
    let sound = zoo.sound.clone();
    for (name, api, code) in [
        ("api-minor.so", "1.9.0", "api-too-new"),
        ("api-major.so", "2.0.0", "api-major"),
        ("api-zero.so", "0.9.0", "api-major"),
    ] {
        let library = sound.clone().with("api", api);
        zoo.library(
            name,
            library,
            code,
            &[api, "offers 1.1.0", "build the plugin against"],
        );
    }
    let meta = String::from_utf8(sound.meta()).unwrap();
    let (_, ours) = meta.split_once("log/1=").unwrap();
    let ours = &ours[..16];
    let library = sound.with("tables", "log/1=0123456789abcdef");
    let says = ["log/1", "0123456789abcdef", ours, "unpatched"];
    zoo.library("table-changed.so", library, "table-changed", &says);
}

/// Libraries that the linker was told to give something that reaches beyond
/// them.
fn linked(zoo: &mut Zoo) {
    for (name, arguments, code, says) in [
        (
            "rpath.so",
            "-Wl,--disable-new-dtags,-rpath,/tmp/a",
            "has-rpath",
            "`/tmp/a`",
        ),
        (
            "runpath.so",
            "-Wl,--enable-new-dtags,-rpath,$ORIGIN",
            "has-rpath",
            "`$ORIGIN`",
        ),
        ("audit.so", "-Wl,--audit,a.so", "has-audit", "`a.so`"),
        ("filter.so", "-Wl,-F,a.so", "has-filter", "`a.so`"),
        ("auxiliary.so", "-Wl,-f,a.so", "has-filter", "`a.so`"),
        (
            "stack.so",
            "-Wl,-z,execstack",
            "has-executable-stack",
            "an executable stack",
        ),
    ] {
        let library = compile(&[arguments]).unwrap();
        zoo.library(
            name,
            library,
            code,
            &[says, "may have none", "link it without"],
        );
    }
    let library = compile(&["-DTEXT", "-Wl,-z,notext"]).unwrap();
    let says = ["relocations in its code", "link it without"];
    zoo.library("text.so", library, "has-text-relocations", &says);
}

/// Libraries that need others, or later ones.
fn libraries(zoo: &mut Zoo) {
    let foreign = zoo.elsewhere("libforeign.so");
    let source = zoo.elsewhere("foreign.c");
    std::fs::write(&source, "int foreign(void) { return 1; }\n").unwrap();
    link(&source, &foreign);
    let library = compile(&["-Wl,--no-as-needed", foreign.to_str().unwrap()]).unwrap();
    let says = ["libforeign.so", "libc.so.6", "link it statically"];
    zoo.library("foreign-library.so", library, "needs-library", &says);

    let Some(glibc) = running_glibc() else {
        println!("skipped: needs-glibc where there is no glibc");
        return;
    };
    let library = zoo.sound.clone().renamed("\0GLIBC_2.", "\0GLIBC_9.");
    let says = ["glibc 9.", &*glibc.to_string(), "build it on a system"];
    zoo.library("late-glibc.so", library, "needs-glibc", &says);
}

fn link(source: &Path, library: &Path) {
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-o"])
        .args([library, source]);
    assert!(command.status().unwrap().success());
}

/// Libraries that ask for what this host has not, or does not allow.
fn needs(zoo: &mut Zoo) {
    let library = zoo.sound.clone().with("needs", "routes/1,teleport/1");
    let says = ["teleport/1", "API 1.1.0", "from needs to wants"];
    zoo.library("unknown-need.so", library, "unknown-need", &says);
    let library = zoo.sound.clone().with("needs", "routes/9");
    zoo.library(
        "later-need.so",
        library,
        "unknown-need",
        &["routes/9", "API 1.1.0"],
    );
    let library = zoo.sound.clone().with("panic", "abort");
    let says = ["panic=abort", "allows unwind and none", "build it with"];
    zoo.library("panic-abort.so", library, "panic-abort", &says);
}

/// Libraries that do not go together with others.
fn others(zoo: &mut Zoo) {
    let first = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let says = ["marked", first.to_str().unwrap(), "remove one"];
    // The first by name wins.
    zoo.as_it_is("zz-marked.so", zoo.sound.clone(), "duplicate-name", &says);

    let library = zoo.sound.clone().with("requires", "absent");
    let says = ["requires absent", "install absent"];
    zoo.library("lonely.so", library, "requires-missing", &says);
    // One that requires it has to go with it.
    let library = zoo.sound.clone().with("requires", "lonely");
    let says = ["requires lonely", "install lonely"];
    zoo.library("lonelier.so", library, "requires-missing", &says);

    for (name, key, other) in [("hen.so", "after", "egg"), ("egg.so", "requires", "hen")] {
        let library = zoo.sound.clone().with(key, other);
        let says = ["hen after egg", "egg after hen", "break the circle"];
        zoo.library(name, library, "order-cycle", &says);
    }
}
