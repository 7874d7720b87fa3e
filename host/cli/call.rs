//! `exthost call`: one request to one plugin, without a server.

mod request;

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use exthost::config::ConfigFile;
use exthost::discovery::Candidate;
use exthost::inspect::inspect;
use exthost::name::PluginName;
use exthost::{Host, Refusal};
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use crate::cli::signals::End;
use crate::cli::{Result, output};
use request::Asked;

/// What is logged unless `EXTHOST_LOG` says otherwise: a refusal is told as the error.
pub(crate) const LOG: &str = "warn,exthost::host=off";

/// Time that the plugin has for its end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What a process ends with that a signal ended.
const SIGNALLED: i32 = 130;

/// Load one plugin, send it one request, and print the body of its answer
///
/// The plugin runs in this process, with data of its own that is removed in the end.
/// Nothing listens on any port, and no webhook is delivered.
///
/// The exit code is 0 when the plugin answers with a status of 2xx or 3xx, 1 with 4xx or
/// 5xx, 2 when there is no answer, as from a plugin that is refused.
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The plugin
    file: PathBuf,
    #[command(flatten)]
    asked: Asked,
    /// Print the answer's status and headers as well
    #[arg(short, long)]
    include: bool,
    /// The configuration that says the plugin's options, grants and limits; without it,
    /// the defaults hold
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Time for loading the plugin and for its whole answer
    #[arg(
        long, value_name = "N", default_value = "60000",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000)
    )]
    timeout_ms: u64,
}

impl Call {
    /// Prints the answer, and returns the exit code.
    pub(crate) async fn run(self) -> i32 {
        match self.call().await {
            Ok(code) => code,
            Err(error) => {
                output::error(&*error);
                2
            }
        }
    }

    async fn call(&self) -> Result<i32> {
        // Bad arguments are told before any code of the plugin runs.
        let inspected =
            inspect(Candidate::file(&self.file)).map_err(|why| Refusal::new(&self.file, why))?;
        let name = &inspected.meta().name;
        let request = self.asked.request(name)?;
        let config = match &self.config {
            Some(file) => of_one(name, ConfigFile::read(file)?),
            None => ConfigFile::default(),
        };
        let end = End::on_signal()?;
        let folder = tempfile::tempdir()
            .map_err(|error| format!("no temporary folder can be made: {error}"))?;
        let host = Host::builder()
            .config(config)
            .data(folder.path().join("data"))
            .development(true)
            .build()
            .await?;
        let limit = Duration::from_millis(self.timeout_ms);
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(limit, self.ask(&host, request)) => outcome,
            () = end.asked() => Ok(Ok(SIGNALLED)),
        };
        host.shutdown(STOP_TIMEOUT).await;
        outcome.unwrap_or_else(|_| {
            let ms = self.timeout_ms;
            Err(format!("the answer was not whole after {ms} ms; --timeout-ms allows more").into())
        })
    }

    /// Loads the plugin and prints its answer.
    async fn ask(&self, host: &Host, request: Request<Full<Bytes>>) -> Result<i32> {
        let name = host.install(&self.file).await?;
        let has_body = *request.method() != Method::HEAD;
        let Ok(response) = host.router().call(request).await;
        let status = response.status();
        self.print(response, has_body).await?;
        if status.is_client_error() || status.is_server_error() {
            output::fail(format_args!("{name} answers {status}"));
            return Ok(1);
        }
        Ok(0)
    }

    /// Prints a response as it comes.
    async fn print<B>(&self, response: Response<B>, has_body: bool) -> Result<()>
    where
        B: Body<Data = Bytes, Error: Display> + Unpin,
    {
        let (head, mut body) = response.into_parts();
        let mut printed = Printed::default();
        if self.include {
            let mut text = format!("{}\n", head.status).into_bytes();
            for (name, value) in &head.headers {
                text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
            }
            text.push(b'\n');
            printed.write(&text)?;
        }
        while let (true, Some(frame)) = (has_body && !printed.is_unread, body.frame().await) {
            let frame = frame.map_err(|error| format!("the answer breaks off: {error}"))?;
            if let Ok(data) = frame.into_data() {
                printed.write(&data)?;
            }
        }
        printed.end()
    }
}

/// What a configuration says of one plugin. Its data and its other plugins are left
/// alone, and its endpoints are told nothing of what is only tried out.
fn of_one(name: &PluginName, mut file: ConfigFile) -> ConfigFile {
    let mut config = ConfigFile::default();
    config.limits = file.limits;
    config.database = file.database;
    config.plugin.extend(file.plugin.remove_entry(name));
    for plugin in config.plugin.values_mut() {
        plugin.path = None;
    }
    config
}

/// What was written to stdout so far.
#[derive(Debug, Default)]
struct Printed {
    last: Option<u8>,
    /// Whether the reader has gone, which is no error.
    is_unread: bool,
}

impl Printed {
    /// # Errors
    /// When the answer does not fit where it goes, such as on a full disk.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        self.last = bytes.last().copied().or(self.last);
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.is_unread = true,
            written => {
                written.map_err(|error| format!("the answer cannot be written: {error}"))?;
            }
        }
        Ok(())
    }

    /// Ends the last line, for people; a program gets the body as it is.
    fn end(mut self) -> Result<()> {
        if self.last.is_some_and(|last| last != b'\n') && io::stdout().is_terminal() {
            self.write(b"\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_plugin_is_configured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exthost.toml");
        let text = r#"
            data = "precious"
            [plugins]
            directories = ["others"]
            [[webhook]]
            url = "https://hooks.example.com/notes"
            events = [">"]
            secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
            [database]
            host = "app.db"
            [plugin.notes]
            path = "elsewhere.so"
            tables = ["users"]
            options = { colour = "red" }
            [plugin.other]
        "#;
        std::fs::write(&path, text).unwrap();
        let name = PluginName::parse("notes").unwrap();
        let config = of_one(&name, ConfigFile::read(&path).unwrap());
        assert_eq!((config.data, config.plugins.directories), (None, None));
        assert!(config.webhook.is_empty());
        assert_eq!(config.database.host, Some(folder.path().join("app.db")));
        assert_eq!(config.plugin.len(), 1);
        let notes = &config.plugin[&name];
        assert_eq!(notes.path, None);
        assert_eq!(notes.tables, ["users"]);
        assert_eq!(notes.options["colour"], "red");
    }
}
