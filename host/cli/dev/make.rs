//! Builds a project with make, into a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::build::{cannot_run, command};
use super::project::Project;
use crate::cli::Result;

/// Builds projects that have a Makefile.
#[derive(Debug)]
pub(crate) struct Make {
    outputs: PathBuf,
    include: PathBuf,
}

/// Tells a build where `exthost.h` lies.
const INCLUDE: &str = "EXTHOST_INCLUDE";

/// The header of this host's tables.
const HEADER: &str = include_str!("../../templates/c/exthost.h");

impl Make {
    /// Builds into folders below `data`, an absolute path.
    pub(crate) fn new(data: &Path) -> Self {
        Make {
            outputs: data.join("build"),
            include: data.join("include"),
        }
    }

    /// Builds a project and returns its library.
    pub(crate) async fn build(&self, project: &Project, quiet: bool) -> Result<PathBuf> {
        let out = self.outputs.join(folder_name(project));
        fs::create_dir_all(&out)
            .map_err(|error| format!("`{}` cannot be made: {error}", out.display()))?;
        let make = OsStr::new("make");
        self.provide_header()
            .map_err(|error| format!("`{}` cannot be written: {error}", self.include.display()))?;
        let mut definition = std::ffi::OsString::from("OUT=");
        definition.push(&out);
        let mut command = command(make, &project.folder);
        // The developer's own choice of a header counts.
        if std::env::var_os(INCLUDE).is_none_or(|include| include.is_empty()) {
            command.env(INCLUDE, &self.include);
        }
        let status = command
            .args(quiet.then_some("--silent"))
            .arg("-C")
            .arg(&project.folder)
            .arg(definition)
            .stdin(Stdio::null())
            // The commands that make echoes are no product of the host.
            .stdout(std::io::stderr())
            .status()
            .await
            .map_err(|error| cannot_run(make, &error))?;
        match status.success() {
            true => library_in(&out),
            false => Err("the build failed".into()),
        }
    }

    /// Writes the header for the builds, unless it is there: a newer file would
    /// have everything built again.
    fn provide_header(&self) -> std::io::Result<()> {
        let header = self.include.join("exthost.h");
        if fs::read_to_string(&header).is_ok_and(|text| text == HEADER) {
            return Ok(());
        }
        fs::create_dir_all(&self.include)?;
        fs::write(header, HEADER)
    }
}

/// The name of the folder that a project is built into.
///
/// It tells projects of the same name apart: make would take the other's
/// library for its own if that is newer than the sources.
fn folder_name(project: &Project) -> String {
    let path = project.folder.as_os_str().as_encoded_bytes();
    let hash = blake3::hash(path).to_hex();
    format!("{}-{}", project.name(), &hash[..8])
}

/// The one library in `folder`.
fn library_in(folder: &Path) -> Result<PathBuf> {
    let extension = std::env::consts::DLL_EXTENSION;
    let mut libraries: Vec<_> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    libraries.sort();
    match libraries.as_slice() {
        [library] => Ok(library.clone()),
        [] => Err(format!(
            "make left no .{extension} file in its OUT folder, {}; build the plugin as \
             $(OUT)/NAME.{extension}",
            folder.display()
        )
        .into()),
        [first, second, ..] => Err(format!(
            "the OUT folder holds more than one library, {} and {}; remove those that are old, \
             or build only the plugin",
            first.display(),
            second.display()
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::project::Kind;
    use super::super::project::tests::write;
    use super::*;

    #[test]
    fn exactly_one_library_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let library = |name: &str| {
            folder
                .join(name)
                .with_extension(std::env::consts::DLL_EXTENSION)
        };
        write(&folder.join("hello.o"), "");
        let error = library_in(folder).unwrap_err().to_string();
        assert!(error.contains("make left no ."), "{error}");
        write(&library("a"), "");
        assert_eq!(library_in(folder).unwrap(), library("a"));
        write(&library("b"), "");
        let error = library_in(folder).unwrap_err().to_string();
        assert!(error.contains("more than one library"), "{error}");
    }

    #[test]
    fn projects_of_one_name_have_folders_of_their_own() {
        let project = |folder: &str| Project {
            folder: folder.into(),
            kind: Kind::Make,
        };
        let (a, b) = (
            folder_name(&project("/a/hello")),
            folder_name(&project("/b/hello")),
        );
        assert!(a.starts_with("hello-") && b.starts_with("hello-"));
        assert_ne!(a, b);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn make_builds_into_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("hello");
        let extension = std::env::consts::DLL_EXTENSION;
        write(
            &folder.join("Makefile"),
            &format!("$(OUT)/hello.{extension}:\n\t@touch $@\n"),
        );
        let make = Make::new(root.path());
        let project = Project::at(&folder).unwrap();
        let library = make.build(&project, true).await.unwrap();
        assert!(library.ends_with(format!("hello.{extension}")) && library.is_file());
        write(&folder.join("Makefile"), "all:\n\t@false\n");
        let error = make.build(&project, true).await.unwrap_err();
        assert_eq!(error.to_string(), "the build failed");
    }
}
