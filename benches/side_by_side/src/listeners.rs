//! What an event costs: emitted and heard through the boundary, against a channel
//! of tokio's in this process.

use std::time::Instant;

use tokio::sync::broadcast;

use crate::embedded::Embedded;
use crate::peer::Programs;
use crate::spread::Spread;
use crate::{Result, cores};

/// Events that are sent before they are received.
const BURST: u32 = 512;

/// How many hear, and how many events there are in one run.
const MEASURED: [(u32, u32); 2] = [(1, 50_000), (100, 5_000)];

/// Nanoseconds until an event is sent, and until it is heard as well: through the
/// channel, and through the plugin.
type Pair = ((f64, f64), (f64, f64));

/// Measures both sides in turn and prints nanoseconds for one event.
pub(crate) fn measure(programs: &Programs, pairs: usize) -> Result<()> {
    // Emitter and observers take turns on one core, so time is processor time.
    cores::stay_on(cores::SERVER);
    let plugin = Embedded::start(programs)?;
    println!("events: {pairs} pairs; nanoseconds an event, median (quartiles)");
    println!(
        "{:10}  {:26}  {:26}  {:26}  {:26}  both/both",
        "observers", "tokio: send", "send and receive", "plugin: emit", "emit and hear"
    );
    for (observers, events) in MEASURED {
        let mut taken = Vec::new();
        for pair in 0..=pairs {
            let channel = through_channel(observers, events);
            let target = format!("listeners/measure?observers={observers}&events={events}");
            let answer = plugin.ask(&target)?;
            let of = |key: &str| answer[key].as_f64().ok_or("no nanoseconds");
            let through = (of("emitted")?, of("heard")?);
            // The first warms up.
            if pair > 0 {
                let per_event =
                    |(half, all): (f64, f64)| (half / f64::from(events), all / f64::from(events));
                taken.push((per_event(channel), per_event(through)));
            }
        }
        let spread = |of: fn(&Pair) -> f64| Spread::of(taken.iter().map(of));
        println!(
            "{observers:<10}  {:26}  {:26}  {:26}  {:26}  {:.2}",
            spread(|(channel, _)| channel.0),
            spread(|(channel, _)| channel.1),
            spread(|(_, plugin)| plugin.0),
            spread(|(_, plugin)| plugin.1),
            spread(|(channel, plugin)| plugin.1 / channel.1),
        );
    }
    println!(
        "targets: emit at most 100 to one and 1000 to 100 observers; heard by 100 within tokio's"
    );
    Ok(())
}

/// Nanoseconds until all was sent, and until it was received as well.
fn through_channel(receivers: u32, events: u32) -> (f64, f64) {
    let (sender, first) = broadcast::channel::<u64>(BURST as usize);
    let mut receivers: Vec<_> = (1..receivers).map(|_| sender.subscribe()).collect();
    receivers.push(first);
    let (begun, mut sent) = (Instant::now(), 0.0);
    for at in (0..events).step_by(BURST as usize) {
        let burst_begun = Instant::now();
        for event in at..(at + BURST).min(events) {
            // There are receivers.
            let _ = sender.send(u64::from(event));
        }
        sent += burst_begun.elapsed().as_nanos() as f64;
        for receiver in &mut receivers {
            while let Ok(event) = receiver.try_recv() {
                std::hint::black_box(event);
            }
        }
    }
    (sent, begun.elapsed().as_nanos() as f64)
}
