//! Damaged copies of a library; the same seed makes the same ones.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::places::{Part, Place, places};

/// A library, and the chance that damages it.
pub(crate) struct Mutants {
    good: Vec<u8>,
    places: BTreeMap<Part, Vec<Place>>,
    random: Rng,
}

/// A damaged copy.
pub(crate) struct Mutant {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What is damaged in it; of two parts the one that cannot be told.
    pub(crate) part: Part,
    /// What was done to it.
    pub(crate) what: String,
}

impl Mutants {
    pub(crate) fn of(good: Vec<u8>, seed: u64) -> Self {
        let mut by_part: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for place in places(&good) {
            by_part.entry(place.part).or_default().push(place);
        }
        Self {
            good,
            places: by_part,
            random: Rng::with_seed(seed),
        }
    }

    /// Makes one more: each part of a library as often as any other.
    pub(crate) fn make(&mut self) -> Mutant {
        match self.random.u32(..16) {
            0 => self.whole(),
            1 | 2 => {
                let mut mutant = self.field();
                let second = self.place();
                mutant.what = format!(
                    "{}; {}",
                    mutant.what,
                    self.damage(&mut mutant.bytes, second)
                );
                if second.part.is_content() {
                    mutant.part = second.part;
                }
                mutant
            }
            _ => self.field(),
        }
    }

    /// Damages one field.
    fn field(&mut self) -> Mutant {
        let place = self.place();
        let mut bytes = self.good.clone();
        let what = self.damage(&mut bytes, place);
        Mutant {
            bytes,
            part: place.part,
            what,
        }
    }

    fn place(&mut self) -> Place {
        let part = self.random.usize(..self.places.len());
        let places = self.places.values().nth(part).unwrap();
        places[self.random.usize(..places.len())]
    }

    /// Gives a field another value, and says which.
    fn damage(&mut self, bytes: &mut [u8], place: Place) -> String {
        let Place { part, offset, size } = place;
        let other = self.place().offset;
        let other = self.good[other..].first_chunk().copied();
        let field = &mut bytes[offset..offset + size];
        let mut word = [0; 8];
        word[..size].copy_from_slice(field);
        let old = u64::from_le_bytes(word);
        let new = match self.random.u32(..12) {
            0..4 => old ^ 1 << self.random.usize(..size * 8),
            4 => 0,
            5 => u64::MAX,
            6 => old.wrapping_add(1),
            7 => old.wrapping_sub(1),
            8 => old.wrapping_add(1 << self.random.u32(3..16)),
            9 => 1 << self.random.usize(..size * 8),
            // What stands elsewhere makes tables overlap.
            10 => other.map_or(old ^ 1, u64::from_le_bytes),
            _ => self.random.u64(..),
        };
        field.copy_from_slice(&new.to_le_bytes()[..size]);
        format!("{part} at {offset:#x}, {size} bytes: {old:#x} to {new:#x}")
    }

    /// Damages a file without regard to its fields.
    fn whole(&mut self) -> Mutant {
        let mut bytes = self.good.clone();
        let at = self.random.usize(64..bytes.len());
        let end = at + self.random.usize(1..=(bytes.len() - at).min(4096));
        let (part, what) = match self.random.u32(..6) {
            0 => {
                bytes.truncate(at);
                (Part::Whole, "cut")
            }
            1 => {
                self.random.fill(&mut bytes[at..]);
                (Part::Contents, "random from there on")
            }
            2 => {
                bytes[at..end].fill(0);
                (Part::Contents, "zeros")
            }
            3 => {
                bytes.drain(at..end);
                (Part::Whole, "bytes missing")
            }
            4 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
                (Part::Whole, "bytes twice")
            }
            _ => {
                self.random.fill(&mut bytes[at..end]);
                (Part::Contents, "random bytes")
            }
        };
        Mutant {
            bytes,
            part,
            what: format!("{what}, from {at:#x} to {end:#x}"),
        }
    }
}

/// Returns the library cut off at every 64 bytes.
pub(crate) fn cut_short(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let lengths = (0..good.len()).step_by(64);
    lengths.map(|length| good[..length].to_vec())
}

/// Returns the library with every byte flipped once, each in a copy of its own.
pub(crate) fn each_byte_flipped(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..good.len()).map(|at| {
        let mut bytes = good.to_vec();
        bytes[at] = !bytes[at];
        bytes
    })
}
