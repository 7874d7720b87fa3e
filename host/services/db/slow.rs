//! The statements of one database that took long, for whoever operates the host.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A text that was slow, and how slow; never its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlowStatement {
    /// The text, of a long one its first 1,024 bytes.
    pub text: String,
    /// How often it was slow.
    pub times: u64,
    /// The longest it took, in milliseconds.
    pub longest_ms: u64,
    /// When it was slow last, in milliseconds of Unix time.
    pub last_at_ms: u64,
}

/// The slow statements of one database, grouped by their text.
///
/// # Threading
/// Only a slow statement takes the lock.
#[derive(Debug, Default)]
pub(super) struct SlowStatements {
    count: AtomicU64,
    /// The latest last.
    latest: Mutex<Vec<SlowStatement>>,
}

/// What is kept of a text, in bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// Texts that are kept; the one that was slow longest ago makes room.
const TEXTS_MAX: usize = 32;

impl SlowStatements {
    /// Notes that a statement took long.
    pub(super) fn note(&self, sql: &str, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let sql = sql.trim();
        let text = &sql[..sql.floor_char_boundary(TEXT_BYTES_MAX)];
        let mut latest = self.latest();
        let mut slow = match latest.iter().position(|slow| slow.text == text) {
            Some(at) => latest.remove(at),
            None => {
                if latest.len() >= TEXTS_MAX {
                    latest.remove(0);
                }
                SlowStatement {
                    text: text.to_owned(),
                    times: 0,
                    longest_ms: 0,
                    last_at_ms: 0,
                }
            }
        };
        slow.times += 1;
        slow.longest_ms = slow.longest_ms.max(ms(took));
        slow.last_at_ms = now_ms();
        latest.push(slow);
    }

    /// How many statements were slow.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The texts that are kept, the slowest first.
    pub(super) fn list(&self) -> Vec<SlowStatement> {
        let mut list = self.latest().clone();
        list.sort_by_key(|slow| std::cmp::Reverse(slow.longest_ms));
        list
    }

    fn latest(&self) -> MutexGuard<'_, Vec<SlowStatement>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, ms)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(slow: &SlowStatements) -> Vec<String> {
        slow.list().into_iter().map(|slow| slow.text).collect()
    }

    #[test]
    fn a_text_is_one_entry_however_often_it_was_slow() {
        let slow = SlowStatements::default();
        for ms in [150, 400, 200] {
            slow.note(" SELECT 1;\n", Duration::from_millis(ms));
        }
        slow.note("SELECT 2", Duration::from_millis(900));
        let list = slow.list();
        assert_eq!((slow.count(), list.len()), (4, 2));
        assert_eq!((&*list[0].text, list[0].longest_ms), ("SELECT 2", 900));
        assert_eq!((&*list[1].text, list[1].times), ("SELECT 1;", 3));
        assert_eq!(list[1].longest_ms, 400);
        assert!(list[1].last_at_ms > 0);
    }

    #[test]
    fn the_text_that_was_slow_longest_ago_makes_room() {
        let slow = SlowStatements::default();
        for number in 0..TEXTS_MAX {
            slow.note(&format!("SELECT {number}"), Duration::from_secs(1));
        }
        slow.note("SELECT 0", Duration::from_secs(1));
        slow.note("SELECT 'new'", Duration::from_secs(1));
        let texts = texts(&slow);
        assert_eq!(texts.len(), TEXTS_MAX);
        assert!(texts.contains(&"SELECT 0".to_owned()));
        assert!(!texts.contains(&"SELECT 1".to_owned()));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let slow = SlowStatements::default();
        let sql = format!("SELECT '{}'", "\u{e9}".repeat(TEXT_BYTES_MAX));
        slow.note(&sql, Duration::from_secs(1));
        slow.note(&format!("{sql} -- another end"), Duration::from_secs(1));
        let texts = texts(&slow);
        assert_eq!(texts.len(), 1);
        assert_eq!(texts[0], sql[..TEXT_BYTES_MAX]);
        let odd = format!("SELECT ''{}", "\u{e9}".repeat(TEXT_BYTES_MAX));
        slow.note(&odd, Duration::from_secs(1));
        assert!(self::texts(&slow).contains(&odd[..TEXT_BYTES_MAX - 1].to_owned()));
    }
}
