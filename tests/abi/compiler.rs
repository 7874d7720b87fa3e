//! Runs the C and C++ compilers of this machine on the header.

use std::path::Path;

use crate::support::compilers::Compiler;

/// Warnings that no text of ours gives, as errors.
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compiles `file` as `standard` with every warning an error, after `more`, and
/// keeps nothing of it.
pub(super) fn accepts(compiler: &Compiler, standard: &str, file: &Path, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("object.o");
    let output = ["-c", "-o", object.to_str().unwrap()];
    compile(compiler, standard, file, &[more, &output].concat());
}

/// Compiles `file` as `standard` with every warning an error, after `more`.
pub(super) fn compile(compiler: &Compiler, standard: &str, file: &Path, more: &[&str]) {
    let output = compiler
        .command()
        .args(STRICT)
        .args([standard, "-I"])
        .arg(super::repo("plugin-api/include"))
        .args(more)
        .arg(file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {standard} {}:\n{errors}",
        compiler.name(),
        file.display()
    );
}

/// Whether it compiles anything as `standard`.
pub(super) fn knows(compiler: &Compiler, standard: &str, language: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nothing");
    std::fs::write(&file, "int nothing;\n").unwrap();
    let output = compiler
        .command()
        .args([standard, "-x", language, "-c"])
        .arg(&file)
        .arg("-o")
        .arg(folder.path().join("object.o"))
        .output()
        .unwrap();
    output.status.success()
}

/// What the preprocessor makes of the header, with `flags`.
pub(super) fn preprocessed(compiler: &Compiler, flags: &[&str]) -> String {
    let output = compiler
        .command()
        .args(["-E", "-std=c11"])
        .args(flags)
        .arg(super::repo(super::HEADER))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
