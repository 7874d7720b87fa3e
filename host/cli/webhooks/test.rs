//! `exthost webhooks test`: one signed message to a URL.

use clap::Args;
use exthost::config::{AddressRange, Endpoint, Secret};
use exthost::webhooks::{Trial, WebhookSettings, send_once};
use serde_json::Value;

use super::text;
use crate::cli::{Result, output};

/// Send one signed test message to a URL, as a host would
///
/// The exit code is 0 only if the endpoint answers 2xx.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Where to
    url: String,
    /// The secret it is signed with, whsec_...; without it one is made and shown
    #[arg(long, env = "EXTHOST_WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The event type
    #[arg(long, default_value = "exthost.test")]
    event: String,
    /// The payload
    #[arg(long, value_name = "JSON", default_value = r#"{"test":true}"#)]
    data: String,
    /// A range of addresses, or one, that may be connected to beside public ones
    #[arg(long, value_name = "CIDR")]
    allow: Vec<AddressRange>,
}

impl Test {
    /// Sends, prints what came of it, and returns the exit code.
    pub(super) async fn run(self) -> Result<i32> {
        serde_json::from_str::<Value>(&self.data).map_err(|error| {
            format!("--data is not JSON ({error}); give a value as in --data '{{\"id\":1}}'")
        })?;
        let secret = match self.secret {
            Some(secret) => secret,
            None => {
                let secret = Secret::generate()?.reveal();
                output::say(format_args!("secret  {secret}"));
                secret
            }
        };
        let mut settings = WebhookSettings::default();
        settings.allow = self.allow;
        let endpoint = Endpoint::new(&self.url).secret(&secret);
        let payload = self.data.into_bytes();
        let trial = send_once(endpoint, &settings, &self.event, payload).await;
        let trial = trial.map_err(|error| for_a_command(&error.to_string()))?;
        output::say(told(&trial));
        if trial.is_delivered() {
            return Ok(0);
        }
        output::fail(failure(&trial));
        Ok(1)
    }
}

fn told(trial: &Trial) -> String {
    let mut lines: Vec<String> = trial
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let took_ms = trial.took_ms;
    if let Some(status) = trial.status {
        lines.push(format!("status  {status} after {took_ms} ms"));
    }
    if let Some(answer) = text::shown(&trial.answer) {
        lines.push(format!("answer  {answer}"));
    }
    lines.join("\n")
}

/// Why it was not delivered, and the cure.
fn failure(trial: &Trial) -> String {
    let Some(status) = trial.status else {
        let error = trial.error.as_deref().unwrap_or("no answer");
        return match error.contains(';') {
            true => for_a_command(error),
            false => format!("{error}; check the URL, and that the receiver runs"),
        };
    };
    let cure = match status {
        300..=399 => "redirects are not followed; give the URL that it leads to",
        401 | 403 => "the receiver refuses the signature or the sender; compare the secrets",
        404 | 405 => "nothing takes a POST at this path; check the URL",
        410 => "the receiver wants no messages here; a host would disable the endpoint",
        429 => "the receiver is asked too often; set rate_per_second",
        _ => "only 2xx counts as delivered; look into the receiver's log",
    };
    format!("the endpoint answered {status}: {cure}")
}

/// An error with the cure for a command in the place of that for a file.
fn for_a_command(error: &str) -> String {
    let Some((why, cure)) = error.split_once(", add `allow = [\"") else {
        return error.to_owned();
    };
    let address = cure.split('"').next().unwrap_or_default();
    format!("{why}, pass --allow {address}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[tokio::test]
    async fn a_refused_address_is_told_the_option() {
        let endpoint = Endpoint::new("http://127.1/").secret(&Secret::generate().unwrap().reveal());
        let error = send_once(endpoint, &WebhookSettings::default(), "a", Vec::new()).await;
        assert_eq!(
            for_a_command(&error.unwrap_err().to_string()),
            "127.0.0.1 is refused: the address 127.0.0.1 is loopback (127.0.0.0/8); if the \
             endpoint belongs there, pass --allow 127.0.0.1"
        );
    }

    #[test]
    fn arguments() {
        Cli::try_parse_from([
            "exthost",
            "webhooks",
            "test",
            "http://a",
            "--allow",
            "10.0.0.0/8",
            "--allow",
            "::1",
        ])
        .unwrap();
        let error =
            Cli::try_parse_from(["exthost", "webhooks", "test", "http://a", "--allow", "x"]);
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("is not a range of addresses")
        );
        Cli::try_parse_from(["exthost", "webhooks", "replay"]).unwrap_err();
        Cli::try_parse_from(["exthost", "webhooks", "replay", "--endpoint", "a"]).unwrap();
    }
}
