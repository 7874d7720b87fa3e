//! Plugin projects: folders that a plugin is built from.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder that a plugin is built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Project {
    /// The folder, with its path free of links.
    pub(crate) folder: PathBuf,
    /// What builds it.
    pub(crate) kind: Kind,
}

/// What builds a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A package with a cdylib.
    Cargo,
    /// A Makefile.
    Make,
}

/// Lists the projects of `roots`, each of which is one or holds them in its
/// folders; what is neither is passed over.
pub(crate) fn find(roots: &[PathBuf]) -> Vec<Project> {
    let mut projects: Vec<_> = roots.iter().flat_map(|root| find_in(root)).collect();
    projects.sort();
    projects.dedup();
    projects
}

fn find_in(root: &Path) -> Vec<Project> {
    match Project::at(root) {
        Some(project) => vec![project],
        None => folders(root)
            .iter()
            .filter_map(|folder| Project::at(folder))
            .collect(),
    }
}

/// Lists the folders in `folder` that may hold sources, by name.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut folders: Vec<_> = paths
        .filter(|path| !is_passed_over(path) && path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Whether a folder is hidden, or holds what cargo built.
fn is_passed_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name == "target" || name.as_encoded_bytes().starts_with(b".")
}

impl Project {
    /// The project in `folder`, if it is one.
    pub(crate) fn at(folder: &Path) -> Option<Self> {
        let kind = match fs::read_to_string(folder.join("Cargo.toml")) {
            Ok(manifest) if makes_cdylib(&manifest) => Kind::Cargo,
            _ if folder.join("Makefile").is_file() => Kind::Make,
            _ => return None,
        };
        let folder = folder.canonicalize().ok()?;
        Some(Project { folder, kind })
    }

    /// The folder's name.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The manifest of a cargo project.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }
}

/// Whether a manifest asks for a cdylib. A manifest that cargo cannot read
/// still says so, and so the project stays one while its author mends it.
fn makes_cdylib(manifest: &str) -> bool {
    manifest.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.contains("\"cdylib\"") || line.contains("'cdylib'")
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const CDYLIB: &str = "[lib]\ncrate-type = [\"cdylib\"]\n";

    /// Writes a file and the folders it lies in.
    pub(crate) fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn found(roots: &[&Path]) -> Vec<(String, Kind)> {
        let roots: Vec<_> = roots.iter().map(|root| root.to_path_buf()).collect();
        let projects = find(&roots);
        projects
            .iter()
            .map(|project| (project.name(), project.kind))
            .collect()
    }

    #[test]
    fn folders_of_a_root_are_projects() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(&root.join("hello/Cargo.toml"), CDYLIB);
        write(&root.join("hello-c/Makefile"), "all:\n");
        write(&root.join("both/Cargo.toml"), CDYLIB);
        write(&root.join("both/Makefile"), "all:\n");
        write(
            &root.join("library/Cargo.toml"),
            "[lib]\n# crate-type = [\"cdylib\"]\n",
        );
        write(&root.join("target/Makefile"), "all:\n");
        write(&root.join(".git/Makefile"), "all:\n");
        write(&root.join("deep/er/Makefile"), "all:\n");
        write(&root.join("notes.txt"), "");
        assert_eq!(
            found(&[root]),
            [
                ("both".to_owned(), Kind::Cargo),
                ("hello".to_owned(), Kind::Cargo),
                ("hello-c".to_owned(), Kind::Make),
            ]
        );
    }

    #[test]
    fn a_root_may_be_a_project_itself() {
        let root = tempfile::tempdir().unwrap();
        let hello = root.path().join("hello");
        write(&hello.join("Cargo.toml"), CDYLIB);
        write(&hello.join("example/Makefile"), "all:\n");
        let expected = [("hello".to_owned(), Kind::Cargo)];
        assert_eq!(found(&[&hello]), expected);
        // Named twice, built once.
        assert_eq!(found(&[&hello, root.path()]), expected);
    }

    #[test]
    fn a_manifest_asks_for_a_cdylib() {
        assert!(makes_cdylib("crate-type = ['rlib', 'cdylib']"));
        assert!(makes_cdylib(
            "crate-type = [\n  \"cdylib\", # for the host\n]"
        ));
        assert!(!makes_cdylib("name = \"cdylibs\""));
    }
}
