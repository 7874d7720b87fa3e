//! The compilers of C, C++ and Zig that answer on this machine.

use std::path::Path;
use std::process::Command;

/// A compiler, as a program with its first arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    words: Vec<String>,
}

impl Compiler {
    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            // Zig keeps what it has built of its own libraries.
            .env(
                "ZIG_GLOBAL_CACHE_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("zig"),
            );
        command
    }

    /// Its name, fit for a folder: `zig-cc`.
    pub(crate) fn name(&self) -> String {
        let program = Path::new(&self.words[0]);
        let program = program.file_name().unwrap().to_str().unwrap();
        match self.words.last().map(String::as_str) {
            Some("ziglang") => "zig".to_owned(),
            Some("cc") => "zig-cc".to_owned(),
            Some("c++") => "zig-cpp".to_owned(),
            _ => program.replace('+', "p"),
        }
    }

    /// The first line that it says of its version.
    pub(crate) fn version(&self) -> Option<String> {
        let asked = if self.name() == "zig" {
            "version"
        } else {
            "--version"
        };
        let output = self.command().arg(asked).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().next().map(str::to_owned);
        line.filter(|_| output.status.success())
    }
}

/// The C compilers: of gcc, clang and `zig cc` those that answer.
pub(crate) fn c() -> Vec<Compiler> {
    with_zig(&["gcc", "clang"], "cc")
}

/// The C++ compilers: of g++, clang++ and `zig c++` those that answer.
pub(crate) fn cpp() -> Vec<Compiler> {
    with_zig(&["g++", "clang++"], "c++")
}

/// Zig: what `EXTHOST_ZIG` says, `zig`, or the one of Python's package ziglang.
pub(crate) fn zig() -> Option<Compiler> {
    let named = std::env::var("EXTHOST_ZIG").ok();
    let known = ["zig", "python3 -m ziglang"];
    let commands = named.as_deref().into_iter().chain(known);
    let zig = commands
        .map(|command| Compiler {
            words: command.split_whitespace().map(str::to_owned).collect(),
        })
        .filter(|zig| !zig.words.is_empty())
        .find(|zig| {
            let output = zig.command().arg("version").output();
            output.is_ok_and(|output| output.status.success())
        });
    if zig.is_none() {
        println!("skipped: no zig");
    }
    zig
}

fn with_zig(names: &[&str], command: &str) -> Vec<Compiler> {
    let mut found = Vec::new();
    for name in names {
        let compiler = Compiler {
            words: vec![(*name).to_owned()],
        };
        match compiler.version() {
            Some(_) => found.push(compiler),
            None => println!("skipped: no {name}"),
        }
    }
    found.extend(zig().map(|mut zig| {
        zig.words.push(command.to_owned());
        zig
    }));
    found
}
