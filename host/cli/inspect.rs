//! `exthost inspect`: what a file is, without running any of it.

use std::path::{Path, PathBuf};

use clap::Args;
use exthost::discovery::Candidate;
use exthost::inspect::{Capability, InspectError, Inspected, Meta, inspect};
use exthost::ownership::current_user;
use exthost::verify::{Policy, VerifyError, verify};
use serde_json::{Value, json};

use crate::cli::{Result, output};

/// Tell what plugin files are; nothing in them runs
///
/// Files of all platforms are read on every platform. The exit code is 1 when
/// one of them is no plugin at all.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Plugin files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON array with an object for each file
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Prints what was found, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        // As exthost serve, run by the same user.
        let policy = Policy {
            user: current_user(),
            ..Policy::default()
        };
        let mut code = 0;
        let mut values = Vec::new();
        for file in self.files {
            let inspected = inspect(Candidate::file(&file));
            if let (Err(why), false) = (&inspected, self.json) {
                output::fail(format_args!("{}: {}: {why}", file.display(), why.code()));
            }
            match inspected {
                Err(why) => {
                    code = 1;
                    values.push(unreadable(&file, &why));
                }
                Ok(inspected) if self.json => values.push(value(inspected, &policy)?),
                Ok(inspected) => output::say(text(inspected, &policy) + "\n"),
            }
        }
        if self.json {
            output::json(&values)?;
        }
        Ok(code)
    }
}

/// A file that is no plugin, as JSON.
fn unreadable(file: &Path, why: &InspectError) -> Value {
    json!({
        "file": file.display().to_string(),
        "loads_here": false,
        "refusal": refusal(why.code(), &why.to_string()),
    })
}

/// An inspected file as JSON.
fn value(inspected: Inspected, policy: &Policy) -> Result<Value> {
    let mut value = serde_json::to_value(inspected.summary())?;
    let verified = verify(inspected, policy);
    value["loads_here"] = verified.is_ok().into();
    value["refusal"] = match verified {
        Ok(_) => Value::Null,
        Err(why) => refusal(why.code(), &why.to_string()),
    };
    Ok(value)
}

fn refusal(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

/// An inspected file for people.
fn text(inspected: Inspected, policy: &Policy) -> String {
    let mut rows = facts(&inspected, policy);
    rows.push(("loads here", loads(verify(inspected, policy).map(drop))));
    align(&rows)
}

fn loads(verified: std::result::Result<(), VerifyError>) -> String {
    match verified {
        Ok(()) => "yes".to_owned(),
        Err(why) => format!("no, {}: {why}", why.code()),
    }
}

/// What is told of a file, in the order of an author's interest.
fn facts(inspected: &Inspected, policy: &Policy) -> Vec<(&'static str, String)> {
    let meta = inspected.meta();
    let mut rows = vec![
        ("file", inspected.path().display().to_string()),
        ("size", format!("{} bytes", inspected.size())),
        ("hash", inspected.hash().to_hex().to_string()),
        ("target", inspected.target().to_string()),
        ("name", meta.name.to_string()),
        ("version", meta.version.to_string()),
        ("api", meta.api.to_string()),
        ("sdk", meta.sdk.clone()),
        ("panic", format!("{:?}", meta.panic).to_lowercase()),
        ("needs", list(&meta.needs)),
        ("wants", list(&meta.wants)),
        ("not here", list(&absent(meta, policy))),
        ("after", list(&meta.after)),
        ("requires", list(&meta.requires)),
        ("priority", meta.priority.to_string()),
    ];
    let texts = [
        ("description", &meta.description),
        ("license", &meta.license),
        ("authors", &meta.authors),
        ("repository", &meta.repository),
        ("homepage", &meta.homepage),
    ];
    rows.extend(texts.map(|(key, text)| (key, text.clone().unwrap_or_default())));
    let other: Vec<_> = meta.other.iter().map(|(k, v)| format!("{k}={v}")).collect();
    rows.push(("other", list(&other)));
    let tables = meta
        .tables
        .iter()
        .map(|table| format!("{}/{}={}", table.id, table.revision, table.fingerprint));
    rows.push(("tables", list(&tables.collect::<Vec<_>>())));
    rows.push(("libraries", list(inspected.needed())));
    let glibc = inspected.glibc().map(|glibc| format!("{glibc} or later"));
    rows.push(("glibc", glibc.unwrap_or_default()));
    if inspected.restart_only() {
        let why = "a new version takes effect after a restart of the host";
        rows.push(("reload", why.to_owned()));
    }
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

/// What the plugin wants and this host does not have.
fn absent<'a>(meta: &'a Meta, policy: &Policy) -> Vec<&'a Capability> {
    let wants = meta.wants.iter();
    let absent = wants.filter(|want| !policy.capabilities.contains(want));
    absent.collect()
}

fn list(items: &[impl ToString]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

/// Lines of `key: value` with the values under one another; control characters
/// of a file cannot reach the terminal.
fn align(rows: &[(&'static str, String)]) -> String {
    let width = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0) + 1;
    let lines: Vec<_> = rows
        .iter()
        .map(|(key, value)| {
            let value: String = value.chars().map(printable).collect();
            format!("{:width$} {value}", format!("{key}:"))
        })
        .collect();
    lines.join("\n")
}

fn printable(c: char) -> char {
    match c.is_control() {
        true => '\u{fffd}',
        false => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_one_another() {
        let rows = [
            ("file", "a.so".to_owned()),
            ("loads here", "yes".to_owned()),
        ];
        assert_eq!(align(&rows), "file:       a.so\nloads here: yes");
    }

    #[test]
    fn a_file_cannot_write_to_the_terminal() {
        let rows = [("name", "a\u{1b}[2Jb\n".to_owned())];
        assert_eq!(align(&rows), "name: a\u{fffd}[2Jb\u{fffd}");
    }

    #[test]
    fn a_refusal_is_the_last_line() {
        let why = VerifyError::NoDoor {
            symbol: "exthost_plugin",
        };
        assert_eq!(loads(Ok(())), "yes");
        assert!(loads(Err(why)).starts_with("no, no-door: "));
    }
}
