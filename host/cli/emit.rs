//! `exthost emit`: one event, to all who hear it or to one plugin.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use clap::{Args, ValueEnum};
use exthost::config::EventName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::client::TIMEOUT;
use crate::cli::remote::Remote;
use crate::cli::{Result, output};

/// Largest payload in bytes, which is that of every event.
const DATA_BYTES_MAX: u64 = 1024 * 1024;

/// The time that a host gives all filters unless it is told another.
const DEADLINE: Duration = Duration::from_secs(5);

/// Ask the filters of an event and tell its observers, or send it to one plugin
///
/// DATA is JSON, null without it; `-` reads it from stdin, `@FILE` from a file. A
/// text wants quotes of its own: exthost emit note.created '"milk"'
///
/// The exit code is 0 when the event passed or was queued, 1 when a plugin refuses
/// it, 2 for errors.
#[derive(Debug, Args)]
pub(crate) struct Emit {
    /// The event's name, as in note.created
    #[arg(value_parser = EventName::parse)]
    name: EventName,
    /// The payload
    #[arg(allow_hyphen_values = true)]
    data: Option<String>,
    /// Send it to this plugin alone, now or once it is ready; no filter is asked
    #[arg(long, value_name = "PLUGIN", conflicts_with_all = ["policy", "deadline_ms"])]
    to: Option<String>,
    /// What a filter that fails means: open passes it over, closed takes it for a
    /// veto
    #[arg(long, value_enum, default_value = "fail-closed")]
    policy: FilterPolicy,
    /// Time for all filters; 5000 without it, 300000 at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=300_000))]
    deadline_ms: Option<u64>,
    #[command(flatten)]
    remote: Remote,
    /// Print what the host answers, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FilterPolicy {
    FailOpen,
    FailClosed,
}

/// One event for one plugin, as the host reads it.
#[derive(Debug, Serialize)]
struct Dispatch<'a> {
    plugin: &'a str,
    event: &'a str,
    data: &'a RawValue,
}

/// What the filters made of an event. Fields of a later host are passed over.
#[derive(Debug, Deserialize)]
struct Decision {
    payload: Value,
    vetoed_by: Option<String>,
    reason: Option<String>,
}

/// What became of an event for one plugin.
#[derive(Debug, Deserialize)]
struct Sent {
    plugin: String,
    /// None while the plugin is not ready.
    subscriptions: Option<u64>,
}

impl Emit {
    /// Emits, prints what came of it, and returns the exit code.
    pub(crate) async fn run(self) -> i32 {
        match self.emit().await {
            Ok(code) => code,
            Err(error) => {
                output::error(&*error);
                2
            }
        }
    }

    async fn emit(&self) -> Result<i32> {
        let client = self.remote.client()?;
        let data = data(self.data.as_deref())?;
        let answer = match &self.to {
            Some(plugin) => {
                let dispatch = Dispatch {
                    plugin,
                    event: self.name.as_ref(),
                    data: &data,
                };
                let body = serde_json::to_string(&dispatch)?;
                client.post("/api/host/dispatch", body, TIMEOUT).await?
            }
            None => {
                let body = String::from(Box::<str>::from(data));
                client.post(&self.path(), body, self.patience()).await?
            }
        };
        let understood = match &self.to {
            Some(_) => Sent::deserialize(&answer).map(|sent| (sent.text(&self.name), 0)),
            None => Decision::deserialize(&answer).map(|decision| decision.outcome()),
        };
        let (text, code) = understood.map_err(|error| {
            format!("the answer of {} is not understood: {error}", client.url())
        })?;
        match self.json {
            true => output::json(&answer)?,
            false => output::say(text),
        }
        Ok(code)
    }

    /// Where the host asks the filters.
    fn path(&self) -> String {
        let policy = match self.policy {
            FilterPolicy::FailOpen => "fail_open",
            FilterPolicy::FailClosed => "fail_closed",
        };
        let mut path = format!("/api/host/events/{}?policy={policy}", self.name);
        if let Some(ms) = self.deadline_ms {
            path += &format!("&deadline_ms={ms}");
        }
        path
    }

    /// How long the host may take to answer.
    fn patience(&self) -> Duration {
        TIMEOUT + self.deadline_ms.map_or(DEADLINE, Duration::from_millis)
    }
}

impl Decision {
    /// What a person reads of it, and the exit code.
    fn outcome(&self) -> (String, i32) {
        match &self.vetoed_by {
            None => (format!("passed: {}", self.payload), 0),
            Some(plugin) => {
                let reason = in_one_line(self.reason.as_deref().unwrap_or_default());
                (format!("{plugin} refuses: {reason}"), 1)
            }
        }
    }
}

impl Sent {
    fn text(&self, event: &EventName) -> String {
        let plugin = &self.plugin;
        match self.subscriptions {
            None => format!("waits until {plugin} is ready"),
            Some(0) => format!("no subscription of {plugin} listens to {event}"),
            Some(1) => format!("queued for 1 subscription of {plugin}"),
            Some(count) => format!("queued for {count} subscriptions of {plugin}"),
        }
    }
}

