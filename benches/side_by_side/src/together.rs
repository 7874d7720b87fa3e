//! The database when several use it at a time: readers beside one that writes, and
//! many that write, against plain rusqlite in this process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::embedded::Embedded;
use crate::peer::Programs;
use crate::plain::Plain;
use crate::spread::Spread;
use crate::{Result, cores};

/// Threads that read, each on a connection of its own.
const READERS: usize = 4;

/// Selects of 20 rows that each of them makes in one run.
const READS: u32 = 2000;

/// Commits of the writer between two looks at whether they are done.
const COMMITS: u32 = 20;

/// Tasks that write, each one row after the other.
const WRITERS: usize = 32;

/// Rows that each of them inserts in one run.
const WRITES: u32 = 200;

/// Measures both sides in turn and prints what was found.
pub(crate) fn measure(programs: &Programs, pairs: usize) -> Result<()> {
    cores::stay_on_both();
    let plugin = Embedded::start(programs)?;
    let plain = Plain::make(&programs.data()?)?;
    plugin.ask("items/fill?rows=1000")?;
    reads(&plugin, &plain, pairs)?;
    writes(&plugin, &plain, pairs)
}

/// Readers alone, then beside one that commits row after row.
fn reads(plugin: &Embedded, plain: &Plain, pairs: usize) -> Result<()> {
    let of_raw = || -> Result<_> { Ok((raw_reads(plain, false)?, raw_reads(plain, true)?)) };
    let of_plugin =
        || -> Result<_> { Ok((plugin_reads(plugin, false)?, plugin_reads(plugin, true)?)) };
    let [mut raw, mut through] = [const { Vec::new() }; 2];
    for pair in 0..=pairs {
        let first = (pair % 2 == 0).then(of_raw).transpose()?;
        let second = of_plugin()?;
        let first = first.map_or_else(of_raw, Ok)?;
        // The first warms up.
        if pair > 0 {
            raw.push(first);
            through.push(second);
        }
    }
    println!("{READERS} readers of 20 rows: {pairs} pairs; reads/s, median (quartiles)");
    println!("{:10}  {:28}  {:28}  kept", "", "alone", "beside a writer");
    for (name, runs) in [("rusqlite", &raw), ("plugin", &through)] {
        let alone = Spread::of(runs.iter().map(|(alone, _)| *alone));
        let beside = Spread::of(runs.iter().map(|(_, beside)| *beside));
        let kept = Spread::of(runs.iter().map(|(alone, beside)| beside / alone));
        println!("{name:10}  {alone:28}  {beside:28}  {kept:.2}");
    }
    Ok(())
}

/// Reads a second on connections of their own, while another commits if `writing`.
fn raw_reads(plain: &Plain, writing: bool) -> Result<f64> {
    let connections = (0..=READERS).map(|_| plain.another());
    let mut readers = connections.collect::<Result<Vec<_>>>()?;
    let writer = readers.pop().filter(|_| writing);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let begun = Instant::now();
        let reading: Vec<_> = readers
            .into_iter()
            .map(|reader| scope.spawn(move || reader.measure("select", READS).is_ok()))
            .collect();
        let writer = scope.spawn(move || {
            let Some(writer) = writer else { return true };
            until(over, || writer.measure("insert", COMMITS).is_ok())
        });
        let read = reading
            .into_iter()
            .all(|reader| reader.join().unwrap_or(false));
        let seconds = begun.elapsed().as_secs_f64();
        over.store(true, Ordering::Release);
        match read && writer.join().unwrap_or(false) {
            true => Ok(all_reads() / seconds),
            false => Err("plain rusqlite failed".into()),
        }
    })
}

/// Reads a second of the plugin's plain handlers, while another commits if
/// `writing`.
fn plugin_reads(plugin: &Embedded, writing: bool) -> Result<f64> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let writer = scope
            .spawn(move || !writing || until(over, || plugin.measure("insert", COMMITS).is_ok()));
        let target = format!("items/measure?what=select&rounds={READS}");
        let begun = Instant::now();
        let read = plugin.ask_at_once(&target, READERS);
        let seconds = begun.elapsed().as_secs_f64();
        over.store(true, Ordering::Release);
        let written = writer.join().unwrap_or(false);
        read?;
        match written {
            true => Ok(all_reads() / seconds),
            false => Err("the plugin's writer failed".into()),
        }
    })
}

/// Does `work` until it is over; false when it failed before.
fn until(over: &AtomicBool, work: impl Fn() -> bool) -> bool {
    while !over.load(Ordering::Acquire) {
        if !work() {
            return false;
        }
    }
    true
}

fn all_reads() -> f64 {
    READERS as f64 * f64::from(READS)
}

/// Tasks whose commits are shared, against one commit a row.
fn writes(plugin: &Embedded, plain: &Plain, pairs: usize) -> Result<()> {
    let rows = WRITERS as u32 * WRITES;
    let target = format!("items/write?rounds={WRITES}");
    let mut taken = Vec::new();
    for pair in 0..=pairs {
        let raw =
            || -> Result<f64> { Ok(f64::from(rows) / (plain.measure("insert", rows)? / 1e9)) };
        let through = || -> Result<f64> {
            let begun = Instant::now();
            plugin.ask_at_once(&target, WRITERS)?;
            Ok(f64::from(rows) / begun.elapsed().as_secs_f64())
        };
        let first = (pair % 2 == 0).then(raw).transpose()?;
        let through = through()?;
        let raw = first.map_or_else(raw, Ok)?;
        if pair > 0 {
            taken.push((raw, through));
        }
    }
    let raw = Spread::of(taken.iter().map(|(raw, _)| *raw));
    let through = Spread::of(taken.iter().map(|(_, through)| *through));
    let ratio = Spread::of(taken.iter().map(|(raw, through)| through / raw));
    println!("{WRITERS} tasks that insert: {pairs} pairs; rows/s, median (quartiles)");
    println!("rusqlite, one commit a row: {raw}");
    println!("plugin, shared commits: {through}; ratio {ratio:.2}");
    Ok(())
}
