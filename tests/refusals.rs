//! In a directory of good and bad files, does the good one serve, and is each
//! bad one refused for its own reason, before any of its code has run?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::support::server::Server;
use super::support::{FAULTY_C, c_plugin, exthost, root};

/// A directory of files, each of which would leave a mark if its code ran.
struct Zoo {
    directory: tempfile::TempDir,
    good: Vec<u8>,
    /// The code each file is refused with, by its name.
    expected: BTreeMap<String, &'static str>,
}

impl Zoo {
    /// Builds it around one C plugin; nothing without a C compiler.
    fn build() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("plugins")).unwrap();
        let mark = format!("-DMARK=\"{}\"", directory.path().join("mark").display());
        let built = c_plugin(FAULTY_C, directory.path(), &[&mark, "-s"])?;
        let good = std::fs::read(&built).unwrap();
        let mut zoo = Zoo {
            directory,
            good,
            expected: BTreeMap::new(),
        };
        zoo.fill();
        Some(zoo)
    }

    fn plugins(&self) -> PathBuf {
        self.directory.path().join("plugins")
    }

    fn mark(&self) -> PathBuf {
        self.directory.path().join("mark")
    }

    fn fill(&mut self) {
        let good = self.good.clone();
        self.add("notes.txt", b"just a note\n", "not-a-library");
        self.add("empty.so", b"", "empty");
        self.add("cut-in-header.so", &good[..40], "truncated");
        self.add("cut-in-half.so", &good[..good.len() / 2], "truncated");
        self.add("cut-at-the-end.so", &good[..good.len() - 64], "truncated");
        self.add(
            "future-minor.so",
            &self.patched("api=1.0.0", "api=1.9.0"),
            "api-too-new",
        );
        self.add(
            "future-major.so",
            &self.patched("api=1.0.0", "api=2.0.0"),
            "api-major",
        );
        self.add(
            "bad-magic.so",
            &self.patched("EXTHOST1", "EXTHOST9"),
            "meta-magic",
        );
        self.add(
            "bad-name.so",
            &self.patched("name=faulty-c", "name=faulty_c"),
            "meta-value",
        );
        self.add(
            "no-name.so",
            &self.patched("name=", "nome="),
            "meta-missing-key",
        );
        self.add(
            "twice.so",
            &self.patched("panic=none", "name=again"),
            "meta-duplicate-key",
        );
        self.add(
            "changed-table.so",
            &self.patched("log/1=", "log/1=0"),
            "table-changed",
        );
        self.add(
            "unknown-need.so",
            &self.patched("needs=routes/1", "needs=routes/9"),
            "unknown-need",
        );
        self.add(
            "aborts.so",
            &self.patched("panic=none", "panic=oops"),
            "meta-value",
        );
        self.add(
            "other-machine.so",
            &self.for_another_machine(),
            "wrong-target",
        );
        let windows = root().join("tests/fixtures/cross-windows-x86-64.dll");
        if let Ok(bytes) = std::fs::read(windows) {
            self.add("windows.dll", &bytes, "wrong-target");
        }
        self.add("script.sh", b"#!/bin/sh\n", "not-a-library");
        let executable = std::fs::read("/bin/true").unwrap();
        self.add("executable.so", &executable, "not-shared");
        self.compile("no-meta", "int nothing;", &[], "no-meta");
        let foreign = self.directory.path().join("libforeign.so");
        cc("int foreign(void) { return 1; }", &foreign, &[]);
        let source = std::fs::read_to_string(root().join(FAULTY_C)).unwrap();
        let foreign = foreign.to_str().unwrap().to_owned();
        self.compile(
            "needs-foreign",
            &source,
            &["-Wl,--no-as-needed", &foreign],
            "needs-library",
        );
        self.compile(
            "has-rpath",
            &source,
            &["-Wl,-rpath,/tmp/plugins"],
            "has-rpath",
        );
        // The first by name wins; this one comes later than the good one.
        self.add("zz-same-name.so", &good, "duplicate-name");
        std::fs::write(self.plugins().join("faulty-c.so"), &good).unwrap();
    }

    fn add(&mut self, name: &str, bytes: &[u8], code: &'static str) {
        std::fs::write(self.plugins().join(name), bytes).unwrap();
        self.expected.insert(name.to_owned(), code);
    }

    fn compile(&mut self, name: &str, source: &str, arguments: &[&str], code: &'static str) {
        let library = self.plugins().join(format!("{name}.so"));
        let mark = format!("-DMARK=\"{}\"", self.mark().display());
        let arguments: Vec<&str> = [mark.as_str()]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        cc(source, &library, &arguments);
        self.expected.insert(format!("{name}.so"), code);
    }

    /// The good file with one text in it replaced by another of its length.
    fn patched(&self, from: &str, to: &str) -> Vec<u8> {
        let mut bytes = self.good.clone();
        let at = bytes
            .windows(from.len())
            .position(|window| window == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from:?} in the plugin"));
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    }

    /// The good file, said to be for a machine this is not.
    fn for_another_machine(&self) -> Vec<u8> {
        let mut bytes = self.good.clone();
        let aarch64 = 183_u16.to_le_bytes();
        let riscv = 243_u16.to_le_bytes();
        let other = if bytes[18..20] == aarch64 {
            riscv
        } else {
            aarch64
        };
        bytes[18..20].copy_from_slice(&other);
        bytes
    }
}

