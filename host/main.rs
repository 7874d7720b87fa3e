//! The `exthost` command: arguments to a command, its outcome to an exit code.

mod cli;

use clap::Parser;

use crate::cli::{Cli, output};

fn main() {
    let code = match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            output::error(&*error);
            1
        }
    };
    // Not by returning: a plugin that hangs in a destructor would hold the
    // process.
    exthost::library::leave(code)
}
