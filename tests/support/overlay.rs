//! Copies of what this repository ships, changed in places, and built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::root;

/// A plugin that greets, and leaves a mark when its code runs.
const MARKED: &str = r#"//! Greets, and leaves a mark when its code runs.
use exthost_plugin::prelude::*;

struct Marked;

impl Plugin for Marked {
    fn init(router: &mut Router, _: &Services) -> Result<Self> {
        router.get("hello", || "hello").public();
        Ok(Marked)
    }
}

export_plugin!(Marked);

extern "C" fn mark_that_code_ran() {
    let _ = std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/mark"), "");
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = mark_that_code_ran;
"#;

/// A copy with edits, in a folder that stays: a second run builds nothing anew.
///
/// It is a workspace of its own with the SDK, and with the host if that is asked for,
/// in a folder of the copy's name: cargo tells packages of one name and version apart
/// by where they stand in their workspace, and all copies share what cargo keeps.
pub(crate) struct Overlay {
    name: String,
    files: BTreeMap<PathBuf, String>,
    members: Vec<String>,
}

impl Overlay {
    /// Begins the copy `name` with the SDK.
    pub(crate) fn of_sdk(name: &str) -> Self {
        let mut overlay = Overlay {
            name: name.to_owned(),
            files: BTreeMap::new(),
            members: vec!["plugin-api".to_owned(), "plugin-api/abi".to_owned()],
        };
        overlay.copy("plugin-api");
        overlay
    }

    /// Begins the copy `name` with the SDK and the host.
    pub(crate) fn of_host(name: &str) -> Self {
        let mut overlay = Self::of_sdk(name);
        for path in ["host", "build.rs", "README.md"] {
            overlay.copy(path);
        }
        let manifest = read(&root().join("Cargo.toml"));
        let package = between(&manifest, "[package]", "\n[[test]]");
        let dependencies = between(&manifest, "\n[dependencies]", "\n[dev-dependencies]");
        overlay.members.push(".".to_owned());
        overlay.file("Cargo.toml", &format!("{package}{dependencies}"))
    }

    /// Adds a plugin of this repository, without its tests' dependencies.
    pub(crate) fn plugin(mut self, folder: &str) -> Self {
        self.copy(folder);
        let manifest = self.files.get_mut(&Path::new(folder).join("Cargo.toml"));
        let manifest = manifest.unwrap_or_else(|| panic!("{folder} has no manifest"));
        if let Some(at) = manifest.find("\n[dev-dependencies]") {
            manifest.truncate(at);
        }
        self.members.push(folder.to_owned());
        self
    }

    /// Adds a plugin that is made here, of one file.
    pub(crate) fn new_plugin(self, name: &str, source: &str) -> Self {
        let folder = format!("plugins/{name}");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n\
             [dependencies]\nexthost-plugin = {{ path = \"../../plugin-api\" }}\n"
        );
        let mut overlay = self
            .file(&format!("{folder}/Cargo.toml"), &manifest)
            .file(&format!("{folder}/src/lib.rs"), source);
        overlay.members.push(folder);
        overlay
    }

    /// Adds a plugin that greets at `hello` and leaves a mark when its code runs.
    pub(crate) fn marked_plugin(self, name: &str) -> Self {
        self.new_plugin(name, MARKED)
    }

    /// Adds a file, or replaces it.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    /// Puts `new` where `old` stands, which it must exactly once.
    pub(crate) fn edit(mut self, path: &str, old: &str, new: &str) -> Self {
        let text = self.files.get_mut(Path::new(path));
        let text = text.unwrap_or_else(|| panic!("{path} is not in the copy"));
        let found = text.matches(old).count();
        assert_eq!(found, 1, "`{old}` stands {found} times in {path}, not once");
        *text = text.replacen(old, new, 1);
        self
    }

    /// Puts `new` before `anchor`, which must stand exactly once.
    pub(crate) fn before(self, path: &str, anchor: &str, new: &str) -> Self {
        self.edit(path, anchor, &format!("{new}{anchor}"))
    }

    /// Puts `new` behind `anchor`, which must stand exactly once.
    pub(crate) fn after(self, path: &str, anchor: &str, new: &str) -> Self {
        self.edit(path, anchor, &format!("{anchor}{new}"))
    }

    /// Writes the copy; a file that is there as it should be keeps its time.
    pub(crate) fn write(self) -> Written {
        let workspace = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("overlays")
            .join(&self.name);
        let folder = workspace.join(&self.name);
        let mut there = Vec::new();
        files_in(&folder, &mut there);
        for file in there {
            if !self.files.contains_key(file.strip_prefix(&folder).unwrap()) {
                fs::remove_file(&file).unwrap();
            }
        }
        for (path, text) in &self.files {
            write(&folder.join(path), text);
        }

        let members = self.members.iter();
        let members: Vec<_> = members
            .map(|path| format!("{}/{path}", self.name))
            .collect();
        let manifest = read(&root().join("Cargo.toml"));
        let shared = between(&manifest, "[workspace.package]", "\n[lints]");
        let manifest = format!("[workspace]\nmembers = {members:?}\nresolver = \"3\"\n\n{shared}");
        write(&workspace.join("Cargo.toml"), &manifest);
        write(
            &workspace.join("Cargo.lock"),
            &read(&root().join("Cargo.lock")),
        );
        Written { workspace, folder }
    }

    /// Takes over a file or a folder of this repository.
    fn copy(&mut self, path: &str) {
        let path = root().join(path);
        let mut found = Vec::new();
        match path.is_dir() {
            true => files_in(&path, &mut found),
            false => found.push(path),
        }
        for file in found {
            let name = file.strip_prefix(root()).unwrap().to_owned();
            self.files.insert(name, read(&file));
        }
    }
}

/// An overlay on disk.
pub(crate) struct Written {
    workspace: PathBuf,
    folder: PathBuf,
}

impl Written {
    /// The path of a file of it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The mark of a plugin that was made here.
    pub(crate) fn mark(&self, plugin: &str) -> PathBuf {
        self.path(&format!("plugins/{plugin}/mark"))
    }

    /// Builds the host; returns its binary.
    pub(crate) fn host(&self) -> PathBuf {
        self.build("exthost", &self.workspace.join("target"), shared)
            .join("exthost")
    }

    /// Builds a plugin that was made here; returns its library.
    ///
    /// Its name must be its own among all overlays: in the folder that they share
    /// cargo tells libraries apart by their names.
    pub(crate) fn library(&self, plugin: &str) -> PathBuf {
        let built = self.build(plugin, &self.workspace.join("target"), shared);
        built.join(library_name(plugin))
    }

    /// Builds a plugin in the folder `apart`, with a command that `adapt` changed.
    pub(crate) fn library_apart(
        &self,
        plugin: &str,
        apart: &str,
        adapt: impl FnOnce(&mut Command) -> &mut Command,
    ) -> PathBuf {
        let built = self.build(plugin, &self.workspace.join(apart), adapt);
        built.join(library_name(plugin))
    }

    fn build(
        &self,
        package: &str,
        target: &Path,
        adapt: impl FnOnce(&mut Command) -> &mut Command,
    ) -> PathBuf {
        let mut command = cargo();
        command
            .current_dir(&self.workspace)
            .args(["build", "--quiet", "--package", package, "--target-dir"])
            .arg(target);
        let status = adapt(&mut command).status().unwrap();
        assert!(
            status.success(),
            "{package} of {} did not build",
            self.workspace.display()
        );
        target.join("debug")
    }
}

/// Builds where the dependencies of this repository are compiled already.
fn shared(command: &mut Command) -> &mut Command {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command.env("CARGO_BUILD_BUILD_DIR", tests.parent().unwrap())
}

/// The file name of a Rust plugin's library.
pub(crate) fn library_name(plugin: &str) -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}{}{suffix}", plugin.replace('-', "_"))
}

/// Cargo, without what the cargo that runs these tests has set for them: build
/// scripts that read it would run anew for each of the two.
pub(crate) fn cargo() -> Command {
    const OF_THE_TESTS: [&str; 5] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "OUT_DIR",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_THE_TESTS.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Writes a file, unless that is what it holds.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_in(&path, found),
            false => found.push(path),
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text from `begin` on, up to `end`.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let begin = text.find(begin).unwrap_or_else(|| panic!("no {begin}"));
    let length = text[begin..].find(end);
    &text[begin..begin + length.unwrap_or_else(|| panic!("no {end}"))]
}
