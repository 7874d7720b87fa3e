//! Builds projects, whatever builds each of them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::cargo::Cargo;
use super::make::Make;
use super::project::{Kind, Project};
use crate::cli::Result;

/// Builds projects. What compilers print goes to stderr as it comes.
#[derive(Debug)]
pub(crate) struct Builder {
    cargo: Cargo,
    make: Make,
}

/// A project with the library that was built from it, or why there is none.
pub(crate) type Built = (Project, Result<PathBuf>);

impl Builder {
    /// A builder that keeps what make builds in `data`.
    pub(crate) fn new(data: &Path, release: bool) -> Self {
        Builder {
            cargo: Cargo::new(release),
            make: Make::new(data),
        }
    }

    /// Builds `projects`, in an order of its own; one that fails does not stop
    /// the others. A `quiet` build tells only what is wrong.
    pub(crate) async fn build(&self, projects: Vec<Project>, quiet: bool) -> Vec<Built> {
        let (cargo, make): (Vec<_>, Vec<_>) = projects
            .into_iter()
            .partition(|project| project.kind == Kind::Cargo);
        let mut built = self.cargo.build(cargo, quiet).await;
        for project in make {
            let library = self.make.build(&project, quiet).await;
            built.push((project, library));
        }
        built
    }
}

/// A build tool that is to run in `folder`, and ends with the host.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).kill_on_drop(true);
    command
}

/// The error of a tool that cannot be run.
pub(crate) fn cannot_run(program: &OsStr, error: &std::io::Error) -> String {
    let program = program.to_string_lossy();
    format!("`{program}` cannot be run: {error}; install it, or put it on the PATH")
}
