//! Who does the work: the host that serves, or this process where none does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exthost::data::{
    BackedUp, Restored, SlowStatement, Stored, StoredError, Vacuumed, check_target, take_out,
};
use exthost::name::PluginName;
use exthost::{DataDirectory, DataError, Host};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::Result;
use crate::cli::client::Client;
use crate::cli::data::operator::operator;
use crate::cli::place::{Configured, Place};
use crate::cli::remote::Access;

/// How long copying or rebuilding a database may take.
const WORK_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Who does the work.
#[derive(Debug)]
pub(super) enum Way {
    /// The host that uses the data directory, which is at hand if it is of this machine.
    Host(Client, Option<PathBuf>),
    /// This process, which has the directory to itself.
    Directory(Arc<DataDirectory>),
}

impl Way {
    /// Takes the data directory, or asks the host that has it.
    pub(super) async fn find(place: &Place, access: &Access) -> Result<Self> {
        let configured = place.read()?;
        let data = &configured.data;
        if !data.exists() {
            // It is on another machine, or nowhere.
            return match Self::of_host(access, &configured).await {
                Ok((client, _)) => Ok(Way::Host(client, None)),
                Err(error) => Err(format!(
                    "there is no data directory `{}` here, and {error}",
                    data.display()
                )
                .into()),
            };
        }
        match Host::builder()
            .config(configured.file.clone())
            .take_data(operator())
        {
            Ok(directory) => Ok(Way::Directory(Arc::new(directory))),
            Err(DataError::InUse { process, .. }) => {
                let asked = Self::of_host(access, &configured).await;
                let (client, its) = asked.map_err(|error| {
                    let by = process.map_or_else(String::new, |id| format!(" by process {id}"));
                    format!(
                        "the data directory `{}` is in use{by}, and {error}",
                        data.display()
                    )
                })?;
                let own = data.canonicalize()?;
                match own.to_str() == Some(&its) {
                    true => Ok(Way::Host(client, Some(own))),
                    false => Err(format!(
                        "the data directory `{}` is in use, and the host at {} has another one, \
                         `{its}`; name the right host with --url",
                        own.display(),
                        client.url()
                    )
                    .into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The host that answers, and its data directory.
    async fn of_host(access: &Access, configured: &Configured) -> Result<(Client, String)> {
        let client = access.client(&configured.file, configured.path.as_deref())?;
        let answer = client.read("/api/host/data").await?;
        let directory = answer["directory"].as_str().unwrap_or_default().to_owned();
        Ok((client, directory))
    }

    /// What each plugin has stored.
    pub(super) async fn list(&self) -> Result<Vec<Stored>> {
        match self {
            Way::Host(client, _) => {
                let mut answer = client.read("/api/host/data").await?;
                understood(answer["data"].take())
            }
            Way::Directory(directory) => blocking(directory, |data| data.list()).await,
        }
    }

    /// The statements of a plugin that took long.
    pub(super) async fn slow(&self, plugin: &PluginName) -> Result<Vec<SlowStatement>> {
        match self {
            Way::Host(client, _) => {
                let path = format!("/api/host/data/{plugin}/slow");
                understood(client.read(&path).await?["slow"].take())
            }
            Way::Directory(_) => Err(
                "slow statements are known to the host that serves, and none \
                                      does; start one with `exthost serve`"
                    .into(),
            ),
        }
    }

    /// Copies the database of a plugin.
    pub(super) async fn back_up(
        &self,
        plugin: &PluginName,
        to: Option<&Path>,
        force: bool,
    ) -> Result<BackedUp> {
        match self {
            // It writes nowhere but among the plugin's backups, whoever asks.
            Way::Host(client, data) => {
                if let Some(to) = to {
                    let data = data.as_deref().ok_or(
                        "the host is on another machine; leave --to out, and fetch the backup",
                    )?;
                    check_target(data, to, force)?;
                }
                let made: BackedUp = ask(client, plugin, "backup", Value::Null).await?;
                let Some(to) = to else { return Ok(made) };
                take_out(&made.file, to, force)?;
                Ok(made.at(to.to_owned()))
            }
            Way::Directory(directory) => {
                let (plugin, to) = (plugin.clone(), to.map(Path::to_owned));
                blocking(directory, move |data| {
                    data.back_up(&plugin, to.as_deref(), force)
                })
                .await
            }
        }
    }

    /// Puts a backup in the place of a plugin's database.
    pub(super) async fn restore(&self, plugin: &PluginName, file: &Path) -> Result<Restored> {
        match self {
            Way::Host(client, _) => ask(client, plugin, "restore", json!({ "file": file })).await,
            Way::Directory(directory) => {
                let (plugin, file) = (plugin.clone(), file.to_owned());
                blocking(directory, move |data| data.restore(&plugin, &file)).await
            }
        }
    }

    /// Rebuilds the database of a plugin.
    pub(super) async fn vacuum(&self, plugin: &PluginName) -> Result<Vacuumed> {
        match self {
            Way::Host(client, _) => ask(client, plugin, "vacuum", Value::Null).await,
            Way::Directory(directory) => {
                let plugin = plugin.clone();
                blocking(directory, move |data| data.vacuum(&plugin)).await
            }
        }
    }

    /// Removes all data of a plugin.
    pub(super) async fn remove(&self, plugin: &PluginName) -> Result<()> {
        match self {
            Way::Host(client, _) => {
                let _: Value = ask(client, plugin, "remove", Value::Null).await?;
                Ok(())
            }
            Way::Directory(directory) => {
                let plugin = plugin.clone();
                blocking(directory, move |data| data.remove(&plugin)).await
            }
        }
    }
}

async fn ask<T: DeserializeOwned>(
    client: &Client,
    plugin: &PluginName,
    verb: &str,
    body: Value,
) -> Result<T> {
    let path = format!("/api/host/data/{plugin}/{verb}");
    understood(client.post(&path, body.to_string(), WORK_TIMEOUT).await?)
}

fn understood<T: DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer)
        .map_err(|error| format!("the answer of the host is not understood: {error}").into())
}

async fn blocking<T: Send + 'static>(
    directory: &Arc<DataDirectory>,
    work: impl FnOnce(&DataDirectory) -> std::result::Result<T, StoredError> + Send + 'static,
) -> Result<T> {
    let directory = directory.clone();
    Ok(tokio::task::spawn_blocking(move || work(&directory)).await??)
}
