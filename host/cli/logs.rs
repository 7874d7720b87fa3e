//! `exthost logs`: the latest lines of a running host's log.

mod text;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use clap::builder::PossibleValuesParser;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::remote::Remote;
use crate::cli::{Result, output};

/// Time between two looks with `-f`.
const PERIOD: Duration = Duration::from_secs(1);

/// Most lines that a host keeps.
const LINES_MAX: usize = 10_000;

/// Show the latest lines that a running host's log had
///
/// These are the lines of plugins, and those of the host from info up.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Only of this plugin, or about it
    #[arg(long)]
    plugin: Option<String>,
    /// Only as important as this
    #[arg(long, value_parser = PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"]))]
    level: Option<String>,
    /// Only since then: a time ago, as in 10m or 2h, or a time as in
    /// 2026-01-31T23:59:59Z
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// The latest of those, at most so many
    #[arg(short, default_value_t = 50)]
    n: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Go on with further lines as they come, until ctrl-c
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    remote: Remote,
}

/// A time from which on lines are shown, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since(pub(super) u64);

impl Since {
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        let ago = humantime::parse_duration(text).ok();
        let ago = ago.and_then(|ago| SystemTime::now().checked_sub(ago));
        let time = ago.or_else(|| humantime::parse_rfc3339(text).ok());
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let since = since.ok_or("give a time ago, as in 10m, or one as in 2026-01-31T23:59:59Z")?;
        Ok(Since(since.as_millis() as u64))
    }
}

/// What of the host's answer is understood; lines are shown as they are.
#[derive(Debug, Deserialize)]
struct Answer {
    lines: Vec<Value>,
    last: u64,
}

impl Logs {
    /// Prints the lines, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        let client = self.remote.client()?;
        let last = self.show(&client, self.n, None).await?;
        if !self.follow {
            return Ok(0);
        }
        tokio::select! {
            ended = self.go_on(&client, last) => ended,
            signal = tokio::signal::ctrl_c() => Ok(signal.map(|()| 0)?),
        }
    }

    /// Shows further lines until the host is gone.
    async fn go_on(&self, client: &Client, mut last: u64) -> Result<i32> {
        loop {
            tokio::time::sleep(PERIOD).await;
            let now = self.show(client, LINES_MAX, Some(last)).await?;
            // A host that was started anew counts from the beginning.
            last = if now < last { 0 } else { now };
        }
    }

    /// Shows the `n` latest lines, of those `after` one; returns the number of the
    /// last line of all.
    async fn show(&self, client: &Client, n: usize, after: Option<u64>) -> Result<u64> {
        let answer = client.read(&self.path(n, after)).await?;
        let answer = Answer::deserialize(answer).map_err(|error| {
            format!("the answer of {} is not understood: {error}", client.url())
        })?;
        for line in &answer.lines {
            match self.json {
                true => output::say(line),
                false => output::say(text::line(line)),
            }
        }
        Ok(answer.last)
    }

    fn path(&self, n: usize, after: Option<u64>) -> String {
        let mut path = format!("/api/host/logs?n={n}");
        let parameters = [
            ("plugin", self.plugin.clone()),
            ("level", self.level.clone()),
            ("since", self.since.map(|Since(ms)| ms.to_string())),
            ("after", after.map(|after| after.to_string())),
        ];
        for (name, value) in parameters {
            if let Some(value) = value {
                path += &format!("&{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ages_or_times() {
        let Since(time) = Since::parse("1970-01-01T00:00:01Z").unwrap();
        assert_eq!(time, 1000);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let Since(ago) = Since::parse("2h").unwrap();
        let hours = Duration::from_millis(now.as_millis() as u64 - ago);
        assert_eq!(
            hours.as_secs() / 60,
            120 - u64::from(hours.as_secs() < 7200)
        );
        for bad in ["", "10", "yesterday", "-5m"] {
            assert!(Since::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_asked_for_is_encoded() {
        let logs = Logs {
            plugin: Some("a&b".to_owned()),
            level: None,
            since: Some(Since(5)),
            n: 50,
            json: false,
            follow: false,
            remote: Remote::default(),
        };
        assert_eq!(
            logs.path(3, Some(7)),
            "/api/host/logs?n=3&plugin=a%26b&since=5&after=7"
        );
    }
}
