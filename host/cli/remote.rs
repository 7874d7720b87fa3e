//! Which running host is asked, and as whom.

use std::fmt;

use clap::Args;

/// Which running host is asked, and as whom.
#[derive(Clone, Args)]
pub(crate) struct Remote {
    /// Where the host listens
    #[arg(long, env = "EXTHOST_URL", default_value = "http://127.0.0.1:7700")]
    pub(crate) url: String,
    /// A token that the host knows, made by `exthost token create`; better in the
    /// environment, where other users of the machine do not see it
    #[arg(long, env = "EXTHOST_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
