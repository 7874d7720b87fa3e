//! Measures what reaches clients of `/api/broadcast` a second, beside the least
//! that could do it: a channel of ready frames behind the same sockets, without
//! rings, patterns, resuming and counts of what is lost.
//!
//! Both are up in this process, and short runs alternate. 1,000 clients need
//! 4,100 open files: `ulimit -n 8192`.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

#[expect(dead_code, reason = "there are no other programs to pin")]
#[path = "../../side_by_side/src/cores.rs"]
mod cores;
mod load;
mod server;
#[path = "../../side_by_side/src/spread.rs"]
mod spread;

use std::error::Error;
use std::time::Duration;

use clap::Parser;

use crate::load::Load;
use crate::server::Servers;
use crate::spread::Spread;

/// What goes wrong is told and ends the measuring.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures published messages beside a plain channel
#[derive(Debug, Parser)]
struct Arguments {
    /// Clients that listen
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1000])]
    clients: Vec<usize>,
    /// Messages that are published before all have heard them
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64])]
    burst: Vec<u64>,
    /// Pairs of runs
    #[arg(long, default_value_t = 20)]
    pairs: usize,
    /// Seconds of one run
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// What one run came to.
#[derive(Debug, Clone, Copy)]
struct Figures {
    per_second: f64,
    processor_ns: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Threads run where the one that started them did.
    cores::stay_on(cores::SERVER);
    let servers = Servers::start()?;
    cores::stay_on(cores::LOAD);
    for &clients in &arguments.clients {
        let load = Load::new()?;
        let plain = load.connect(servers.plain, clients)?;
        let host = load.connect(servers.host, clients)?;
        for &burst in &arguments.burst {
            let time = Duration::from_secs_f64(arguments.seconds);
            let run = |is_host: bool| -> Result<Figures> {
                let before = server::processor_ns()?;
                let publish = |n| servers.publish(is_host, n);
                let listening = if is_host { &host } else { &plain };
                let ran = load.run(listening, burst, time, publish)?;
                let processor = server::processor_ns()? - before;
                Ok(Figures {
                    per_second: ran.delivered as f64 / ran.elapsed.as_secs_f64(),
                    processor_ns: processor / ran.delivered as f64,
                })
            };
            let mut pairs = Vec::new();
            for pair in 0..=arguments.pairs {
                // A B B A, so that a drift meets both alike.
                let first = (pair % 2 == 0).then(|| run(false)).transpose()?;
                let host = run(true)?;
                let plain = first.map_or_else(|| run(false), Ok)?;
                // The first warms up.
                if pair > 0 {
                    pairs.push((plain, host));
                }
            }
            tell(clients, burst, &pairs);
        }
    }
    exthost::library::leave(0)
}

fn tell(clients: usize, burst: u64, pairs: &[(Figures, Figures)]) {
    let count = pairs.len();
    println!("{clients} clients, bursts of {burst}: {count} pairs; median (quartiles)");
    println!(
        "{:10}  {:34}  server CPU ns/message",
        "", "messages delivered/s"
    );
    let plain = pairs.iter().map(|(plain, _)| *plain);
    let host = pairs.iter().map(|(_, host)| *host);
    let ratio = pairs.iter().map(|(plain, host)| Figures {
        per_second: host.per_second / plain.per_second,
        processor_ns: host.processor_ns / plain.processor_ns,
    });
    row("channel", plain.collect(), 0);
    row("broadcast", host.collect(), 0);
    row("ratio", ratio.collect(), 3);
}

fn row(name: &str, runs: Vec<Figures>, digits: usize) {
    let per_second = Spread::of(runs.iter().map(|run| run.per_second));
    let processor = Spread::of(runs.iter().map(|run| run.processor_ns));
    println!("{name:10}  {per_second:34.digits$}  {processor:.digits$}");
}
