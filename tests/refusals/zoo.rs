//! A directory of files that are refused, each of which would leave a mark of its
//! own if its code ran.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use exthost::config::ConfigFile;
use tempfile::TempDir;

use super::elf::Library;
use crate::support::c_plugin;

/// What each file of the zoo is made of.
const MARKED_C: &str = "tests/refusals/marked.c";

/// A directory of files that are refused, and what is expected of each.
pub(crate) struct Zoo {
    directory: TempDir,
    /// A plugin that serves, and leaves no mark unless it is placed.
    pub(crate) sound: Library,
    pub(crate) fixtures: Vec<Fixture>,
}

/// One way to be refused.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) code: &'static str,
    /// What the message names: the values that differ, and what to do.
    pub(crate) says: Vec<String>,
}

impl Zoo {
    /// An empty one; nothing without a C compiler.
    pub(crate) fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        for folder in ["plugins", "marks", "elsewhere"] {
            std::fs::create_dir(directory.path().join(folder)).unwrap();
        }
        let zoo = Zoo {
            directory,
            sound: compile(&[])?,
            fixtures: Vec::new(),
        };
        zoo.configure("");
        Some(zoo)
    }

    /// The plugin directory.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.folder().join("plugins")
    }

    /// The folder that the plugin directory lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// Writes `exthost.toml` beside the plugin directory.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.folder().join("exthost.toml"), text).unwrap();
    }

    /// What it says.
    pub(crate) fn config(&self) -> ConfigFile {
        ConfigFile::read(&self.folder().join("exthost.toml")).unwrap()
    }

    /// A path outside the plugin directory.
    pub(crate) fn elsewhere(&self, name: &str) -> PathBuf {
        self.folder().join("elsewhere").join(name)
    }

    /// Expects a refusal of the file or folder `name` in the plugin directory, or
    /// of a path that is given from the root on.
    pub(crate) fn expect(&mut self, name: impl AsRef<Path>, code: &'static str, says: &[&str]) {
        self.fixtures.push(Fixture {
            path: self.plugins().join(name),
            code,
            says: says.iter().map(|&text| text.to_owned()).collect(),
        });
    }

    /// Adds a file of these bytes.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8], code: &'static str, says: &[&str]) {
        std::fs::write(self.plugins().join(name), bytes).unwrap();
        self.expect(name, code, says);
    }

    /// Adds a library, which is called as its file is.
    pub(crate) fn library(
        &mut self,
        name: &str,
        library: Library,
        code: &'static str,
        says: &[&str],
    ) {
        let stem = Path::new(name).file_stem().unwrap().to_str().unwrap();
        self.as_it_is(name, library.with("name", stem), code, says);
    }

    /// Adds a library with the meta that it has.
    pub(crate) fn as_it_is(
        &mut self,
        name: &str,
        library: Library,
        code: &'static str,
        says: &[&str],
    ) {
        self.place(self.plugins().join(name), library);
        self.expect(name, code, says);
    }

    /// Writes a library to `path`, marking under the file's name.
    pub(crate) fn place(&self, path: impl AsRef<Path>, library: Library) -> PathBuf {
        let path = path.as_ref();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, self.marking(path, library)).unwrap();
        path.to_owned()
    }

    /// The bytes of a library that marks under the name of `path`.
    pub(crate) fn marking(&self, path: &Path, library: Library) -> Vec<u8> {
        let marks = self.folder().join("marks");
        library
            .marking(&marks.join(path.file_name().unwrap()))
            .bytes
    }

    /// The names of the files whose code has run.
    pub(crate) fn marks(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.folder().join("marks")).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        entries.map(name).collect()
    }

    /// Forgets them.
    pub(crate) fn forget_marks(&self) {
        for mark in self.marks() {
            std::fs::remove_file(self.folder().join("marks").join(mark)).unwrap();
        }
    }

    /// The expected codes, by the file that is refused.
    pub(crate) fn codes(&self) -> BTreeMap<PathBuf, String> {
        let pair = |fixture: &Fixture| (fixture.path.clone(), fixture.code.to_owned());
        self.fixtures.iter().map(pair).collect()
    }
}

impl Fixture {
    /// Checks that a message names what it should, as messages are written.
    pub(crate) fn check(&self, message: &str) {
        for text in &self.says {
            let name = self.path.display();
            assert!(message.contains(text), "{name}: no {text:?} in: {message}");
        }
        assert!(
            message.starts_with(|c: char| !c.is_uppercase()),
            "{message}"
        );
        // What is to be filled in is no full stop.
        let ended = message.trim_end_matches("=...");
        assert!(!ended.ends_with('.'), "{message}");
    }
}

/// Compiles the marked plugin with further arguments; nothing without a C
/// compiler.
pub(crate) fn compile(arguments: &[&str]) -> Option<Library> {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [&["-s"], arguments].concat();
    let built = c_plugin(MARKED_C, directory.path(), &arguments)?;
    Some(Library::read(&built))
}
