//! `exthost check`: whether all plugins of some directories would load.

use std::path::{Path, PathBuf};

use clap::Args;
use exthost::pins::PinsError;
use exthost::registry::DisabledStatus;
use exthost::verify::Verified;
use exthost::{Examined, Host, HostBuilder, Refusal};
use serde_json::{Value, json};

use crate::cli::{Result, output};

/// Tell whether all plugins in directories would load; nothing in them runs
///
/// Prints the plugins in the order of their start, then the refused files. The
/// exit code is 0 only if nothing is refused.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Directories of plugin files
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Prints the outcome, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        let examined = examine(self.directories)?;
        match self.json {
            true => output::json(&value(&examined))?,
            false => print(&examined),
        }
        Ok(i32::from(!examined.refused.is_empty()))
    }
}

fn examine(directories: Vec<PathBuf>) -> std::result::Result<Examined, PinsError> {
    let builder = Host::builder();
    let add = |builder: HostBuilder, directory| builder.directory(directory);
    directories.into_iter().fold(builder, add).examine()
}

/// Prints what would become of each plugin.
pub(crate) fn print(examined: &Examined) {
    examined.admitted.iter().map(ok).for_each(output::say);
    for DisabledStatus { name, reason, .. } in &examined.disabled {
        output::say(format_args!("off {name}: {reason}"));
    }
    examined.refused.iter().map(no).for_each(output::say);
    for name in &examined.missing {
        output::say(format_args!(
            "no  {name} is configured, and no file of that name was found"
        ));
    }
    if examined.admitted.is_empty() && examined.refused.is_empty() {
        output::say("no plugins");
    }
}

fn ok(plugin: &Verified) -> String {
    let (meta, path) = (plugin.meta(), plugin.inspected().path());
    format!("ok  {} {} ({})", meta.name, meta.version, file_name(path))
}

fn no(refusal: &Refusal) -> String {
    format!(
        "no  {}  {}: {}",
        refusal.code(),
        refusal.file().display(),
        refusal.message()
    )
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The same as JSON.
pub(crate) fn value(examined: &Examined) -> Value {
    let plugin = |plugin: &Verified| {
        json!({
            "name": plugin.meta().name,
            "version": plugin.meta().version,
            "file": plugin.inspected().path(),
        })
    };
    let refusal = |refusal: &Refusal| {
        json!({
            "file": refusal.file(),
            "code": refusal.code(),
            "message": refusal.message(),
        })
    };
    json!({
        "plugins": examined.admitted.iter().map(plugin).collect::<Vec<_>>(),
        "refused": examined.refused.iter().map(refusal).collect::<Vec<_>>(),
        "disabled": examined.disabled,
        "missing": examined.missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_both_forms() {
        let gone = PathBuf::from("no/such/directory");
        let examined = examine(vec![gone]).unwrap();
        assert!(examined.admitted.is_empty());
        let line = no(&examined.refused[0]);
        assert!(
            line.starts_with("no  unreadable-directory  no/such/directory: "),
            "{line}"
        );
        let value = value(&examined);
        assert_eq!(value["plugins"], json!([]));
        assert_eq!(value["refused"][0]["code"], "unreadable-directory");
        assert_eq!(value["refused"][0]["file"], "no/such/directory");
    }

    #[test]
    fn a_plugin_is_named_by_its_file() {
        assert_eq!(file_name(Path::new("plugins/libhello.so")), "libhello.so");
    }
}
