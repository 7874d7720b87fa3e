//! `exthost webhooks`: endpoints, deliveries and dead letters of a running host,
//! and a test message to any URL.

mod test;
mod text;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::remote::Remote;
use crate::cli::{Result, output};

/// Show webhooks of a running host, replay dead letters, test an endpoint
#[derive(Debug, Args)]
pub(crate) struct Webhooks {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the endpoints
    List(At),
    /// List deliveries, newest first, with their attempts
    Deliveries {
        /// Only to this endpoint
        #[arg(long)]
        endpoint: Option<String>,
        /// Only in this state: pending, leased, done or dead
        #[arg(long)]
        state: Option<String>,
        /// Only of this plugin
        #[arg(long)]
        plugin: Option<String>,
        /// At most so many
        #[arg(short, default_value_t = 20)]
        n: usize,
        #[command(flatten)]
        at: At,
    },
    /// Deliver dead letters again, under their own id
    Replay {
        /// Those of this message, msg_...
        #[arg(required_unless_present = "endpoint")]
        id: Option<String>,
        /// All of this endpoint
        #[arg(long, conflicts_with = "id")]
        endpoint: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Send to an endpoint again that was disabled by an answer of 410
    Enable {
        /// The endpoint's name
        name: String,
        #[command(flatten)]
        at: At,
    },
    Test(test::Test),
}

/// Which host, and how its answer is shown.
#[derive(Debug, Args)]
struct At {
    #[command(flatten)]
    remote: Remote,
    /// Print what the host answers, as JSON
    #[arg(long)]
    json: bool,
}

impl Webhooks {
    /// Does what was asked for, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        match self.command {
            Command::Test(test) => return test.run().await,
            Command::List(at) => {
                let answer = at.client()?.read("/api/host/webhooks").await?;
                at.show(&answer, text::endpoints)?;
            }
            Command::Deliveries {
                endpoint,
                state,
                plugin,
                n,
                at,
            } => {
                let path = deliveries_path(endpoint, state, plugin, n);
                let answer = at.client()?.read(&path).await?;
                at.show(&answer, text::deliveries)?;
            }
            Command::Replay { id, endpoint, at } => {
                let which = match (id, endpoint) {
                    (Some(id), _) => json!({ "id": id }),
                    (None, endpoint) => json!({ "endpoint": endpoint }),
                };
                let client = at.client()?;
                let answer = client.send("/api/host/webhooks/replay", &which).await?;
                at.show(&answer, |answer| {
                    Ok(format!(
                        "{} dead letters are queued again",
                        answer["replayed"]
                    ))
                })?;
            }
            Command::Enable { name, at } => {
                let path = format!("/api/host/webhooks/endpoints/{}/enable", encoded(&name));
                let answer = at.client()?.send(&path, &Value::Null).await?;
                at.show(&answer, |_| Ok(format!("{name} is sent to again")))?;
            }
        }
        Ok(0)
    }
}

impl At {
    fn client(&self) -> Result<Client> {
        self.remote.client()
    }

    fn show(&self, answer: &Value, text: impl Fn(&Value) -> Result<String>) -> Result<()> {
        if self.json {
            return output::json(answer);
        }
        let text = text(answer)
            .map_err(|error| format!("the answer of the host is not understood: {error}"))?;
        output::say(text);
        Ok(())
    }
}

fn deliveries_path(
    endpoint: Option<String>,
    state: Option<String>,
    plugin: Option<String>,
    n: usize,
) -> String {
    let mut path = format!("/api/host/webhooks/deliveries?n={n}");
    for (name, value) in [("endpoint", endpoint), ("state", state), ("plugin", plugin)] {
        if let Some(value) = value {
            path += &format!("&{name}={}", encoded(&value));
        }
    }
    path
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_encoded() {
        let path = deliveries_path(Some("a&b".to_owned()), None, Some("notes".to_owned()), 5);
        assert_eq!(
            path,
            "/api/host/webhooks/deliveries?n=5&endpoint=a%26b&plugin=notes"
        );
    }
}
