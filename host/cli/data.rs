//! `exthost data`: what plugins have stored, backups of it, and their way back.

mod operator;
mod text;
mod way;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use exthost::name::PluginName;

use crate::cli::place::Place;
use crate::cli::remote::Access;
use crate::cli::{Result, output};
use way::Way;

/// What is logged unless `EXTHOST_LOG` says otherwise: what was done and not recorded.
/// All else is in the answer.
pub(crate) const LOG: &str = "off,exthost::host::data=warn,exthost::services::audit=warn";

/// List, back up, restore, rebuild and remove what plugins have stored
///
/// A host that serves does it itself, and the plugins go on meanwhile; without one
/// it is done in the data directory, in which none can start until it is done. Either
/// way the audit has a record of it.
#[derive(Debug, Args)]
pub(crate) struct Data {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what each plugin has stored, installed or not
    List(At),
    /// Show the statements of a plugin that took long since the host began
    Slow {
        plugin: PluginName,
        #[command(flatten)]
        at: At,
    },
    Backup(Backup),
    /// Put a backup in the place of a plugin's database, which is kept
    ///
    /// The plugin goes on with it. Calls wait while the one takes the place of the
    /// other. Messages in the backup that were on their way are not sent again.
    Restore {
        plugin: PluginName,
        /// The backup, on the machine of the host
        file: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Rebuild a plugin's database without what it does not need
    ///
    /// Calls that write wait meanwhile. It takes as much space again as the database
    /// has.
    Vacuum {
        plugin: PluginName,
        #[command(flatten)]
        at: At,
    },
    /// Remove all that a plugin that does not serve has stored, backups too
    Remove {
        plugin: PluginName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        at: At,
    },
}

/// Copy a plugin's database, while the plugin goes on
#[derive(Debug, Args)]
struct Backup {
    #[arg(required_unless_present = "all")]
    plugin: Option<PluginName>,
    /// Those of all plugins; --to is a folder then
    #[arg(long, conflicts_with = "plugin")]
    all: bool,
    /// Where to, on the machine of the host; else among the plugin's backups, in the
    /// data directory
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace a backup that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    at: At,
}

/// Which data, and how the answer is shown.
#[derive(Debug, Args)]
struct At {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    access: Access,
    /// Print what has come of it as JSON
    #[arg(long)]
    json: bool,
}

impl Data {
    /// Does what was asked for, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        match self.command {
            Command::List(at) => {
                let stored = at.way().await?.list().await?;
                at.show(&stored, |stored| text::list(stored))?;
            }
            Command::Slow { plugin, at } => {
                let slow = at.way().await?.slow(&plugin).await?;
                at.show(&slow, |slow| text::slow(slow))?;
            }
            Command::Backup(backup) => return backup.run().await,
            Command::Restore { plugin, file, at } => {
                let file = std::path::absolute(file)?;
                let restored = at.way().await?.restore(&plugin, &file).await?;
                at.show(&restored, |restored| text::restored(&plugin, restored))?;
            }
            Command::Vacuum { plugin, at } => {
                let vacuumed = at.way().await?.vacuum(&plugin).await?;
                at.show(&vacuumed, |vacuumed| text::vacuumed(&plugin, vacuumed))?;
            }
            Command::Remove { plugin, yes, at } => {
                if !yes && !confirmed(&plugin)? {
                    return Err(format!("the data of {plugin} was not removed").into());
                }
                at.way().await?.remove(&plugin).await?;
                at.show(&serde_json::json!({ "removed": plugin }), |_| {
                    format!("the data of {plugin} is removed")
                })?;
            }
        }
        Ok(0)
    }
}

impl Backup {
    /// Makes one copy, or one after the other; one that fails keeps no other from
    /// being made.
    async fn run(self) -> Result<i32> {
        let way = self.at.way().await?;
        let to = self.to.as_deref().map(std::path::absolute).transpose()?;
        if let Some(plugin) = &self.plugin {
            let made = way.back_up(plugin, to.as_deref(), self.force).await?;
            self.at.show(&made, |made| text::backed_up(plugin, made))?;
            return Ok(0);
        }
        let mut code = 0;
        let mut all = Vec::new();
        for stored in way.list().await? {
            if stored.file_bytes == 0 && stored.damage.is_none() {
                // It has files, and no database.
                continue;
            }
            let plugin = PluginName::parse(&stored.plugin)?;
            let file = to.as_deref().map(|folder| file_in(folder, &plugin));
            match way.back_up(&plugin, file.as_deref(), self.force).await {
                Ok(made) => {
                    if !self.at.json {
                        output::say(text::backed_up(&plugin, &made));
                    }
                    all.push(made);
                }
                Err(error) => {
                    output::fail(format_args!("{plugin}: {error}"));
                    code = 1;
                }
            }
        }
        if self.at.json {
            output::json(&all)?;
        }
        Ok(code)
    }
}

impl At {
    async fn way(&self) -> Result<Way> {
        Way::find(&self.place, &self.access).await
    }

    fn show<T: serde::Serialize>(&self, answer: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        match self.json {
            true => output::json(answer),
            false => {
                output::say(text(answer));
                Ok(())
            }
        }
    }
}

fn file_in(folder: &Path, plugin: &PluginName) -> PathBuf {
    folder.join(format!("{plugin}.db"))
}

/// Asks whoever sits there.
fn confirmed(plugin: &PluginName) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(format!(
            "there is nobody to ask whether the data of {plugin} is to be removed; say --yes"
        )
        .into());
    }
    let mut asked = io::stderr().lock();
    write!(
        asked,
        "Remove all data of {plugin}, its backups too? [y/N] "
    )?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
