//! Does everything in C that we show compile without a warning?

use std::fs;
use std::path::{Path, PathBuf};

use super::{compiler, read, repo};
use crate::support::compilers::{self, Compiler};

/// Standards of C; not every compiler knows each.
const C: [&str; 4] = ["-std=c99", "-std=c11", "-std=c17", "-std=c2x"];
/// Standards of C++.
const CPP: [&str; 4] = ["-std=c++11", "-std=c++17", "-std=c++20", "-std=c++23"];

#[test]
fn the_header_compiles_without_a_warning() {
    for compiler in compilers::c() {
        header_compiles(&compiler, "c", &C);
    }
    for compiler in compilers::cpp() {
        header_compiles(&compiler, "c++", &CPP);
    }
}

fn header_compiles(compiler: &Compiler, language: &str, standards: &[&str]) {
    let file = repo("tests/abi/uses.c");
    for standard in standards {
        if compiler::knows(compiler, standard, language) {
            let flags = ["-x", language];
            compiler::accepts(compiler, standard, &file, &flags);
        } else {
            println!("skipped: {} does not know {standard}", compiler.name());
        }
    }
}

/// Where the C of this repository is.
const FOLDERS: [&str; 3] = ["plugins", "tests/plugins", "host/templates/c"];

#[test]
fn every_c_plugin_compiles_without_a_warning() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&repo(folder), &mut files);
    }
    assert!(files.len() > 6, "{files:?}");
    for compiler in compilers::c() {
        for file in &files {
            compiler::accepts(&compiler, "-std=c11", file, &["-pthread"]);
        }
    }
}

#[test]
fn the_c_of_the_pages_compiles_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for page in ["README.md", "docs/c-author.md"] {
        let text = read(page);
        for (index, block) in text.split("```c\n").skip(1).enumerate() {
            let (code, _) = block.split_once("```").unwrap();
            // What is shown of a larger plugin is not whole.
            let whole = code.contains("#include");
            let code = [if whole { "" } else { AROUND }, code].concat();
            let file = folder.path().join(format!("{index}.c"));
            fs::write(&file, code).unwrap();
            for compiler in compilers::c() {
                let flags = [if whole { "-Wall" } else { "-Wno-unused" }];
                compiler::accepts(&compiler, "-std=c11", &file, &flags);
            }
        }
    }
}

/// What a part of a plugin with a database stands in.
const AROUND: &str = "#include \"exthost.h\"\n\
    struct items;\n\
    exthost_status answer(struct items *, uint64_t, uint32_t, const exthost_query *);\n";

/// Collects the C files under a folder.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "c") {
            files.push(path);
        }
    }
}
