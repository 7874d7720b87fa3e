//! `exthost list`: what a running host has loaded and refused.

pub(super) mod client;

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use exthost::registry::RefusedStatus;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{Result, output};
use client::Client;

/// List the plugins of a running host
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Where the host listens
    #[arg(long, env = "EXTHOST_URL", default_value = "http://127.0.0.1:7700")]
    url: String,
    /// Print what the host answers, as JSON
    #[arg(long)]
    json: bool,
}

/// What of the host's answer is shown.
#[derive(Debug, Deserialize)]
struct Status {
    plugins: Vec<Plugin>,
    #[serde(default)]
    refused: Vec<RefusedStatus>,
}

/// Fields of a later host are passed over.
#[derive(Debug, Deserialize)]
struct Plugin {
    name: String,
    version: String,
    state: String,
    generation: u64,
    requests: u64,
    in_flight: u64,
    faults: u64,
    file: String,
}

impl List {
    /// Prints the plugins, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        let answer: Value = Client::new(&self.url)?.read("/api/host/plugins").await?;
        if self.json {
            output::json(&answer)?;
            return Ok(0);
        }
        let status = Status::deserialize(answer)
            .map_err(|error| format!("the answer of {} is not understood: {error}", self.url))?;
        output::say(text(&status));
        Ok(0)
    }
}

fn text(status: &Status) -> String {
    let mut text = match status.plugins.is_empty() {
        true => "no plugins".to_owned(),
        false => table(&status.plugins),
    };
    for refused in &status.refused {
        let RefusedStatus {
            file,
            code,
            message,
            ..
        } = refused;
        text += &format!("\nrefused  {code}  {}: {message}", file.display());
    }
    text
}

fn table(plugins: &[Plugin]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "name",
        "version",
        "state",
        "generation",
        "requests",
        "in flight",
        "faults",
        "file",
    ]);
    for plugin in plugins {
        table.add_row([
            plugin.name.clone(),
            plugin.version.clone(),
            plugin.state.clone(),
            plugin.generation.to_string(),
            plugin.requests.to_string(),
            plugin.in_flight.to_string(),
            plugin.faults.to_string(),
            plugin.file.clone(),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (3..=6).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> Value {
        json!({
            "plugins": [{
                "name": "hello", "version": "0.1.0", "state": "serving", "generation": 2,
                "requests": 1234, "in_flight": 0, "faults": 0, "file": "plugins/libhello.so",
                "from_a_later_host": [],
            }],
            "refused": [{
                "file": "plugins/old.so", "code": "api-too-new",
                "message": "upgrade the host", "code_ran": false,
            }],
        })
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let text = text(&Status::deserialize(status()).unwrap());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "name   version  state    generation  requests  in flight  faults  file",
                "hello  0.1.0    serving           2      1234          0       0  plugins/libhello.so",
                "refused  api-too-new  plugins/old.so: upgrade the host",
            ]
        );
    }

    #[test]
    fn a_host_without_plugins() {
        let status = Status::deserialize(json!({ "plugins": [] })).unwrap();
        assert_eq!(text(&status), "no plugins");
    }
}