/// The payload that an argument stands for.
fn data(argument: Option<&str>) -> Result<Box<RawValue>> {
    match argument {
        None => Ok(RawValue::NULL.to_owned()),
        Some("-") => json(&read(io::stdin().lock(), "stdin")?, "stdin"),
        Some(argument) => match argument.strip_prefix('@') {
            Some(path) => {
                let file = File::open(path)
                    .map_err(|error| format!("the file `{path}` cannot be opened: {error}"))?;
                json(&read(file, path)?, path)
            }
            None => json(argument, "DATA"),
        },
    }
}

/// Reads a payload from what is called `source` in errors.
fn read(from: impl Read, source: &str) -> Result<String> {
    let mut text = String::new();
    let read = from.take(DATA_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| format!("{source} cannot be read: {error}"))?;
    match text.len() as u64 > DATA_BYTES_MAX {
        true => {
            Err(format!("{source} has more than {DATA_BYTES_MAX} bytes, which no event may").into())
        }
        false => Ok(text),
    }
}

/// Checks that `text` of `source` is JSON.
fn json(text: &str, source: &str) -> Result<Box<RawValue>> {
    let value: serde_json::Result<&RawValue> = serde_json::from_str(text);
    value.map(RawValue::to_owned).map_err(|error| {
        format!("{source} is not JSON ({error}); a text wants quotes of its own, as in '\"text\"'")
            .into()
    })
}

/// A reason in one line, safe for a terminal.
fn in_one_line(reason: &str) -> String {
    let mut line = String::new();
    for character in reason.trim().chars() {
        match character {
            '"' | '\'' | '\\' => line.push(character),
            character => line.extend(character.escape_debug()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        emit: Emit,
    }

    fn parse(arguments: &[&str]) -> std::result::Result<Emit, String> {
        let all = ["emit"].iter().chain(arguments);
        let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
        Ok(command.emit)
    }

    #[test]
    fn what_is_asked_for_reaches_the_host() {
        let emit = parse(&["core.email.validate", "\"a@b\""]).unwrap();
        assert_eq!(
            emit.path(),
            "/api/host/events/core.email.validate?policy=fail_closed"
        );
        assert_eq!(emit.patience(), Duration::from_secs(15));
        let emit = parse(&["a", "-1", "--policy", "fail-open", "--deadline-ms", "20000"]).unwrap();
        assert_eq!(
            emit.path(),
            "/api/host/events/a?policy=fail_open&deadline_ms=20000"
        );
        assert_eq!(emit.patience(), Duration::from_secs(30));
        assert_eq!(data(emit.data.as_deref()).unwrap().get(), "-1");
    }

    #[test]
    fn what_cannot_be_is_refused_before_it_is_sent() {
        for (arguments, part) in [
            (&["a.*"][..], "`a.*` is no event name"),
            (
                &["a", "--policy", "open"],
                "[possible values: fail-open, fail-closed]",
            ),
            (&["a", "--deadline-ms", "0"], "1..=300000"),
            (
                &["a", "--to", "b", "--policy", "fail-open"],
                "cannot be used with",
            ),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_payload_is_json_from_wherever_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.json");
        let at = format!("@{}", file.display());
        let missing = data(Some(&at)).unwrap_err().to_string();
        assert!(missing.contains("cannot be opened"), "{missing}");
        std::fs::write(&file, "{\"b\": 1,\n \"a\": 2}\n").unwrap();
        let read = data(Some(&at)).unwrap();
        assert_eq!(read.get(), "{\"b\": 1,\n \"a\": 2}");
        std::fs::write(&file, vec![b' '; DATA_BYTES_MAX as usize + 1]).unwrap();
        let large = data(Some(&at)).unwrap_err().to_string();
        assert!(large.ends_with("has more than 1048576 bytes, which no event may"));
        assert_eq!(data(None).unwrap().get(), "null");
        for bad in ["milk", "", "{a: 1}", "1 2"] {
            let error = data(Some(bad)).unwrap_err().to_string();
            assert!(error.starts_with("DATA is not JSON ("), "{error}");
            assert!(error.ends_with("as in '\"text\"'"), "{error}");
        }
    }

    #[test]
    fn the_texts() {
        let outcome = |answer: Value| Decision::deserialize(answer).unwrap().outcome();
        let passed = json!({"payload": {"a": "b"}, "vetoed_by": null, "reason": null, "new": 1});
        assert_eq!(outcome(passed), ("passed: {\"a\":\"b\"}".to_owned(), 0));
        let vetoed =
            json!({"payload": 1, "vetoed_by": "email-guard", "reason": "it's\u{1b}[31m\nevil"});
        let text = "email-guard refuses: it's\\u{1b}[31m\\nevil";
        assert_eq!(outcome(vetoed), (text.to_owned(), 1));

        let name = EventName::parse("a.b").unwrap();
        for (subscriptions, text) in [
            (Value::Null, "waits until notes is ready"),
            (json!(0), "no subscription of notes listens to a.b"),
            (json!(1), "queued for 1 subscription of notes"),
            (json!(2), "queued for 2 subscriptions of notes"),
        ] {
            let answer = json!({"plugin": "notes", "ready": true, "subscriptions": subscriptions});
            assert_eq!(Sent::deserialize(answer).unwrap().text(&name), text);
        }
    }
}
