//! `exthost audit`: lists what was recorded, and finds out whether it was changed.

mod text;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use exthost::audit::{AuditError, AuditQuery, Noted, PublicKey, file_in, list, verify};
use exthost::config::Pattern;
use serde_json::json;

use crate::cli::logs::Since;
use crate::cli::place::Place;
use crate::cli::{Result, output};

/// Show who did what, and find out whether the record of it was changed
///
/// Both read audit.db in the folder where the host keeps its data, while a host serves
/// or when none does.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Verify(Verify),
}

/// List the newest records, oldest of them first
#[derive(Debug, Args)]
struct List {
    /// Only those of this plugin; "" for those of the host itself
    #[arg(long)]
    plugin: Option<String>,
    /// Only such actions, as in item.created, item.* or item.>
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    action: Option<Pattern>,
    /// Only what was done by this actor, or on its behalf: an id or a name
    #[arg(long)]
    actor: Option<String>,
    /// Only what was done to this: a kind, or a kind and an id as in item:7
    #[arg(long)]
    target: Option<String>,
    /// Only what was done in the course of this request
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Only since then: a time ago, as in 10m or 2h, or a time as in
    /// 2026-01-31T23:59:59Z
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only until then
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    until: Option<Since>,
    /// The newest of those, at most so many, and 1,000
    #[arg(short, default_value_t = 50)]
    n: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

/// Check the whole chain of records; the exit code is 1 if it was changed
///
/// It tells the first record that is wrong, and how. A whole copy of an earlier state
/// is not wrong by itself: note down what this prints from time to time, somewhere
/// else, and give it with --contains.
#[derive(Debug, Args)]
struct Verify {
    /// A record that must be there: what an earlier run has printed as the head
    #[arg(long, value_name = "SEQ:HASH")]
    contains: Vec<Noted>,
    /// The key that must have signed the newest record; the one in audit.key unless
    /// --file is given
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

/// Where the records are.
#[derive(Debug, Args)]
struct Source {
    /// A copy of audit.db, in place of the host's own
    #[arg(long)]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Audit {
    /// Does what was asked for, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Verify(verify) => verify.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<i32> {
        let time = |time: Option<Since>| time.map(|Since(ms)| ms.cast_signed());
        let query = AuditQuery {
            plugin: self.plugin,
            action: self.action,
            actor: self.actor,
            target: self.target,
            request: self.request,
            since_ms: time(self.since),
            until_ms: time(self.until),
            n: Some(self.n),
        };
        let listed = list(&self.source.file()?, &query, TIME);
        let records = match listed {
            // Which is so before the first record, and in the wrong folder.
            Err(error @ AuditError::NoFile { .. }) if self.source.file.is_none() => {
                output::note(error);
                Vec::new()
            }
            listed => listed?.records,
        };
        for record in records {
            match self.json {
                true => output::say(serde_json::to_string(&record)?),
                false => output::say(text::record(&record)),
            }
        }
        Ok(0)
    }
}

/// Whoever waits here can end it.
const TIME: Duration = Duration::from_secs(24 * 60 * 60);

impl Verify {
    fn run(self) -> Result<i32> {
        let key = match (&self.public_key, &self.source.file) {
            (Some(key), _) => Some(*key),
            (None, Some(_)) => None,
            (None, None) => match PublicKey::of(&self.source.place.read()?.data) {
                Err(error) => {
                    output::note(
                        "who may not read the key gives its public half with --public-key; verify \
                         prints that for who may",
                    );
                    return Err(error.into());
                }
                key => key?,
            },
        };
        match verify(&self.source.file()?, key, &self.contains) {
            Ok(verified) => {
                match self.json {
                    true => output::json(&verified)?,
                    false => output::say(format!("ok: {verified}")),
                }
                if key.is_none() {
                    output::note(
                        "the key is the one that the file itself names; compare it with the one \
                         you know, or give that with --public-key",
                    );
                }
                Ok(0)
            }
            Err(error @ AuditError::Tampered { .. }) if self.json => {
                output::json(&json!({ "code": error.code(), "error": error.to_string() }))?;
                Ok(1)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Source {
    fn file(&self) -> Result<PathBuf> {
        match &self.file {
            Some(file) => Ok(file.clone()),
            None => Ok(file_in(&self.place.read()?.data)),
        }
    }
}
