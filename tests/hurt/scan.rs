//! A directory full of what is no plugin, through the real binary.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use exthost::verify::Policy;
use serde_json::Value;

use super::super::support::process::Running;
use super::super::support::{HELLO_C, count, exthost, shared_c_plugin};
use super::{Mutants, examine, seed};

/// A plugin directory with one good file, which is the first by name.
struct Directory {
    folder: tempfile::TempDir,
    expected: BTreeMap<String, String>,
}

impl Directory {
    fn of(good: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Self {
            folder,
            expected: BTreeMap::new(),
        };
        fs::create_dir(directory.plugins()).unwrap();
        fs::copy(good, directory.path("0-good.so")).unwrap();
        directory
    }

    fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.plugins().join(name)
    }

    fn expect(&mut self, name: &str, code: &str) -> PathBuf {
        self.expected.insert(name.to_owned(), code.to_owned());
        self.path(name)
    }

    /// Checks what `exthost check` and `exthost serve` make of it.
    fn check(&self) {
        let checked = exthost()
            .arg("check")
            .arg(self.plugins())
            .arg("--json")
            .output()
            .unwrap();
        assert_eq!(checked.status.code(), Some(1), "{checked:?}");
        self.compare(&serde_json::from_slice(&checked.stdout).unwrap());
        let token = exthost()
            .args(["token", "create", "admin", "--scope", "host.read"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let token = String::from_utf8(token.stdout).unwrap();
        let authorization = format!("Bearer {}", token.trim());
        let running = Running::serve(self.folder.path(), &[]);
        let get = |path| running.get_with(path, &[("authorization", &authorization)]);
        assert_eq!(get("/api/ext/hello-c/hello").status, 200);
        self.compare(&get("/api/host/plugins").json());
    }

    fn compare(&self, status: &Value) {
        let served = status["plugins"].as_array().unwrap();
        assert_eq!(served.len(), 1, "{served:?}");
        assert_eq!(served[0]["name"], "hello-c");
        let refused = status["refused"].as_array().unwrap();
        let pair = |refused: &Value| {
            let file = Path::new(refused["file"].as_str().unwrap());
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, refused["code"].as_str().unwrap().to_owned())
        };
        let refused: BTreeMap<_, _> = refused.iter().map(pair).collect();
        assert_eq!(refused, self.expected);
    }
}

#[test]
fn mutants_in_a_directory_are_refused_and_the_good_one_serves() {
    let Some(good) = shared_c_plugin(HELLO_C) else {
        return;
    };
    let policy = Policy::default();
    let mut mutants = Mutants::of(fs::read(&good).unwrap(), seed() + 1);
    for _ in 0..count(1, 25) {
        let mut directory = Directory::of(&good);
        while directory.expected.len() < 200 {
            let mutant = mutants.make();
            // One whose meta is another is another plugin, for all a host knows.
            if mutant.part.is_content() {
                continue;
            }
            let code = examine(mutant.bytes.clone(), &policy).unwrap_or("duplicate-name");
            let name = format!("{:04}.so", 1000 + directory.expected.len());
            fs::write(directory.expect(&name, code), mutant.bytes).unwrap();
        }
        directory.check();
    }
}

#[test]
fn what_is_no_file_is_not_opened() {
    let Some(good) = shared_c_plugin(HELLO_C) else {
        return;
    };
    let mut directory = Directory::of(&good);
    fs::write(directory.expect("empty.so", "empty"), b"").unwrap();
    let sparse = File::create(directory.expect("sparse.so", "too-large")).unwrap();
    sparse.set_len(4 << 30).unwrap();
    symlink("loop.so", directory.expect("loop.so", "unreadable-entry")).unwrap();
    symlink("/dev/zero", directory.expect("zero.so", "symlink-outside")).unwrap();
    fs::create_dir(directory.path("folder.so")).unwrap();
    let fifo = directory.path("fifo.so");
    match Command::new("mkfifo").arg(&fifo).status() {
        Ok(made) if made.success() => drop(directory.expect("fifo.so", "not-a-file")),
        _ => println!("skipped: no mkfifo"),
    }
    directory.check();
}
