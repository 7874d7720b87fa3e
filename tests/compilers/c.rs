//! C, C++ and Zig.

use std::path::{Path, PathBuf};

use crate::support::compilers::{self, Compiler};
use crate::support::server::Server;
use crate::support::{EVERY_TABLE_C, count, exercise, root};

/// Compiles a plugin of this repository into `directory`.
fn compile(compiler: &Compiler, source: &str, directory: &Path, arguments: &[&str]) -> PathBuf {
    let library = directory.join(format!("{}.so", compiler.name()));
    let output = compiler
        .command()
        .args(arguments)
        .args(["-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-I"])
        .arg(root().join("plugin-api/include"))
        .arg("-o")
        .arg(&library)
        .arg(root().join(source))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?} {source}: {said}");
    library
}

#[test]
fn each_c_compiler_makes_plugins_that_work() {
    let directory = tempfile::tempdir().unwrap();
    for compiler in compilers::c() {
        println!("{}: {:?}", compiler.name(), compiler.version());
        for level in ["-O2", "-O0", "-O3", "-Os"].iter().take(count(1, 4)) {
            let arguments = ["-std=c99", level];
            let library = compile(&compiler, EVERY_TABLE_C, directory.path(), &arguments);
            exercise::in_process("every-table-c", &library);
        }
    }
}

#[test]
fn each_cpp_compiler_makes_plugins_that_work() {
    let directory = tempfile::tempdir().unwrap();
    // The third, Zig's, compiles a library of C++ first, which takes minutes.
    for compiler in compilers::cpp().iter().take(count(2, 3)) {
        println!("{}: {:?}", compiler.name(), compiler.version());
        let mut arguments = vec!["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror"];
        if compiler.name() == "gpp" {
            // What is inline would be shared by all generations of the plugin.
            arguments.push("-fno-gnu-unique");
        }
        let source = "tests/plugins/hello-cpp.cpp";
        let library = compile(compiler, source, directory.path(), &arguments);
        let server = Server::start(&[&library]);
        assert_eq!(server.plugin("hello-cpp")["generation"], 1);
        greets(&server, "hello-cpp");
        let refused = server.get("/api/ext/hello-cpp/hello?name=");
        assert_eq!((refused.status, &*refused.code()), (400, "no-name"));
        greets(&server, "hello-cpp");
    }
}

#[test]
fn zig_makes_plugins_that_work() {
    let Some(zig) = compilers::zig() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    for mode in ["Debug", "ReleaseSafe", "ReleaseFast", "ReleaseSmall"]
        .iter()
        .take(count(1, 4))
    {
        let library = directory.path().join(format!("{mode}.so"));
        let output = zig
            .command()
            .args(["build-lib", "-dynamic", "-fPIC", "-lc", "-O", mode, "-I"])
            .arg(root().join("plugin-api/include"))
            .arg(format!("-femit-bin={}", library.display()))
            .arg(root().join("tests/plugins/hello-zig.zig"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{zig:?} {mode}: {said}");
        greets(&Server::start(&[&library]), "hello-zig");
    }
}

fn greets(server: &Server, plugin: &str) {
    let answer = server.get(&format!("/api/ext/{plugin}/hello?name=Ada"));
    assert_eq!((answer.status, answer.text()), (200, "hello Ada"));
}
