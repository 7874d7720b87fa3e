//! Which running host is asked, and as whom.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use clap::Args;
use exthost::config::ConfigFile;

use crate::cli::Result;
use crate::cli::client::Client;
use crate::cli::place::ConfigPath;
use crate::cli::serve::LISTEN;

/// Which running host is asked, and as whom, by a command that needs nothing else of
/// the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Remote {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    config: ConfigPath,
}

/// Where a running host listens, and as whom it is asked.
#[derive(Clone, Default, Args)]
pub(crate) struct Access {
    /// Where the host listens; else where the configuration says, and else
    /// http://127.0.0.1:7700
    #[arg(long, env = URL)]
    url: Option<String>,
    /// A token that the host knows, made by `exthost token create`; better in the
    /// environment, where other users of the machine do not see it
    #[arg(long, env = "EXTHOST_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// The URL of a host, and who says that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) url: String,
    /// As in `as --url says`.
    pub(crate) whence: String,
}

/// The variable that names the URL.
const URL: &str = "EXTHOST_URL";

impl Remote {
    /// Whoever is to be asked.
    pub(crate) fn client(&self) -> Result<Client> {
        let named = match self.access.named() {
            Some(named) => named,
            None => {
                let read = self.config.read();
                let (file, path) = read.map_err(|error| {
                    format!("{error}; where the host listens stands there, or is said with --url")
                })?;
                listening(&file, path.as_deref())?
            }
        };
        Client::new(named, self.access.token.as_deref())
    }
}

impl Access {
    /// Whoever is to be asked of a host with the configuration `file`, which was read
    /// from `path`.
    pub(crate) fn client(&self, file: &ConfigFile, path: Option<&Path>) -> Result<Client> {
        let named = match self.named() {
            Some(named) => named,
            None => listening(file, path)?,
        };
        Client::new(named, self.token.as_deref())
    }

    /// The host that is named beside the configuration, if one is.
    fn named(&self) -> Option<Named> {
        let url = self.url.clone()?;
        let by = match std::env::var(URL).is_ok_and(|of_environment| of_environment == url) {
            true => URL,
            false => "--url",
        };
        let whence = format!("as {by} says");
        Some(Named { url, whence })
    }
}

/// Where a host with this configuration listens.
fn listening(file: &ConfigFile, path: Option<&Path>) -> Result<Named> {
    let (Some(listen), Some(path)) = (file.listen, path) else {
        return Ok(Named {
            url: format!("http://{LISTEN}"),
            whence: "the default".to_owned(),
        });
    };
    let path = path.display();
    let mut address = SocketAddr::from(listen);
    if address.port() == 0 {
        return Err(format!(
            "`listen` in {path} is port 0, for any that is free; say with --url which it is"
        )
        .into());
    }
    // It listens on all interfaces, of which one is this machine's own.
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(Named {
        url: format!("http://{address}"),
        whence: format!("as `listen` in {path} says"),
    })
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_where_its_configuration_says() {
        let mut file = ConfigFile::default();
        let path = Some(Path::new("exthost.toml"));
        let mut told = |listen: Option<&str>| {
            file.listen = listen.map(|listen| listen.parse().unwrap());
            listening(&file, path).map(|named| (named.url, named.whence))
        };
        let default = ("http://127.0.0.1:7700".to_owned(), "the default".to_owned());
        assert_eq!(told(None).unwrap(), default);
        for (listen, url) in [
            ("localhost:80", "http://127.0.0.1:80"),
            ("10.1.0.1:7701", "http://10.1.0.1:7701"),
            ("0.0.0.0:7701", "http://127.0.0.1:7701"),
            ("[::]:7701", "http://[::1]:7701"),
        ] {
            let whence = "as `listen` in exthost.toml says".to_owned();
            assert_eq!(told(Some(listen)).unwrap(), (url.to_owned(), whence));
        }
        let error = told(Some("127.0.0.1:0")).unwrap_err().to_string();
        assert!(
            error.contains("port 0") && error.contains("--url"),
            "{error}"
        );
    }
}
