//! Where relocations write.

use std::collections::BTreeMap;
use std::ops::Range;

/// Words of memory that have been written, one bit each, in blocks that are made
/// when the first of their words is.
pub(super) struct Written {
    word: u64,
    blocks: BTreeMap<u64, u64>,
}

impl Written {
    /// Nothing is written yet; a word has `word` bytes.
    pub(super) fn new(word: u64) -> Self {
        Self {
            word,
            blocks: BTreeMap::new(),
        }
    }

    /// Adds the word at `address`, and says whether it was not written before.
    /// Words that share no byte begin at least a word apart, aligned or not.
    pub(super) fn add(&mut self, address: u64) -> bool {
        let index = address / self.word;
        let (block, bit) = (
            self.blocks.entry(index / 64).or_default(),
            1 << (index % 64),
        );
        let fresh = *block & bit == 0;
        *block |= bit;
        fresh
    }

    /// Adds all words of a range.
    pub(super) fn add_all(&mut self, range: Range<u64>) {
        for address in range.step_by(self.word as usize) {
            self.add(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_written_once() {
        let mut written = Written::new(8);
        written.add_all(0x100..0x120);
        assert!(!written.add(0x118) && written.add(0x120) && written.add(0xf8));
        assert!(!written.add(0x124));
        assert!(written.add(u64::MAX - 8));
    }
}
