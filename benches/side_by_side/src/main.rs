//! Measures the host beside its limit: the same work compiled into axum.
//!
//! The speed of a machine drifts by a quarter between minutes, so nothing but the
//! ratio of runs that stand side by side is worth comparing: both servers are up,
//! and short runs alternate.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod boundary;
mod call;
mod cores;
mod embedded;
mod listeners;
mod load;
mod pairs;
mod peer;
mod plain;
mod spread;
mod together;
mod work;

use std::error::Error;

use clap::{Parser, ValueEnum};

use crate::peer::Programs;

/// What goes wrong is told and ends the measuring.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures the host beside its limit
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure
    #[arg(required = true)]
    what: Vec<What>,
    /// Pairs of runs
    #[arg(long, default_value_t = 20)]
    pairs: usize,
    /// Seconds of one run against a server
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections that are kept busy
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// A greeting, without the database
    Hello,
    /// The 20 newest of 1,000 rows
    List,
    /// One row a request, acknowledged once committed
    Insert,
    /// The database's calls against plain rusqlite, without HTTP
    Db,
    /// The database with several readers and writers at a time, without HTTP
    DbTogether,
    /// Events that are emitted and heard against a channel of tokio's, without HTTP
    Events,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let programs = Programs::build()?;
    let work = |work| pairs::measure(&programs, work, &arguments);
    for what in &arguments.what {
        match what {
            What::Hello => work(&work::HELLO)?,
            What::List => work(&work::LIST)?,
            What::Insert => work(&work::INSERT)?,
            What::Db => boundary::measure(&programs, arguments.pairs)?,
            What::DbTogether => together::measure(&programs, arguments.pairs)?,
            What::Events => listeners::measure(&programs, arguments.pairs)?,
        }
    }
    // Loaded plugins are not to run destructors.
    exthost::library::leave(0)
}
