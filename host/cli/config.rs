//! `exthost config`: whether a configuration is sound, and its JSON Schema.

use clap::{Args, Subcommand};
use exthost::config::ConfigFile;
use exthost::{Examined, Host};

use crate::cli::place::{Configured, Place};
use crate::cli::{Result, check, output};

/// Check exthost.toml, or print its JSON Schema for editors
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether the configuration is sound and which plugins would load with it
    ///
    /// No code of a plugin runs, so what a plugin says to its options is not
    /// known. The exit code is 0 only if nothing is refused and every plugin that
    /// the configuration names was found.
    Check {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of exthost.toml
    Schema,
}

impl Config {
    /// Does what was asked for, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        match self.command {
            Command::Check { place, json } => check(&place.read()?, json),
            Command::Schema => {
                output::json(&ConfigFile::schema())?;
                Ok(0)
            }
        }
    }
}

fn check(configured: &Configured, json: bool) -> Result<i32> {
    let examined = Host::builder().config(configured.file.clone()).examine()?;
    if json {
        output::json(&check::value(&examined))?;
    } else {
        if let Some(path) = &configured.path {
            output::say(format_args!("ok  {}", path.display()));
        }
        check::print(&examined);
    }
    let Examined {
        refused, missing, ..
    } = examined;
    Ok(i32::from(!refused.is_empty() || !missing.is_empty()))
}
