//! `exthost dev`: builds the plugins in some folders, serves them, and builds
//! them again whenever they change.

mod build;
mod cargo;
mod listen;
mod make;
mod project;
mod report;
mod session;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use exthost::Host;
use exthost::config::ConfigFile;
use exthost::data::make_directory;

use crate::cli::listen::bind;
use crate::cli::place::{Configured, Place};
use crate::cli::serving::{self, DRAIN_TIMEOUT};
use crate::cli::signals::End;
use crate::cli::{Result, output};
use build::Builder;
use session::Session;
use watch::Watch;

/// What is logged unless `EXTHOST_LOG` says otherwise: `exthost dev` itself
/// tells on stdout what the host's own lines would repeat.
pub(crate) const LOG: &str = "info,exthost::host=off";

/// Build plugins from source, serve them, and reload them when they change
///
/// A project is a folder with a Cargo.toml that makes a cdylib, or with a
/// Makefile; each DIR is one, or holds them in its folders.
///
/// Cargo projects are built with `cargo build`. C projects are built with
/// `make OUT=FOLDER`, which must leave exactly one library in FOLDER; where
/// exthost.h lies is in the environment variable EXTHOST_INCLUDE.
///
/// Watched are the files of each project, but not build outputs, hidden files
/// and Cargo.lock. A dependency that lies outside the project's folder is not
/// watched: save a file of the plugin, and both are built. New projects are
/// picked up. A project that no longer builds goes on serving as it did last.
///
/// Whoever can reach the address is the developer, so only loopback addresses
/// are served. Of the configuration, where to listen and where plugin files lie
/// are passed over.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Folders that are projects or hold them
    #[arg(default_value = "plugins", value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Where to serve; a loopback address, port 0 for any free one
    #[arg(
        long, env = "EXTHOST_LISTEN", value_name = "ADDR",
        default_value = "127.0.0.1:7700", value_parser = listen::parse
    )]
    listen: SocketAddr,
    #[command(flatten)]
    place: Place,
    /// Build cargo projects in release mode
    #[arg(long)]
    release: bool,
    /// End when a plugin does not build or is refused at the start
    #[arg(long)]
    strict: bool,
}

impl Dev {
    /// Serves until a signal, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        let roots = self.directories.iter().map(|path| root(path));
        let roots = roots.collect::<Result<Vec<_>>>()?;
        let Configured { file, data, .. } = self.place.read()?;
        // Before the builds, which may take a while; early clients wait.
        let listener = bind(self.listen).await?;
        let address = listener.local_addr()?;
        let end = End::on_signal()?;
        let data = data_directory(&data)?;
        // Also before the builds, so that no change is missed.
        let watch = Watch::start(&roots, &data)?;
        let host = Host::builder()
            .config(of_sources(file, &data))
            .database_memory(serving::DATABASE_MEMORY)
            .development(true)
            .strict(self.strict)
            .build()
            .await?;

        let builder = Builder::new(&data, self.release);
        let mut session = Session::new(host.clone(), builder, roots, address);
        let failures = tokio::select! {
            failures = session.begin() => failures,
            () = end.asked() => {
                host.shutdown(DRAIN_TIMEOUT).await;
                return Ok(0);
            }
        };
        if self.strict && failures > 0 {
            host.shutdown(DRAIN_TIMEOUT).await;
            return Err(
                format!("{failures} of the plugins do not serve, and --strict is set").into(),
            );
        }

        output::say(format_args!("serving on http://{address}, ctrl-c ends"));
        let following = tokio::spawn(session.follow(watch));
        serving::until(end, host, listener, || following.abort()).await;
        Ok(0)
    }
}

/// A folder that the developer named, with its path free of links.
fn root(path: &Path) -> Result<PathBuf> {
    let told = |why: &dyn std::fmt::Display| {
        format!(
            "`{}` {why}; name the folders of your plugins, as in `exthost dev DIR`",
            path.display()
        )
    };
    match path.canonicalize() {
        Ok(root) if root.is_dir() => Ok(root),
        Ok(_) => Err(told(&"is no folder").into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(told(&"does not exist").into())
        }
        Err(error) => Err(told(&format_args!("cannot be read: {error}")).into()),
    }
}

/// The configuration of a host whose plugins are all built here.
fn of_sources(mut file: ConfigFile, data: &Path) -> ConfigFile {
    file.data = Some(data.to_owned());
    file.plugins.directories = None;
    // What is built anew at every change cannot be agreed to by its content.
    file.plugins.locked = false;
    for plugin in file.plugin.values_mut() {
        plugin.path = None;
    }
    file
}

fn data_directory(path: &Path) -> Result<PathBuf> {
    let made = make_directory(path).and_then(|()| path.canonicalize());
    made.map_err(|error| {
        format!(
            "the data directory `{}` cannot be made: {error}; choose another with --data",
            path.display()
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let error = root(Path::new("no/such/folder")).unwrap_err().to_string();
        assert!(
            error.starts_with("`no/such/folder` does not exist; "),
            "{error}"
        );
        let error = root(Path::new("Cargo.toml")).unwrap_err().to_string();
        assert!(error.starts_with("`Cargo.toml` is no folder; "), "{error}");
    }
}
