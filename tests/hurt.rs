//! Does no file hurt the host: damaged, exchanged while it loads, or no file at
//! all?
//!
//! `EXTHOST_TEST_SEED` makes other damage than the usual.

mod corpus;
mod loads;
mod mutants;
mod places;
mod scan;
mod swap;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use exthost::inspect::inspect_bytes;
use exthost::verify::{Policy, verify};

use self::mutants::{Mutant, Mutants, cut_short, each_byte_flipped};
use self::places::Part;
use super::support::{HELLO_C, count, root, rust_plugin, shared_c_plugin};

/// Longest an inspection may take; generous, for the machine may be busy.
const INSPECTION_MAX: Duration = Duration::from_secs(2);

/// The libraries that are damaged: one in C, a stripped one in Rust, and those for
/// other platforms.
fn originals() -> Vec<Vec<u8>> {
    let fixtures = [
        "cross-linux-aarch64.so",
        "cross-macos-aarch64.dylib",
        "cross-macos-x86-64.dylib",
        "cross-windows-x86-64.dll",
    ];
    let mut files = fixtures
        .map(|file| root().join("tests/fixtures").join(file))
        .to_vec();
    files.extend(shared_c_plugin(HELLO_C));
    let directory = tempfile::tempdir().unwrap();
    let stripped = directory.path().join("hello.so");
    let mut strip = Command::new("strip");
    let strip = strip.arg("-o").arg(&stripped).arg(rust_plugin("hello"));
    match strip.status().is_ok_and(|status| status.success()) {
        true => files.push(stripped),
        false => println!("skipped: no strip"),
    }
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

fn seed() -> u64 {
    let seed = std::env::var("EXTHOST_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("EXTHOST_TEST_SEED={seed}");
    seed
}

/// Inspects and verifies, and returns what a refusal is called.
fn examine(bytes: Vec<u8>, policy: &Policy) -> Option<&'static str> {
    let inspected = match inspect_bytes("mutant", bytes) {
        Ok(inspected) => inspected,
        Err(error) => return Some(error.code()),
    };
    verify(inspected, policy).err().map(|error| error.code())
}

/// What became of the mutants, by the part that was damaged.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<(Part, String), usize>,
    slowest: Duration,
    slowest_what: String,
}

impl Tally {
    fn add(&mut self, part: Part, outcome: &str) {
        *self.counts.entry((part, outcome.to_owned())).or_default() += 1;
    }

    fn print(&self) {
        for ((part, outcome), count) in &self.counts {
            println!("{part:<12} {outcome:<20} {count:>7}");
        }
        println!("slowest: {:?}, {}", self.slowest, self.slowest_what);
    }
}

/// Inspects `mutants`, loads those that pass, and notes what became of each.
///
/// One whose damage a program can see must be refused, or load without harm.
fn try_all(mutants: Vec<Mutant>, policy: &Policy, tally: &mut Tally) {
    let mut accepted = Vec::new();
    for mutant in mutants {
        let begun = Instant::now();
        let refused = examine(mutant.bytes.clone(), policy);
        let took = begun.elapsed();
        assert!(took < INSPECTION_MAX, "{took:?}: {}", mutant.what);
        if took > tally.slowest {
            tally.slowest = took;
            tally.slowest_what.clone_from(&mutant.what);
        }
        match refused {
            Some(code) => tally.add(mutant.part, code),
            None => accepted.push(mutant),
        }
    }
    let libraries = accepted.iter().map(|mutant| mutant.bytes.as_slice());
    for (mutant, outcome) in accepted.iter().zip(loads::load_all(libraries)) {
        assert!(
            outcome.is_harmless() || mutant.part.is_content(),
            "{outcome}: {}",
            mutant.what
        );
        tally.add(mutant.part, &outcome.to_string());
    }
}

#[test]
fn what_is_damaged_is_refused_or_harmless() {
    let (policy, seed) = (Policy::default(), seed());
    let mut tally = Tally::default();
    let originals = originals();
    let each = count(3_000, 100_000) / originals.len();
    for original in originals {
        let mut mutants = Mutants::of(original, seed);
        for batch in (0..each).step_by(100) {
            let mutants = (batch..each.min(batch + 100)).map(|_| mutants.make());
            try_all(mutants.collect(), &policy, &mut tally);
        }
    }
    tally.print();
}

#[test]
fn what_is_cut_short_is_refused() {
    let policy = Policy::default();
    for original in originals() {
        // Of a large one every 64 bytes of its end, where its tables are, are enough.
        let from = original.len().saturating_sub(count(16, 4096) * 1024);
        for cut in cut_short(&original).filter(|cut| cut.len() >= from) {
            let length = cut.len();
            let refused = examine(cut, &policy);
            let expected = ["empty", "truncated", "malformed", "not-a-library"];
            let refused = refused.unwrap_or("accepted");
            assert!(expected.contains(&refused), "{refused}: {length} bytes");
        }
    }
}

#[test]
fn every_byte_of_a_plugin_may_be_wrong() {
    let Some(plugin) = shared_c_plugin(HELLO_C) else {
        return;
    };
    let (policy, plugin) = (Policy::default(), std::fs::read(plugin).unwrap());
    let stride = count(8, 1);
    let flipped = each_byte_flipped(&plugin).step_by(stride);
    let accepted = flipped.filter_map(|bytes| examine(bytes, &policy).is_none().then_some(()));
    let (accepted, all) = (accepted.count(), plugin.len() / stride);
    println!("of {all} flipped bytes {accepted} are told by a hash only");
    assert!(accepted < all, "inspection refuses nothing");
}
