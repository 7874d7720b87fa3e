//! Libraries made by this machine's C compiler, where there is one.

use std::sync::OnceLock;

use super::*;

/// A library of this machine, made by its C compiler from the source of the
/// fixtures; none where there is no compiler.
pub(super) fn native() -> Option<&'static Vec<u8>> {
    static NATIVE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    NATIVE.get_or_init(|| compile(&[])).as_ref()
}

fn compile(flags: &[&str]) -> Option<Vec<u8>> {
    if !cfg!(target_os = "linux") {
        skip("flags for an ELF linker");
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("native.so");
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&output)
        .args(flags);
    let status = command.arg(fixture("cross.c")).status();
    if !status.is_ok_and(|status| status.success()) {
        skip(&format!("no C compiler that takes {flags:?}"));
        return None;
    }
    Some(fs::read(output).unwrap())
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(super) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

#[test]
fn stripping_keeps_all_that_is_told() {
    let Some(native) = native() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("native.so");
    fs::write(&path, native).unwrap();
    let before = inspect_at(&path).unwrap();
    let strip = Command::new("strip").arg("-s").arg(&path).status();
    if !strip.is_ok_and(|status| status.success()) {
        return skip("no strip");
    }
    let after = inspect_at(&path).unwrap();
    assert_ne!(before.hash(), after.hash());
    assert_eq!(before.meta(), after.meta());
    assert_eq!(before.needed(), after.needed());
    assert_eq!(before.target(), &Target::current());
    assert!(after.has_door() && after.exports_meta());
}

#[test]
fn the_symbol_serves_where_there_is_no_section() {
    let Some(bytes) = compile(&["-Wl,-z,noseparate-code"]) else {
        return;
    };
    let mut renamed = bytes.clone();
    let at = bytes
        .windows(9)
        .position(|window| window == b".exthost\0")
        .unwrap();
    renamed[at + 1..at + 8].copy_from_slice(b"renamed");
    let (_, by_section) = facts(&bytes).unwrap();
    let (_, by_symbol) = facts(&renamed).unwrap();
    assert_eq!(by_section, by_symbol);
}

#[test]
fn needed_libraries_are_listed() {
    let Some(bytes) = compile(&["-Wl,--no-as-needed", "-lm"]) else {
        return;
    };
    let (facts, _) = facts(&bytes).unwrap();
    assert_eq!(facts.needed, ["libm.so.6", "libc.so.6"]);
}

#[test]
fn hazards_are_seen() {
    let cases: [(&[&str], Hazard); 5] = [
        (&["-Wl,-rpath,/tmp/x"], Hazard::SearchPath("/tmp/x".into())),
        (
            &["-Wl,--disable-new-dtags,-rpath,$ORIGIN"],
            Hazard::SearchPath("$ORIGIN".into()),
        ),
        (&["-Wl,-z,execstack"], Hazard::ExecutableStack),
        (&["-Wl,--audit,a.so"], Hazard::Audit("a.so".into())),
        (&["-Wl,-f,f.so"], Hazard::Filter("f.so".into())),
    ];
    for (flags, hazard) in cases {
        let Some(bytes) = compile(flags) else { return };
        let (facts, _) = facts(&bytes).unwrap();
        assert_eq!(facts.hazards, [hazard], "{flags:?}");
    }
}

#[test]
fn symbol_versions_tell_the_glibc() {
    let Some(bytes) = compile_with(
        "imports.c",
        "int puts(const char *); int f(void) { return puts(\"\"); }",
        &[],
    ) else {
        return;
    };
    let (facts, _) = facts(&bytes).unwrap();
    let running = running_glibc();
    assert_eq!(facts.glibc.is_some(), running.is_some());
    assert!(facts.glibc <= running, "{:?} {running:?}", facts.glibc);
    assert!(!facts.restart_only);
}

#[test]
fn a_symbol_shared_by_all_generations_is_seen() {
    let source = ".globl shared\n.type shared, %gnu_unique_object\n.data\nshared: .long 1\n\
                  .size shared, 4\n.section .note.GNU-stack,\"\",%progbits\n";
    let Some(bytes) = compile_with("unique.s", source, &[]) else {
        return;
    };
    let (facts, _) = facts(&bytes).unwrap();
    assert!(facts.restart_only);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn relocations_in_code_are_told_as_such() {
    let source = ".text\n.quad code\ncode: ret\n.section .note.GNU-stack,\"\",%progbits\n";
    let Some(bytes) = compile_with("text.s", source, &["-Wl,-z,notext"]) else {
        return;
    };
    let (facts, _) = facts(&bytes).unwrap();
    assert!(facts.hazards.contains(&Hazard::TextRelocations));
}

#[test]
fn each_linker_makes_libraries_that_are_read() {
    // Some begin what becomes read-only with the zeros that each thread has.
    let source = "__thread int per_thread; int *f(void) { return &per_thread; }";
    for linker in ["bfd", "gold", "lld", "mold"] {
        let linker = format!("-fuse-ld={linker}");
        let Some(bytes) = compile_with("zeros.c", source, &[&linker]) else {
            continue;
        };
        let (facts, _) = facts(&bytes).unwrap_or_else(|why| panic!("{linker}: {why}"));
        assert!(facts.door && facts.hazards.is_empty(), "{linker}");
    }
}

/// Compiles the fixture together with one more source.
pub(super) fn compile_with(name: &str, source: &str, flags: &[&str]) -> Option<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, source).unwrap();
    compile(&[&[path.to_str().unwrap()], flags].concat())
}

/// Each of these brought glibc down before it was refused.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn entries_that_crash_the_loader_are_refused() {
    let Some(native) = native() else { return };
    let header = u64_at(native, 32);
    let programs = (0..native[56].into()).map(|index| header + index * 56);
    let dynamic = programs.clone().find(|at| native[*at] == 2).unwrap();
    let entries = u64_at(native, dynamic + 8);
    let entry = |tag: usize| {
        let mut at = (entries..).step_by(16);
        at.find(|at| u64_at(native, *at) == tag).unwrap()
    };
    let (rela, rela_size, init_array_size, strings) = (7, 8, 27, 5);
    for (at, what) in [
        (entry(rela), "the tag of the relocation table"),
        (entry(rela) + 8, "its address"),
        (entry(rela_size) + 8, "its size"),
        (entry(init_array_size) + 8, "the size of the initialisers"),
        (entry(strings) + 8, "the address of the string table"),
        (dynamic + 8, "the offset of the dynamic section"),
        (dynamic + 16, "the address of the dynamic section"),
        (header + 56 + 16, "the address of the first segment"),
    ] {
        let mut damaged = native.clone();
        damaged[at] ^= 0x40;
        let error = facts(&damaged).unwrap_err();
        assert_eq!(error.code(), "malformed", "{what}: {error}");
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn u64_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}
