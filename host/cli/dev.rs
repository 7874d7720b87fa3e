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
use std::time::{Duration, Instant};

use clap::Args;
use exthost::Host;
use exthost::config::ConfigFile;
use exthost::http::{ServeOptions, serve};

use crate::cli::signals::End;
use crate::cli::{Result, output};
use build::Builder;
use session::Session;
use watch::Watch;

/// What is logged unless `EXTHOST_LOG` says otherwise: `exthost dev` itself
/// tells on stdout what the host's own lines would repeat.
pub(crate) const LOG: &str = "info,exthost::host=off";

/// Time from the signal to the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that plugins have for their end at least.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

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
/// are served.
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
    /// Where the host keeps its data, and what it builds with make
    #[arg(long, env = "EXTHOST_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Options of plugins, webhooks and the application's database; `exthost.toml`
    /// of the current folder if it is there
    #[arg(long, env = "EXTHOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
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
        let config = config(self.config.as_deref())?;
        // Before the builds, which may take a while; early clients wait.
        let listener = listen::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let end = End::on_signal()?;
        let data = data_directory(&self.data)?;
        // Also before the builds, so that no change is missed.
        let watch = Watch::start(&roots, &data)?;
        let host = Host::builder()
            .config(config)
            .data(&data)
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
        let router = host.router().merge(host.admin_router());
        let asked = async {
            end.asked().await;
            following.abort();
            host.begin_shutdown();
            Instant::now()
        };
        let asked_at = serve(listener, router, ServeOptions::default(), asked).await;
        // Connections may have used up most of the time.
        let left = DRAIN_TIMEOUT.saturating_sub(asked_at.elapsed());
        host.shutdown(left.max(STOP_TIMEOUT)).await;
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

/// What stands in the file that was named, or in the usual one.
fn config(named: Option<&Path>) -> Result<ConfigFile> {
    const USUAL: &str = "exthost.toml";
    match named {
        Some(file) => Ok(ConfigFile::read(file)?),
        None if Path::new(USUAL).exists() => Ok(ConfigFile::read(Path::new(USUAL))?),
        None => Ok(ConfigFile::default()),
    }
}

fn data_directory(path: &Path) -> Result<PathBuf> {
    let made = std::fs::create_dir_all(path).and_then(|()| path.canonicalize());
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
