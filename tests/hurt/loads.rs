//! Libraries that are really loaded, in a process that may die of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use exthost::discovery::Candidate;
use exthost::inspect::inspect;
use exthost::library::{LoadError, Loader, leave};
use exthost::verify::{Policy, verify};

/// Names the folder of libraries to the process that loads them.
const FOLDER: &str = "EXTHOST_TEST_LOADS";

/// What became of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was loaded, and its door opened.
    Loaded,
    /// The host refused it with this code, and lived on.
    Refused(String),
    /// The process died, or waited for it in vain.
    Died(String),
}

impl Outcome {
    /// Whether a host lives on with it.
    pub(crate) fn is_harmless(&self) -> bool {
        !matches!(self, Self::Died(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded => f.pad("loaded"),
            Self::Refused(code) => f.pad(&format!("load: {code}")),
            Self::Died(how) => f.pad(&format!("died: {how}")),
        }
    }
}

/// Loads each of `libraries` as a host does, many in one process, and returns what
/// became of it.
pub(crate) fn load_all<'a>(libraries: impl Iterator<Item = &'a [u8]>) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = libraries
        .enumerate()
        .map(|(index, bytes)| {
            let name = format!("{index:06}.so");
            std::fs::write(folder.path().join(&name), bytes).unwrap();
            name
        })
        .collect();
    let mut outcomes = BTreeMap::new();
    while outcomes.len() < names.len() {
        let before = outcomes.len();
        run(folder.path(), &mut outcomes);
        assert!(
            outcomes.len() > before,
            "the process that loads does nothing"
        );
        for name in outcomes.keys() {
            // It may have been removed in an earlier round.
            let _ = std::fs::remove_file(folder.path().join(name));
        }
    }
    outcomes.into_values().collect()
}

/// Runs one process until it has loaded all, or dies of one.
fn run(folder: &Path, outcomes: &mut BTreeMap<String, Outcome>) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hurt::loads::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let mut begun = None;
    for line in said.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["begin", name] => begun = Some(name.to_owned()),
            ["loaded", name] => drop(outcomes.insert(name.to_owned(), Outcome::Loaded)),
            ["refused", name, code] => {
                outcomes.insert(name.to_owned(), Outcome::Refused(code.to_owned()));
            }
            _ => {}
        }
    }
    let unfinished = begun.filter(|name| !outcomes.contains_key(name));
    if let Some(name) = unfinished {
        outcomes.insert(name, Outcome::Died(output.status.to_string()));
    }
}

/// The process that loads.
#[test]
#[ignore = "may die, and is run by others"]
fn child() {
    let folder = std::env::var_os(FOLDER).expect("the folder of libraries");
    let folder = Path::new(&folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let policy = Policy::default();
    let loader = Loader::start(folder.join("copies")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    println!();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        println!("begin {name}");
        let inspected = inspect(Candidate::file(&file)).unwrap();
        let verified = verify(inspected, &policy).unwrap();
        match runtime.block_on(loader.load(verified, Duration::from_secs(10))) {
            Ok(_) => println!("loaded {name}"),
            // The linker is lost to this process; the next one goes on.
            Err(LoadError::TimedOut { .. } | LoadError::LoaderStuck) => leave(1),
            Err(error) => println!("refused {name} {}", error.code()),
        }
    }
    // A damaged finaliser is nothing that a host would run.
    leave(0)
}
