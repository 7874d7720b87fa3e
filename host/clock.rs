//! The time that webhooks and the timers of plugins go by.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// How far a clock can be moved on in all: a thousand years, and the system still
/// knows the times after that.
const MOVED_MAX: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);

/// The real time, or one that a test moves on. Clones are the same clock.
///
/// It is what retries, leases and signatures of webhooks and the timers of plugins
/// go by. Deadlines of requests, statements and events are about the machine, and
/// stay real.
///
/// # Examples
/// An application that tests what happens in an hour:
/// ```
/// use std::time::Duration;
/// use exthost::{Clock, Host};
///
/// let clock = Clock::movable();
/// let builder = Host::builder().clock(clock.clone());
/// let before = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert!(clock.now() - before >= Duration::from_secs(3600));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// How far it was moved on; nothing for the real time.
    moved: Option<Arc<watch::Sender<Duration>>>,
}

impl Clock {
    /// The real time.
    pub fn real() -> Self {
        Clock::default()
    }

    /// A time that runs as the real one does, and can be [moved](Self::advance) on.
    pub fn movable() -> Self {
        Clock {
            moved: Some(Arc::default()),
        }
    }

    /// Moves the time on, for all who have this clock; what is due by then is due
    /// now.
    ///
    /// # Panics
    /// When it is the real time, and when it would be moved on by more than a
    /// thousand years in all; it stays as it was.
    pub fn advance(&self, by: Duration) {
        let Some(moved) = &self.moved else {
            panic!("the real time cannot be moved; make the clock with Clock::movable()");
        };
        moved.send_modify(|moved| {
            let sum = moved.checked_add(by).filter(|sum| *sum <= MOVED_MAX);
            let Some(sum) = sum else {
                panic!("a clock cannot be moved on by {by:?}; a thousand years is all it has");
            };
            *moved = sum;
        });
    }

    /// Now.
    pub fn now(&self) -> Instant {
        Instant::now() + self.moved()
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        ms(since.unwrap_or_default() + self.moved())
    }

    /// The moment that is `due_ms` milliseconds after 1970; now, when it has passed.
    pub(crate) fn at_ms(&self, due_ms: i64) -> Instant {
        // In this order: moved in between, it is early rather than late.
        let now = self.now();
        let left = due_ms.saturating_sub(self.now_ms());
        now + Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// Waits until `due`, or until the time was moved there.
    pub async fn sleep_until(&self, due: Instant) {
        let Some(moved) = &self.moved else {
            return tokio::time::sleep_until(due.into()).await;
        };
        let mut moved = moved.subscribe();
        loop {
            let moved_by = *moved.borrow_and_update();
            let left = due.checked_duration_since(Instant::now() + moved_by);
            let Some(left) = left.filter(|left| !left.is_zero()) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender lives as long as `self`.
                _ = moved.changed() => {}
            }
        }
    }

    /// Waits for so long, or until the time was moved as far.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time).await;
    }

    fn moved(&self) -> Duration {
        let moved = self.moved.as_ref();
        moved.map_or(Duration::ZERO, |moved| *moved.borrow())
    }
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn both_times_move_together() {
        let clock = Clock::movable();
        let (before, before_ms) = (clock.now(), clock.now_ms());
        clock.clone().advance(HOUR);
        assert!(clock.now() >= before + HOUR);
        assert!(clock.now_ms() >= before_ms + 3_600_000);
        let due = clock.at_ms(clock.now_ms() + 1000);
        assert!(due <= clock.now() + Duration::from_secs(1) && due > before + HOUR);
        assert!(clock.at_ms(before_ms) <= clock.now());
    }

    #[tokio::test]
    async fn whoever_sleeps_wakes_when_it_was_moved_far_enough() {
        let clock = Clock::movable();
        let due = clock.now() + 2 * HOUR;
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(due).await }
        });
        tokio::task::yield_now().await;
        clock.advance(HOUR);
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(HOUR);
        sleeper.await.unwrap();
        clock.sleep_until(due).await;
        clock.sleep(Duration::ZERO).await;
    }

    #[tokio::test]
    async fn without_being_moved_it_is_the_real_time() {
        for clock in [Clock::movable(), Clock::real()] {
            let begun = Instant::now();
            clock.sleep(Duration::from_millis(20)).await;
            assert!(begun.elapsed() >= Duration::from_millis(20));
            assert!(clock.now() <= Instant::now());
        }
    }

    #[test]
    #[should_panic(expected = "Clock::movable()")]
    fn the_real_time_is_not_moved() {
        Clock::real().advance(HOUR);
    }

    #[test]
    fn what_is_too_far_is_told_to_whoever_moves_it() {
        let clock = Clock::movable();
        clock.advance(MOVED_MAX - HOUR);
        for by in [Duration::MAX, 2 * HOUR] {
            let moving = clock.clone();
            let moved = std::thread::spawn(move || moving.advance(by)).join();
            let why = moved.unwrap_err();
            let why = why.downcast_ref::<String>().unwrap();
            assert!(why.contains("a thousand years is all it has"), "{why}");
        }
        assert!(clock.now() < Instant::now() + MOVED_MAX);
        clock.advance(HOUR);
        assert!(clock.now() >= Instant::now() + MOVED_MAX - HOUR);
    }
}
