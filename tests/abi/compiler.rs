//! Runs the C and C++ compilers of this machine.

use std::path::Path;
use std::process::Command;

/// The C compilers that answer here, as programs with their first arguments.
pub(super) fn c() -> Vec<&'static [&'static str]> {
    present(&[&["gcc"], &["clang"], &["zig", "cc"]])
}

/// The C++ compilers that answer here.
pub(super) fn cpp() -> Vec<&'static [&'static str]> {
    present(&[&["g++"], &["clang++"], &["zig", "c++"]])
}

fn present(compilers: &[&'static [&'static str]]) -> Vec<&'static [&'static str]> {
    let answers = |compiler: &&&[&str]| {
        let output = Command::new(compiler[0])
            .args(&compiler[1..])
            .arg("--version")
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    let found: Vec<_> = compilers.iter().filter(answers).copied().collect();
    if found.is_empty() {
        println!("skipped: none of {compilers:?} is installed");
    }
    found
}

/// Compiles `file` as `standard` with every warning an error, after `more`.
pub(super) fn compile(compiler: &[&str], standard: &str, file: &Path, more: &[&str]) {
    let output = Command::new(compiler[0])
        .args(&compiler[1..])
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", standard, "-I"])
        .arg(super::repo("plugin-api/include"))
        .args(more)
        .arg(file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{compiler:?} {standard} {}:\n{errors}",
        file.display()
    );
}
