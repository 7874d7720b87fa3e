//! What cargo tells of workspaces and of what it built, as JSON.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::super::project::Project;

/// What `cargo metadata` tells of a workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    /// Its folder.
    pub(super) workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    manifest_path: PathBuf,
}

impl Workspace {
    /// The id of the package that `project` is.
    pub(super) fn package(&self, project: &Project) -> Option<&str> {
        let manifest = project.manifest();
        let mut packages = self.packages.iter();
        let package = packages.find(|package| package.manifest_path == manifest)?;
        Some(&package.id)
    }
}

/// A line of what `cargo build` prints; other lines have no such fields.
#[derive(Debug, Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

/// The library of each manifest that cargo tells of.
pub(super) fn libraries(text: &str) -> HashMap<PathBuf, PathBuf> {
    let artifacts = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| {
            artifact
                .target
                .crate_types
                .iter()
                .any(|kind| kind == "cdylib")
        });
    let is_library = |path: &PathBuf| {
        let extension = std::env::consts::DLL_EXTENSION;
        path.extension().is_some_and(|found| found == extension)
    };
    artifacts
        .filter_map(|artifact| {
            let library = artifact.filenames.into_iter().find(is_library)?;
            Some((artifact.manifest_path, library))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_among_the_messages() {
        let extension = std::env::consts::DLL_EXTENSION;
        let text = format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","target":{{"crate_types":["lib"]}},"filenames":["/t/libdep.rlib"]}}
not json
{{"reason":"compiler-artifact","manifest_path":"/w/hello/Cargo.toml","target":{{"crate_types":["cdylib","rlib"]}},"filenames":["/t/libhello.rlib","/t/libhello.{extension}"],"fresh":true}}
{{"reason":"build-finished","success":false}}"#
        );
        let libraries = libraries(&text);
        let library = PathBuf::from(format!("/t/libhello.{extension}"));
        let expected = HashMap::from([("/w/hello/Cargo.toml".into(), library)]);
        assert_eq!(libraries, expected);
    }
}
