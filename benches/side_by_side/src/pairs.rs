//! Runs against both servers in turn, and what they come to.

use std::time::Duration;

use crate::peer::{Peer, Programs};
use crate::spread::Spread;
use crate::work::Work;
use crate::{Arguments, Result, cores, load};

/// What one run came to.
#[derive(Debug, Clone, Copy)]
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    processor_us: f64,
}

/// Measures both servers and prints what was found.
pub(crate) fn measure(
    programs: &Programs,
    work: &'static Work,
    arguments: &Arguments,
) -> Result<()> {
    cores::stay_on(cores::LOAD);
    let (limit, host) = (programs.limit()?, programs.host()?);
    let time = Duration::from_secs_f64(arguments.seconds);
    let run = |peer, time| run(peer, work, arguments.connections, time);
    for peer in [&limit, &host] {
        run(peer, Duration::from_secs(1))?;
    }
    let (mut of_limit, mut of_host) = (Vec::new(), Vec::new());
    for pair in 0..arguments.pairs {
        // A B B A, so that a drift meets both alike.
        if pair % 2 == 0 {
            of_limit.push(run(&limit, time)?);
            of_host.push(run(&host, time)?);
        } else {
            of_host.push(run(&host, time)?);
            of_limit.push(run(&limit, time)?);
        }
    }
    println!(
        "{}: {} pairs of {} s, {} connections; median (quartiles)",
        work.name, arguments.pairs, arguments.seconds, arguments.connections
    );
    println!(
        "{:8}  {:24}  {:20}  {:20}  server CPU us/request",
        "", "requests/s", "p50 ms", "p99 ms"
    );
    tell(limit.name, &of_limit, 0);
    tell(host.name, &of_host, 0);
    let ratios: Vec<Figures> = of_host.iter().zip(&of_limit).map(ratio).collect();
    tell("ratio", &ratios, 3);
    if work.writes {
        println!("rows: as many as were acknowledged, after every run");
    }
    Ok(())
}

/// One run from 1,000 rows.
fn run(peer: &Peer, work: &'static Work, connections: usize, time: Duration) -> Result<Figures> {
    peer.fill()?;
    let before = (peer.rows()?, peer.processor_seconds());
    let answers = load::run(peer.address, work, connections, time)
        .map_err(|error| format!("{}: {error}", peer.name))?;
    let processor = peer.processor_seconds() - before.1;
    let (acknowledged, added) = (answers.count() as u64, peer.rows()? - before.0);
    if added != if work.writes { acknowledged } else { 0 } {
        let name = peer.name;
        return Err(format!("{name}: {acknowledged} answers, and {added} rows more").into());
    }
    Ok(Figures {
        per_second: answers.per_second(),
        p50_ms: answers.latency_ms(0.5),
        p99_ms: answers.latency_ms(0.99),
        processor_us: processor * 1e6 / answers.count() as f64,
    })
}

fn ratio((host, limit): (&Figures, &Figures)) -> Figures {
    Figures {
        per_second: host.per_second / limit.per_second,
        p50_ms: host.p50_ms / limit.p50_ms,
        p99_ms: host.p99_ms / limit.p99_ms,
        processor_us: host.processor_us / limit.processor_us,
    }
}

fn tell(name: &str, runs: &[Figures], digits: usize) {
    let of = |figure: fn(&Figures) -> f64| Spread::of(runs.iter().map(figure));
    println!(
        "{name:8}  {:24.digits$}  {:20.3}  {:20.3}  {:.2}",
        of(|run| run.per_second),
        of(|run| run.p50_ms),
        of(|run| run.p99_ms),
        of(|run| run.processor_us),
    );
}
