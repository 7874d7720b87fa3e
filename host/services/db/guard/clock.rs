//! Until when the statements of one connection may run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rusqlite::ffi;

/// Until when statements may run. A look costs one atomic load, and a reading of
/// the time when there is a deadline.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Nanoseconds after `origin`, or [`NEVER`].
    over_at: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Clock {
    /// A clock without a deadline.
    pub(crate) fn new() -> Self {
        Clock {
            origin: Instant::now(),
            over_at: AtomicU64::new(NEVER),
        }
    }

    /// Sets until when statements may run from now on; `None` takes the limit
    /// away.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let over_at = deadline.map_or(NEVER, |deadline| {
            let since = deadline.saturating_duration_since(self.origin).as_nanos();
            u64::try_from(since).unwrap_or(NEVER)
        });
        self.over_at.store(over_at, Ordering::Release);
    }

    /// Whether the statement must end.
    pub(crate) fn is_over(&self) -> bool {
        match self.over_at.load(Ordering::Acquire) {
            NEVER => false,
            over_at => self.origin.elapsed().as_nanos() >= u128::from(over_at),
        }
    }

    /// The error that SQLite gives for an interrupted statement, once over.
    pub(crate) fn check(&self) -> rusqlite::Result<()> {
        if self.is_over() {
            return Err(rusqlite::Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_INTERRUPT),
                None,
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_is_over_at_its_deadline() {
        let clock = Clock::new();
        assert!(!clock.is_over());
        clock.set_deadline(Some(Instant::now() + Duration::from_secs(60)));
        assert!(!clock.is_over());
        clock.set_deadline(Some(Instant::now()));
        assert!(clock.is_over());
        assert!(clock.check().is_err());
        clock.set_deadline(None);
        assert!(clock.check().is_ok());
    }
}
