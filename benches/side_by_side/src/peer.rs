//! The servers that are measured: built, started, and looked at from outside.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::call::call;
use crate::{Result, cores};

/// What was built, and where it runs.
#[derive(Debug)]
pub(crate) struct Programs {
    built: PathBuf,
    directory: TempDir,
}

impl Programs {
    /// Builds the servers and the plugins, as this program was built.
    pub(crate) fn build() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let packages = ["bench-limit", "bench-host", "items", "listeners"];
        let built = Command::new(cargo)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--release", "--quiet"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .status()?;
        if !built.success() {
            return Err("the servers did not build".into());
        }
        let this = std::env::current_exe()?;
        let target = this
            .parent()
            .and_then(Path::parent)
            .ok_or("no target directory")?;
        let programs = Programs {
            built: target.join("release"),
            directory: tempfile::tempdir()?,
        };
        std::fs::create_dir(programs.plugins())?;
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        for plugin in ["items", "listeners"] {
            let library = format!("{prefix}{plugin}{suffix}");
            std::fs::copy(
                programs.built.join(&library),
                programs.plugins().join(&library),
            )?;
        }
        Ok(programs)
    }

    /// A directory that holds the plugins and nothing else.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.directory.path().join("plugins")
    }

    /// A new directory, for data.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        // It goes with the directory around it.
        Ok(TempDir::new_in(self.directory.path())?.keep())
    }

    /// Starts the limit.
    pub(crate) fn limit(&self) -> Result<Peer> {
        let data = self.data()?;
        Peer::start("limit", &self.built.join("bench-limit"), &[&data])
    }

    /// Starts the host.
    pub(crate) fn host(&self) -> Result<Peer> {
        let (data, plugins) = (self.data()?, self.plugins());
        Peer::start(
            "exthost",
            &self.built.join("bench-host"),
            &[&data, &plugins],
        )
    }
}

/// A server as a child process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Peer {
    fn start(name: &'static str, program: &Path, directories: &[&Path]) -> Result<Self> {
        let mut child = cores::command_on(cores::SERVER, program)
            .arg("0")
            .args(directories)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("serving on http://");
        let address = address.ok_or_else(|| format!("{name} ended before it served"))?;
        Ok(Peer {
            name,
            address: address.parse()?,
            child,
        })
    }

    /// Puts 1,000 rows in place of all there are.
    pub(crate) fn fill(&self) -> Result<()> {
        call(self.address, "POST", "fill?rows=1000").map(drop)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> Result<u64> {
        let counted = call(self.address, "GET", "count")?;
        Ok(counted["rows"].as_u64().ok_or("count without rows")?)
    }

    /// Seconds of processor time taken so far, by all threads, in user and
    /// kernel mode; 0 where there is no `/proc`.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The name, in parentheses, may hold blanks.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum::<f64>()
            / TICKS_PER_SECOND
    }
}

/// What Linux tells programs, whatever it counts itself.
const TICKS_PER_SECOND: f64 = 100.0;

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
