//! Which `exthost.toml` counts, and where its host keeps data and plugins.

use std::path::{Path, PathBuf};

use clap::Args;
use exthost::config::ConfigFile;

use crate::cli::Result;

/// The file that counts if none is named and it is there.
const USUAL: &str = "exthost.toml";

/// Which `exthost.toml` counts, and where its host keeps data.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    config: ConfigPath,
    /// Where the host keeps its data; the folder data beside the configuration
    /// unless that says otherwise
    #[arg(long, env = "EXTHOST_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Which `exthost.toml` counts.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ConfigPath {
    /// The configuration; exthost.toml of the current folder if it is there
    #[arg(long, env = "EXTHOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a host is to be, with all its places.
#[derive(Debug)]
pub(crate) struct Configured {
    /// What stands in the file; places that it leaves out are filled in.
    pub(crate) file: ConfigFile,
    /// Where data is kept.
    pub(crate) data: PathBuf,
    /// The file, if there is one.
    pub(crate) path: Option<PathBuf>,
}

impl Place {
    /// Reads the configuration, and settles what it leaves out.
    pub(crate) fn read(&self) -> Result<Configured> {
        let (mut file, path) = self.config.read()?;
        let folder = path.as_deref().and_then(Path::parent);
        let beside = |name: &str| folder.unwrap_or(Path::new("")).join(name);
        let data = self.data.clone().or(file.data.take());
        let data = data.unwrap_or_else(|| beside("data"));
        file.plugins
            .directories
            .get_or_insert_with(|| vec![beside("plugins")]);
        file.data = Some(data.clone());
        Ok(Configured { file, data, path })
    }
}

impl ConfigPath {
    /// Reads the file that counts, and says which that is; it is empty if there is none.
    pub(crate) fn read(&self) -> Result<(ConfigFile, Option<PathBuf>)> {
        let usual = Path::new(USUAL);
        let path = match &self.config {
            Some(path) => Some(path.clone()),
            None => usual.exists().then(|| usual.to_owned()),
        };
        let file = match &path {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        Ok((file, path))
    }
}