/// Compiles a library from C source on standard input.
fn cc(source: &str, library: &Path, arguments: &[&str]) {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new("cc")
        .args([
            "-std=c11",
            "-fPIC",
            "-shared",
            "-pthread",
            "-fvisibility=hidden",
            "-x",
            "c",
            "-",
        ])
        .arg("-I")
        .arg(root().join("plugin-api/include"))
        .arg("-x")
        .arg("none")
        .args(arguments)
        .arg("-o")
        .arg(library)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(source.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn each_file_has_its_own_refusal_and_the_good_one_serves() {
    let Some(zoo) = Zoo::build() else {
        return;
    };
    // In `exthost check`, which runs nothing at all.
    let output = exthost()
        .arg("check")
        .arg(zoo.plugins())
        .arg("--json")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(codes(&checked), zoo.expected);
    assert_eq!(checked["plugins"][0]["name"], "faulty-c");
    assert!(!zoo.mark().exists(), "exthost check ran a constructor");

    // In the operators' API of a host; the good one's constructor has run.
    let server = Server::start_with(&[], |builder| builder.directory(zoo.plugins()));
    assert_eq!(codes(&server.get("/api/host/plugins").json()), zoo.expected);
    assert_eq!(server.get("/api/ext/faulty-c/left").status, 200);
    assert!(zoo.mark().exists(), "the good plugin leaves its mark");
    drop(server);

    // Without the good one, nothing runs.
    std::fs::remove_file(zoo.plugins().join("faulty-c.so")).unwrap();
    std::fs::remove_file(zoo.plugins().join("zz-same-name.so")).unwrap();
    std::fs::remove_file(zoo.mark()).unwrap();
    let server = Server::start_with(&[], |builder| builder.directory(zoo.plugins()));
    assert_eq!(server.host.status().plugins.len(), 0);
    assert!(!zoo.mark().exists(), "code of a refused file has run");
}

/// The code of each refused file, by its name.
fn codes(status: &Value) -> BTreeMap<String, &'static str> {
    let refused = status["refused"].as_array().unwrap();
    let pair = |refused: &Value| {
        let file = Path::new(refused["file"].as_str().unwrap());
        assert!(!refused["message"].as_str().unwrap().is_empty());
        let code = refused["code"].as_str().unwrap().to_owned();
        (
            file.file_name().unwrap().to_str().unwrap().to_owned(),
            &*code.leak(),
        )
    };
    refused.iter().map(pair).collect()
}

#[test]
fn a_strict_host_is_not_built_when_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes.txt"), "a note").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let built = runtime.block_on(
        exthost::Host::builder()
            .directory(directory.path())
            .data(directory.path().join("data"))
            .strict(true)
            .build(),
    );
    let error = built.unwrap_err().to_string();
    assert!(error.contains("refused"), "{error}");
}
