//! Tells the binary what it was built from, for `exthost --version`.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The log of HEAD changes with each commit; a source package has none.
    if std::path::Path::new(".git/logs/HEAD").exists() {
        println!("cargo:rerun-if-changed=.git/logs/HEAD");
    }
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=EXTHOST_TARGET={target}");
    println!("cargo:rustc-env=EXTHOST_RUSTC={}", rustc_version());
    println!("cargo:rustc-env=EXTHOST_COMMIT={}", commit());
}

/// The compiler's version, or `unknown`.
fn rustc_version() -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    output(Command::new(rustc).arg("--version"))
}

/// The commit's short hash, or `unknown` outside a repository.
fn commit() -> String {
    output(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]))
}

fn output(command: &mut Command) -> String {
    let text = command
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    match text {
        Some(text) => text.trim().to_owned(),
        None => "unknown".to_owned(),
    }
}
