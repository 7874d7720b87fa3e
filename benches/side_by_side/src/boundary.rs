//! What the boundary costs: the database's calls from inside the plugin against
//! plain rusqlite, in this process and with the same statements.

use crate::embedded::Embedded;
use crate::peer::Programs;
use crate::plain::Plain;
use crate::spread::Spread;
use crate::{Result, cores};

/// What is measured, how often in one run, and what its ratio is to be, if that is
/// set. A transaction and a batch are of 1,000 rows.
const MEASURED: [(&str, u32, Option<f64>); 6] = [
    ("insert", 5000, Some(1.3)),
    ("insert-row", 5000, None),
    ("get", 10_000, None),
    ("select", 3000, Some(1.2)),
    ("transaction", 50, Some(1.1)),
    ("batch", 50, None),
];

/// Measures both sides in turn and prints nanoseconds for one of each.
pub(crate) fn measure(programs: &Programs, pairs: usize) -> Result<()> {
    // Also the host's threads, so that nothing of its work is done elsewhere.
    cores::stay_on(cores::SERVER);
    let plugin = Embedded::start(programs)?;
    let plain = Plain::make(&programs.data()?)?;
    plugin.ask("items/fill?rows=1000")?;
    println!("db: {pairs} pairs; nanoseconds each, median (quartiles)");
    println!("{:12}  {:28}  {:28}  ratio", "", "rusqlite", "plugin");
    for (what, rounds, target) in MEASURED {
        let mut taken = Vec::new();
        for pair in 0..=pairs {
            let first = (pair % 2 == 0)
                .then(|| plain.measure(what, rounds))
                .transpose()?;
            let through = plugin.measure(what, rounds)?;
            let plain = first.map_or_else(|| plain.measure(what, rounds), Ok)?;
            // The first warms up.
            if pair > 0 {
                taken.push((plain / f64::from(rounds), through / f64::from(rounds)));
            }
        }
        let plain = Spread::of(taken.iter().map(|(plain, _)| *plain));
        let through = Spread::of(taken.iter().map(|(_, through)| *through));
        let ratio = Spread::of(taken.iter().map(|(plain, through)| through / plain));
        let target = target.map_or_else(String::new, |target| format!("; target {target}"));
        println!("{what:12}  {plain:28}  {through:28}  {ratio:.2}{target}");
    }
    Ok(())
}
