//! `exthost list`: what a running host has loaded and refused.

mod table;

use std::io::{self, IsTerminal};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::remote::Remote;
use crate::cli::{Result, output};
use table::Status;

/// Time between two looks with `--watch`.
const PERIOD: Duration = Duration::from_secs(1);

/// List the plugins of a running host
///
/// Requests, errors (answers of 5xx) and faults are those of all generations of a
/// plugin; req/s and p99 are of the last minute. The exit code is 0 also when files
/// were refused.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    remote: Remote,
    /// Print what the host answers, as JSON
    #[arg(long)]
    json: bool,
    /// Look again each second, until ctrl-c
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

impl List {
    /// Prints the plugins, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        if self.watch {
            return self.watch().await;
        }
        let answer = self.ask().await?;
        match self.json {
            true => output::json(&answer)?,
            false => output::say(self.text(&answer)?),
        }
        Ok(0)
    }

    /// Draws the list over itself.
    async fn watch(&self) -> Result<i32> {
        if !io::stdout().is_terminal() {
            return Err("--watch draws on a terminal, and stdout is none; leave it out".into());
        }
        let drawing = async {
            let mut ticks = tokio::time::interval(PERIOD);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let text = match self.ask().await {
                    Ok(answer) => self.text(&answer),
                    // The host may be there again in a moment.
                    Err(error) => Ok(error.to_string()),
                };
                output::redraw(&text?);
            }
        };
        tokio::select! {
            ended = drawing => ended,
            signal = tokio::signal::ctrl_c() => Ok(signal.map(|()| 0)?),
        }
    }

    async fn ask(&self) -> Result<Value> {
        self.remote.client()?.read("/api/host/plugins").await
    }

    fn text(&self, answer: &Value) -> Result<String> {
        let status = Status::deserialize(answer)
            .map_err(|error| format!("the answer of the host is not understood: {error}"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(status.text(now.as_millis() as u64, output::may_colour()))
    }
}
