//! Builds projects with cargo, those of one workspace together.

mod message;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::build::{Built, cannot_run, command};
use super::project::Project;
use crate::cli::Result;
use message::{Workspace, libraries};

/// Builds projects that have a Cargo.toml.
#[derive(Debug)]
pub(crate) struct Cargo {
    program: OsString,
    release: bool,
}

/// Projects that one run of cargo builds.
#[derive(Debug, PartialEq)]
struct Group {
    /// Where cargo runs.
    folder: PathBuf,
    /// The package of each project, unless there is only one, whose folder
    /// says it.
    packages: Vec<String>,
    projects: Vec<Project>,
}

impl Cargo {
    /// The cargo that runs this, or the one on the PATH.
    pub(crate) fn new(release: bool) -> Self {
        Cargo {
            program: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            release,
        }
    }

    /// Builds `projects`; one that fails does not stop the others.
    pub(crate) async fn build(&self, projects: Vec<Project>, quiet: bool) -> Vec<Built> {
        let mut built = Vec::new();
        for group in self.groups(projects).await {
            match self.run(&group, quiet).await {
                Ok(libraries) => built.extend(group.projects.into_iter().map(|project| {
                    let library = library_of(&project, &libraries);
                    (project, library)
                })),
                Err(error) => {
                    let error = error.to_string();
                    let failed = |project| (project, Err(error.clone().into()));
                    built.extend(group.projects.into_iter().map(failed));
                }
            }
        }
        built
    }

    /// Runs cargo, and returns the libraries it made by their manifests.
    async fn run(&self, group: &Group, quiet: bool) -> Result<HashMap<PathBuf, PathBuf>> {
        let cargo = command(&self.program, &group.folder)
            .args(["build", "--lib", "--keep-going"])
            .arg("--message-format=json-render-diagnostics")
            .args(self.release.then_some("--release"))
            .args(quiet.then_some("--quiet"))
            .args(group.packages.iter().flat_map(|package| ["-p", package]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| cannot_run(&self.program, &error))?;
        let output = cargo.wait_with_output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let libraries = libraries(&text);
        // Cargo has told on stderr what failed.
        match output.status.success() || !libraries.is_empty() {
            true => Ok(libraries),
            false => Err(FAILED.into()),
        }
    }

    /// Groups `projects` by their workspaces.
    async fn groups(&self, projects: Vec<Project>) -> Vec<Group> {
        if projects.len() < 2 {
            return projects.into_iter().map(Group::alone).collect();
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut workspaces: Vec<Workspace> = Vec::new();
        for project in projects {
            let known = workspaces
                .iter()
                .any(|known| known.package(&project).is_some());
            if !known {
                workspaces.extend(self.workspace(&project).await);
            }
            let member = workspaces.iter().find_map(|workspace| {
                Some((&workspace.workspace_root, workspace.package(&project)?))
            });
            match member {
                Some((root, package)) => join(&mut groups, root, package, project),
                // Cargo tells what is wrong when it builds it.
                None => groups.push(Group::alone(project)),
            }
        }
        groups
    }

    /// Asks cargo for the workspace of a project.
    async fn workspace(&self, project: &Project) -> Option<Workspace> {
        let output = command(&self.program, &project.folder)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .await
            .ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }
}

const FAILED: &str = "the build failed";

impl Group {
    fn alone(project: Project) -> Self {
        Group {
            folder: project.folder.clone(),
            packages: Vec::new(),
            projects: vec![project],
        }
    }
}

/// Adds a member of the workspace at `root` to that one's group.
fn join(groups: &mut Vec<Group>, root: &Path, package: &str, project: Project) {
    match groups.iter_mut().find(|group| group.folder == root) {
        Some(group) => {
            group.packages.push(package.to_owned());
            group.projects.push(project);
        }
        None => groups.push(Group {
            folder: root.to_owned(),
            packages: vec![package.to_owned()],
            projects: vec![project],
        }),
    }
}

fn library_of(project: &Project, libraries: &HashMap<PathBuf, PathBuf>) -> Result<PathBuf> {
    let library = libraries.get(&project.manifest()).cloned();
    library.ok_or_else(|| FAILED.into())
}

#[cfg(test)]
mod tests {
    use super::super::project::Kind;
    use super::*;

    fn project(folder: &str) -> Project {
        Project {
            folder: folder.into(),
            kind: Kind::Cargo,
        }
    }

    #[test]
    fn members_of_a_workspace_are_built_together() {
        let workspace: Workspace = serde_json::from_value(serde_json::json!({
            "workspace_root": "/w",
            "packages": [
                { "id": "path+file:///w/a#0.1.0", "manifest_path": "/w/a/Cargo.toml" },
                { "id": "path+file:///w/b#0.1.0", "manifest_path": "/w/b/Cargo.toml" },
            ],
        }))
        .unwrap();
        assert_eq!(workspace.package(&project("/w/c")), None);
        let mut groups = Vec::new();
        for folder in ["/w/a", "/w/b"] {
            let project = project(folder);
            let package = workspace.package(&project).unwrap();
            join(
                &mut groups,
                &workspace.workspace_root,
                package,
                project.clone(),
            );
        }
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].projects.len(), 2);
        assert_eq!(groups[0].packages[1], "path+file:///w/b#0.1.0");
    }
}
