//! `exthost completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Cli, Result, output};

/// Print what a shell needs to complete commands and options
///
/// For bash: exthost completions bash > ~/.local/share/bash-completion/completions/exthost
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "exthost", &mut script);
        output::say(String::from_utf8(script)?.trim_end());
        Ok(0)
    }
}
