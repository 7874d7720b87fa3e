//! The head of a write-ahead log (<https://sqlite.org/fileformat.html#walformat>).
//!
//! A log whose head SQLite cannot read it takes for an empty one, and all that was
//! committed to it is gone without a word.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Whether SQLite can read the head of the log, or nothing was committed to it.
pub(super) fn is_sound(log: &Path) -> bool {
    let Ok(mut file) = File::open(log) else {
        // There is none, or SQLite says why it cannot be opened.
        return true;
    };
    let is_framed = file.metadata().is_ok_and(|meta| meta.len() >= FRAMED_BYTES);
    let mut head = [0; HEAD_BYTES];
    match is_framed && file.read_exact(&mut head).is_ok() {
        true => is_head(&head),
        false => true,
    }
}

/// Bytes of the head.
const HEAD_BYTES: usize = 32;

/// Bytes of the head and of the smallest frame. The head is on the disk before
/// the first frame is written, so that a shorter log has lost nothing.
const FRAMED_BYTES: u64 = 32 + 24 + 512;

/// The first four bytes; the last bit says in which order the sum takes bytes.
const MAGIC: u32 = 0x377f_0682;

fn is_head(head: &[u8; HEAD_BYTES]) -> bool {
    let words: Vec<[u8; 4]> = head.as_chunks().0.to_vec();
    let big = |at: usize| u32::from_be_bytes(words[at]);
    let page_bytes = big(2);
    let is_page = page_bytes.is_power_of_two() && (512..=65536).contains(&page_bytes);
    let read = match big(0) & 1 {
        1 => u32::from_be_bytes,
        _ => u32::from_le_bytes,
    };
    let mut sum = (0_u32, 0_u32);
    for pair in words[..6].chunks_exact(2) {
        sum.0 = sum.0.wrapping_add(read(pair[0])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(read(pair[1])).wrapping_add(sum.0);
    }
    big(0) & !1 == MAGIC && is_page && sum == (big(6), big(7))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::db::folder::log_of;

    #[test]
    fn each_bit_of_a_head_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let raw = rusqlite::Connection::open(&file).unwrap();
        raw.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE a (b)")
            .unwrap();
        let log = log_of(&file);
        assert!(is_sound(&log));
        let whole = std::fs::read(&log).unwrap();
        let copy = folder.path().join("copy");
        for bit in 0..HEAD_BYTES * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&copy, &bytes).unwrap();
            assert!(!is_sound(&copy), "bit {bit}");
        }
        // Nothing was committed to what is this short.
        for bytes in [0, 1, 31, 32, 300] {
            std::fs::write(&copy, vec![7; bytes]).unwrap();
            assert!(is_sound(&copy), "{bytes} bytes");
        }
        assert!(is_sound(&folder.path().join("none")));
    }
}
