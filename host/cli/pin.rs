//! `exthost pin`: agrees to the plugins that are there, by content and by what
//! they may use.

use clap::Args;
use exthost::inspect::Capability;
use exthost::ownership::current_user;
use exthost::pins::{Pins, PinsError};
use exthost::{Examined, Host};
use serde_json::json;

use crate::cli::place::{Configured, Place};
use crate::cli::{Result, output};

mod change;

use change::{Change, Kind};

/// Agree to the plugins that are there: writes exthost.lock
///
/// Each plugin is pinned with the content of its file and what it may use. With
/// `locked = true` in [plugins] of exthost.toml nothing else is loaded. One that is
/// pinned already and needs more than it was granted is pinned anew only when that is
/// agreed to with --grant. Nothing in the files runs.
///
/// The exit code is 0 only if every plugin, or each that is named, is pinned.
#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// Only these plugins
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Grant the named plugins a capability beyond those of their pins, such as
    /// webhooks/1; may be repeated
    #[arg(long, value_name = "CAPABILITY", requires = "names")]
    grant: Vec<Capability>,
    /// Write nothing; the exit code tells whether all is pinned
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    place: Place,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Pin {
    /// Writes the pins, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        let configured = self.place.read()?;
        let lock_file = configured.file.plugins.lock_file.clone();
        let user = current_user().filter(|_| configured.file.plugins.check_owners);
        let before = match Pins::read(&lock_file, user) {
            Err(PinsError::Unreadable { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Pins::default()
            }
            pins => pins?,
        };
        let examined = examine(&configured)?;
        let (after, changes) = self.settle(&before, &examined);
        let wrong = changes.iter().any(Change::is_wrong);
        // A name that is not there in a wrong folder leaves no file behind.
        let changed = after != before || (!wrong && !lock_file.exists());
        if changed && !self.check {
            after
                .write(&lock_file)
                .map_err(|why| format!("{} cannot be written: {why}", lock_file.display()))?;
        }
        match self.json {
            true => output::json(&json!({
                "lock_file": lock_file,
                "locked": configured.file.plugins.locked,
                "plugins": changes,
            }))?,
            false => self.print(&configured, &changes, &examined),
        }
        let refused = self.names.is_empty() && !examined.refused.is_empty();
        Ok(i32::from(wrong || refused || (changed && self.check)))
    }

    /// The pins as they are to be, and what becomes of each plugin.
    fn settle(&self, before: &Pins, examined: &Examined) -> (Pins, Vec<Change>) {
        let is_named = |name: &str| self.names.is_empty() || self.names.iter().any(|it| it == name);
        let mut after = before.clone();
        let mut changes = Vec::new();
        for plugin in &examined.admitted {
            let name = &plugin.meta().name;
            // What is compiled into a program is no file to pin.
            if plugin.inspected().embedded().is_some() || !is_named(name.as_str()) {
                continue;
            }
            let (change, pin) = Change::of(plugin, before.of(name.as_str()), &self.grant);
            if let Some(pin) = pin {
                after.insert(name.clone(), pin);
            }
            changes.push(change);
        }
        let is_there = |name: &str| {
            let admitted = examined.admitted.iter();
            let mut admitted = admitted.map(|plugin| plugin.meta().name.as_str());
            let mut disabled = examined.disabled.iter().map(|plugin| plugin.name.as_str());
            admitted.any(|it| it == name) || disabled.any(|it| it == name)
        };
        for name in &self.names {
            let mut disabled = examined.disabled.iter();
            if let Some(off) = disabled.find(|off| off.name == *name) {
                let reason = off.reason.clone();
                changes.push(Change::bare(name, Kind::Disabled { reason }));
            } else if !is_there(name) {
                changes.push(Change::bare(name, Kind::NotFound));
            }
        }
        // A file that is refused may be that of any pin.
        if self.names.is_empty() && examined.refused.is_empty() {
            for (name, _) in before.iter().filter(|(name, _)| !is_there(name.as_str())) {
                after.remove(name.as_str());
                changes.push(Change::bare(name.as_str(), Kind::Gone));
            }
        }
        (after, changes)
    }

    fn print(&self, configured: &Configured, changes: &[Change], examined: &Examined) {
        changes.iter().for_each(output::say);
        // One that was not found may be in a file that is refused.
        if self.names.is_empty() || changes.iter().any(Change::is_not_found) {
            for refusal in &examined.refused {
                output::note(format_args!("not pinned: {refusal}"));
            }
        }
        if changes.is_empty() && examined.refused.is_empty() {
            output::note("no plugins were found");
        }
        if !configured.file.plugins.locked {
            output::note(
                "the pins count once exthost.toml says `locked = true` in [plugins], or exthost \
                 serve is given --locked",
            );
        }
    }
}

/// What the directories hold, whatever was pinned before.
fn examine(configured: &Configured) -> std::result::Result<Examined, PinsError> {
    let mut file = configured.file.clone();
    file.plugins.locked = false;
    Host::builder().config(file).examine()
}
