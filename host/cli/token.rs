//! `exthost token`: makes, lists and revokes the tokens that hosts take.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use exthost::auth::{Scope, TokenEntry, TokenFile};
use serde_json::{Value, json};

use crate::cli::place::Place;
use crate::cli::{Result, output};

/// Make, list and revoke the tokens by which `exthost serve` knows who asks
///
/// A host that serves takes changes over within a second. Scopes of the host are
/// host.read (status, lists, logs), host.manage (reload, replay, enable), host.events
/// (ask the filters of an event), host.dispatch (send an event to one plugin) and
/// host.metrics; plugins have scopes of their own.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    /// List the tokens; they themselves are shown only once, when they are made
    List {
        #[command(flatten)]
        place: Place,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// End a token
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Make a token, and print it: alone on stdout, what it may on stderr
#[derive(Debug, Args)]
struct Create {
    /// Its name, in the log and in lists
    name: String,
    /// What it may do, as in host.read or notes:write; several may be given
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// Give it all scopes of the host
    #[arg(long)]
    admin: bool,
    /// How long it counts, as in 90s, 15m, 12h or 30d
    #[arg(long, value_name = "TIME", default_value = "never", value_parser = Lifetime::parse)]
    expires: Lifetime,
    #[command(flatten)]
    place: Place,
    /// Print a JSON object with the token
    #[arg(long)]
    json: bool,
}

/// How long a token counts, if it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lifetime(Option<Duration>);

impl Token {
    /// Does what was asked for, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        match self.command {
            Command::Create(create) => create.run()?,
            Command::List { place, json } => {
                let tokens = file(&place)?.list()?;
                match json {
                    true => output::json(&tokens.iter().map(value).collect::<Vec<_>>())?,
                    false => output::say(table(&tokens)),
                }
            }
            Command::Revoke { name, place } => {
                file(&place)?.revoke(&name)?;
                output::say(format_args!("{name} is revoked"));
            }
        }
        Ok(0)
    }
}

impl Create {
    fn run(mut self) -> Result<()> {
        if self.admin {
            self.scopes.extend(Scope::all_of_host());
        }
        let file = file(&self.place)?;
        let (token, entry) = file.create(&self.name, &self.scopes, self.expires.0)?;
        if self.json {
            let mut value = value(&entry);
            value["token"] = token.reveal().into();
            return output::json(&value);
        }
        output::note(told(&entry));
        output::say(token.reveal());
        Ok(())
    }
}

impl Lifetime {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        if text == "never" {
            return Ok(Lifetime(None));
        }
        match humantime::parse_duration(text) {
            Ok(time) => Ok(Lifetime(Some(time))),
            Err(error) => Err(format!("{error}; give a time as in 12h or 30d, or never")),
        }
    }
}

/// Where the tokens of a host stand.
fn file(place: &Place) -> Result<TokenFile> {
    Ok(TokenFile::of(place.read()?.data))
}

/// What a new token may do.
fn told(token: &TokenEntry) -> String {
    let name = &token.name;
    let scopes = match token.scopes.as_slice() {
        [] => "no scopes: routes that ask for none answer it".to_owned(),
        scopes => scopes.join(", "),
    };
    let ends = match token.expires_ms {
        Some(at) => format!("until {}", time(at)),
        None => "until it is revoked".to_owned(),
    };
    format!("{name} has {scopes}; it counts {ends}, and is shown only now:")
}

fn value(token: &TokenEntry) -> Value {
    json!({
        "name": token.name,
        "scopes": token.scopes,
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "expired": token.is_expired(),
    })
}

fn table(tokens: &[TokenEntry]) -> String {
    if tokens.is_empty() {
        return "no tokens".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["name", "created", "expires", "scopes"]);
    for token in tokens {
        let expires = match token.expires_ms {
            None => "never".to_owned(),
            Some(_) if token.is_expired() => "expired".to_owned(),
            Some(at) => time(at),
        };
        table.add_row([
            token.name.clone(),
            time(token.created_ms),
            expires,
            token.scopes.join(", "),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// A time as people and other programs read it.
fn time(ms: u64) -> String {
    let mut text = String::new();
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(ms));
    let written = time.map(|time| write!(text, "{}", humantime::format_rfc3339_seconds(time)));
    match written {
        Some(Ok(())) => text,
        _ => "after the year 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("0s", 0),
        ] {
            let expected = Lifetime(Some(Duration::from_secs(seconds)));
            assert_eq!(Lifetime::parse(text), Ok(expected));
        }
        assert_eq!(Lifetime::parse("never"), Ok(Lifetime(None)));
        for text in ["", "30", "d", "-1d", "1x", "99999999999999999999d", "1ä"] {
            let error = Lifetime::parse(text).unwrap_err();
            assert!(error.ends_with("as in 12h or 30d, or never"), "{error}");
        }
    }

    #[test]
    fn what_is_told_of_a_token() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        assert_eq!(table(&[]), "no tokens");
        let scopes = [Scope::parse("host.read").unwrap()];
        let (_, never) = file.create("never", &scopes, None).unwrap();
        let (_, over) = file.create("over", &[], Some(Duration::ZERO)).unwrap();
        let told_of_it = told(&never);
        assert!(told_of_it.starts_with("never has host.read; it counts until it is revoked"));
        assert!(told(&over).starts_with("over has no scopes: "));
        let table = table(&[never.clone(), over.clone()]);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].starts_with("name   created "), "{table}");
        assert!(lines[1].ends_with("Z  never    host.read"), "{table}");
        assert!(lines[2].ends_with("Z  expired"), "{table}");
        assert_eq!(value(&over)["expired"], true);
        assert_eq!(value(&never)["expires_ms"], Value::Null);
        assert_eq!(time(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(time(u64::MAX), "after the year 9999");
    }
}
