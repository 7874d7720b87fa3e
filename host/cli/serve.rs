//! `exthost serve`: serves the plugins in some directories, as `exthost.toml`
//! says.

mod report;

use std::net::SocketAddr;

use clap::Args;
use exthost::auth::Tokens;
use exthost::config::ListenAddress;
use exthost::{BuildError, Host};

use crate::cli::listen::bind;
use crate::cli::place::{Configured, Place};
use crate::cli::signals::{End, Hangup};
use crate::cli::{Result, output, serving};

/// What is logged unless `EXTHOST_LOG` says otherwise: what is printed on stdout
/// is not repeated.
pub(crate) const LOG: &str = "info,exthost::host=off";

/// Where a host listens of which nothing is said.
pub(crate) const LISTEN: &str = "127.0.0.1:7700";

/// Serve the plugin files in directories, as exthost.toml says
///
/// Without a configuration it serves the files in the folder plugins on
/// 127.0.0.1:7700. Whoever asks is known by a token (`exthost token create`);
/// without one only public routes answer.
///
/// SIGHUP reads the configuration again and looks at all files again: plugins
/// that came or changed are loaded, those that went are retired, and no request
/// is lost. A configuration with an error changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen, in place of what the configuration says; port 0 for any
    /// free one
    #[arg(long, env = "EXTHOST_LISTEN", value_name = "ADDR")]
    listen: Option<ListenAddress>,
    /// Load no plugin at all
    #[arg(long)]
    no_plugins: bool,
    /// Load only this plugin; several may be given
    #[arg(long, value_name = "NAME", conflicts_with = "no_plugins")]
    only: Vec<String>,
    /// Load only the plugins that exthost.lock pins, as if the configuration said
    /// `locked = true`
    #[arg(long)]
    locked: bool,
    /// End when a plugin is refused at the start
    #[arg(long)]
    strict: bool,
}

impl Serve {
    /// Serves until a signal, and returns the exit code.
    pub(crate) async fn run(self) -> Result<i32> {
        let configured = self.read()?;
        let end = End::on_signal()?;
        let hangup = Hangup::listen()?;
        let listener = bind(self.address(&configured)?).await?;
        let address = listener.local_addr()?;
        let tokens = Tokens::open(&configured.data)?;
        let host = match self.build(&configured, tokens).await {
            Ok(host) => host,
            Err(error) => {
                report::not_built(&error);
                return Err(error.into());
            }
        };
        report::begun(&host.status(), address);
        output::say(format_args!(
            "serving on http://{address}, ctrl-c ends, SIGHUP reads all anew"
        ));
        let reloading = tokio::spawn(self.reload(host.clone(), configured, hangup));
        serving::until(end, host, listener, || reloading.abort()).await;
        Ok(0)
    }

    fn read(&self) -> Result<Configured> {
        let mut configured = self.place.read()?;
        configured.file.plugins.locked |= self.locked;
        Ok(configured)
    }

    fn address(&self, configured: &Configured) -> Result<SocketAddr> {
        let said = self.listen.or(configured.file.listen);
        Ok(match said {
            Some(address) => address.into(),
            None => LISTEN.parse::<ListenAddress>()?.into(),
        })
    }

    async fn build(
        &self,
        configured: &Configured,
        tokens: Tokens,
    ) -> std::result::Result<Host, BuildError> {
        let builder = Host::builder()
            .config(configured.file.clone())
            .database_memory(serving::DATABASE_MEMORY)
            .authenticator(tokens)
            .plugins_enabled(!self.no_plugins)
            .strict(self.strict);
        let builder = match self.only.is_empty() {
            true => builder,
            false => builder.only(&self.only),
        };
        builder.build().await
    }

    /// Takes over what changes, at each hangup.
    async fn reload(self, host: Host, begun: Configured, mut hangup: Hangup) {
        loop {
            hangup.next().await;
            let configured = match self.read() {
                Ok(configured) => configured,
                Err(error) => {
                    tracing::error!("{error}; everything stays as it was");
                    continue;
                }
            };
            for what in kept(&begun, &configured) {
                tracing::warn!(
                    "{what} has changed since the start; it takes effect when the host starts again"
                );
            }
            match host.reconfigure(configured.file).await {
                Ok(outcome) => report::reconfigured(&outcome),
                Err(error) => tracing::error!("{error}; everything stays as it was"),
            }
        }
    }
}

/// What only another start takes over.
fn kept(begun: &Configured, now: &Configured) -> Vec<&'static str> {
    let changed = [
        ("`listen`", begun.file.listen != now.file.listen),
        ("`data`", begun.data != now.data),
    ];
    let changed = changed.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(what, _)| what).collect()
}
