//! Until when the statements of one connection may run, and how long they took.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::ffi;

/// Until when statements may run.
///
/// A look costs an atomic load and, when there is a deadline, a reading of the
/// time: a coarse one, which is a few milliseconds old and costs a fifth, unless
/// the times to be told apart are short.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    coarse: Coarse,
    /// Nanoseconds after `origin`, or [`NEVER`].
    over_at: AtomicU64,
    exact: AtomicBool,
}

const NEVER: u64 = u64::MAX;

#[cfg(target_os = "linux")]
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Shorter times are measured exactly.
const EXACT_BELOW: Duration = Duration::from_millis(100);

impl Clock {
    /// A clock without a deadline.
    pub(crate) fn new() -> Self {
        Clock {
            origin: Instant::now(),
            coarse: Coarse::new(),
            over_at: AtomicU64::new(NEVER),
            exact: AtomicBool::new(true),
        }
    }

    /// Begins a statement that has the time `deadline`, and that of its transaction
    /// until `until`. `told` is another time that it is to be compared with.
    /// Returns when it began, for [`end`](Self::end).
    pub(crate) fn begin(
        &self,
        deadline: Duration,
        until: Option<Instant>,
        told: Duration,
    ) -> Begun {
        self.exact
            .store(deadline.min(told) < EXACT_BELOW, Ordering::Relaxed);
        let begun = self.now();
        let end = begun.saturating_add(nanoseconds(deadline));
        let until = until.map_or(NEVER, |until| self.since_origin(until));
        self.over_at.store(end.min(until), Ordering::Release);
        Begun(begun)
    }

    /// Ends it, and says how long it took.
    pub(crate) fn end(&self, begun: Begun) -> Duration {
        self.over_at.store(NEVER, Ordering::Release);
        Duration::from_nanos(self.now().saturating_sub(begun.0))
    }

    /// Sets until when statements may run from now on; `None` takes the limit
    /// away.
    #[cfg(test)]
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let over_at = deadline.map_or(NEVER, |deadline| self.since_origin(deadline));
        self.over_at.store(over_at, Ordering::Release);
    }

    /// Whether the statement must end.
    pub(crate) fn is_over(&self) -> bool {
        match self.over_at.load(Ordering::Acquire) {
            NEVER => false,
            over_at => self.now() >= over_at,
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

    /// Nanoseconds after `origin`.
    fn now(&self) -> u64 {
        match self.exact.load(Ordering::Relaxed) {
            true => nanoseconds(self.origin.elapsed()),
            false => self.coarse.elapsed(),
        }
    }

    fn since_origin(&self, time: Instant) -> u64 {
        nanoseconds(time.saturating_duration_since(self.origin))
    }
}

/// When a statement began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun(u64);

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}

/// A clock that is read from what the kernel noted at its last tick; never ahead of
/// the exact one.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Coarse {
    origin: u64,
}

#[cfg(target_os = "linux")]
impl Coarse {
    fn new() -> Self {
        Coarse {
            origin: Coarse::read(rustix::time::ClockId::Monotonic),
        }
    }

    /// Nanoseconds.
    fn elapsed(&self) -> u64 {
        Coarse::read(rustix::time::ClockId::MonotonicCoarse).saturating_sub(self.origin)
    }

    fn read(clock: rustix::time::ClockId) -> u64 {
        let now = rustix::time::clock_gettime(clock);
        // Neither part is negative: the clock counts from the start of the machine.
        now.tv_sec.unsigned_abs() * NANOSECONDS_PER_SECOND + now.tv_nsec.unsigned_abs()
    }
}

/// Where there is none, the exact one.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Coarse {
    origin: Instant,
}

#[cfg(not(target_os = "linux"))]
impl Coarse {
    fn new() -> Self {
        Coarse {
            origin: Instant::now(),
        }
    }

    /// Nanoseconds.
    fn elapsed(&self) -> u64 {
        nanoseconds(self.origin.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_clock_is_over_at_its_deadline() {
        let clock = Clock::new();
        assert!(!clock.is_over());
        clock.set_deadline(Some(Instant::now() + LONG));
        assert!(!clock.is_over());
        clock.set_deadline(Some(Instant::now()));
        assert!(clock.is_over());
        assert!(clock.check().is_err());
        clock.set_deadline(None);
        assert!(clock.check().is_ok());
    }

    #[test]
    fn the_earlier_of_two_deadlines_counts() {
        for told in [Duration::ZERO, LONG] {
            let clock = Clock::new();
            let begun = clock.begin(LONG, Some(Instant::now() + LONG), told);
            assert!(!clock.is_over());
            clock.end(begun);
            let begun = clock.begin(LONG, Some(clock.origin), told);
            assert!(clock.is_over());
            clock.end(begun);
            assert!(!clock.is_over());
            clock.begin(Duration::ZERO, None, told);
            assert!(clock.is_over());
        }
    }

    #[test]
    fn what_took_long_is_told_by_both_clocks() {
        const TIME: Duration = Duration::from_millis(50);
        for told in [Duration::ZERO, LONG] {
            let clock = Clock::new();
            let begun = clock.begin(LONG, None, told);
            std::thread::sleep(TIME);
            // The coarse one is at most a tick of 10 ms behind.
            assert!(clock.end(begun) > TIME / 2);
        }
    }

    #[test]
    fn the_coarse_clock_is_never_ahead() {
        let clock = Clock::new();
        for _ in 0..1000 {
            let coarse = clock.coarse.elapsed();
            assert!(coarse <= nanoseconds(clock.origin.elapsed()));
        }
    }
}
