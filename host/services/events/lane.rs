//! Which subscriptions wait for a worker, and whether another worker is due.

use std::collections::VecDeque;

/// Where handlers are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On blocking threads, within the plugin's share of them.
    Pool,
    /// On the runtime, one after the other.
    Runtime,
}

/// The subscriptions that wait for a worker of one place, and its workers.
///
/// There are only as many workers as there is work: the first comes when
/// something waits and ends when nothing does. Further ones would only be in its
/// way, unless handlers take their time; so that is looked at now and then.
#[derive(Debug)]
pub(super) struct Lane {
    /// Ids of subscriptions with events, in the order in which they wait.
    ready: VecDeque<u64>,
    workers_max: usize,
    workers: usize,
    /// Handlers entered since the last look.
    entered: usize,
    /// Whether none was entered between the last two looks: all are inside one.
    stalled: bool,
    /// Whether somebody looks.
    looked_after: bool,
}

/// Handlers entered between two looks below which another worker is of use.
const ENTERED_FEW: usize = 10;

impl Lane {
    pub(super) fn new(workers_max: usize) -> Self {
        Lane {
            ready: VecDeque::new(),
            workers_max,
            workers: 0,
            entered: 0,
            stalled: false,
            looked_after: false,
        }
    }

    /// Lets a subscription wait.
    pub(super) fn wait(&mut self, id: u64) {
        self.ready.push_back(id);
    }

    /// The subscription that has waited longest.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.ready.pop_front()
    }

    /// Whether the caller must hire a worker at once: the first, or one beside
    /// those that are stalled.
    pub(super) fn hire(&mut self) -> bool {
        let wanted = self.workers == 0 || (self.stalled && self.workers < self.workers_max);
        let due = wanted && !self.ready.is_empty();
        self.add(due);
        due
    }

    /// Whether the caller must begin to look.
    pub(super) fn begin_looking(&mut self) -> bool {
        !std::mem::replace(&mut self.looked_after, true)
    }

    /// Looks whether there are enough workers; nothing when there are none any
    /// more, and no need to look, else whether the caller must hire another.
    pub(super) fn look(&mut self) -> Option<bool> {
        if self.workers == 0 {
            self.looked_after = false;
            return None;
        }
        let entered = std::mem::take(&mut self.entered);
        self.stalled = entered == 0;
        let slow = entered < ENTERED_FEW;
        let due = slow && !self.ready.is_empty() && self.workers < self.workers_max;
        self.add(due);
        Some(due)
    }

    /// Counts a worker that is hired, and gives it time to begin.
    fn add(&mut self, hired: bool) {
        self.workers += usize::from(hired);
        self.stalled &= !hired;
    }

    /// A worker is about to enter handlers so many times.
    pub(super) fn enter(&mut self, times: usize) {
        self.entered += times;
        self.stalled = false;
    }

    /// A worker goes.
    pub(super) fn leave(&mut self) {
        self.workers -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_workers_as_slow_handlers_need() {
        let mut lane = Lane::new(2);
        assert!(!lane.hire(), "nothing waits");
        lane.wait(1);
        assert!(lane.hire());
        lane.wait(2);
        assert!(!lane.hire(), "there is one");
        assert_eq!(lane.next(), Some(1));
        lane.enter(1);
        assert_eq!(lane.look(), Some(true), "the other one waits");
        assert_eq!(lane.look(), Some(false), "there are two");
        assert_eq!(lane.next(), Some(2));
        lane.leave();
        lane.wait(3);
        lane.enter(ENTERED_FEW);
        assert_eq!(lane.look(), Some(false), "it is fast");
        lane.leave();
        assert_eq!(lane.look(), None);
        assert!(lane.hire());
    }

    #[test]
    fn beside_workers_that_are_stalled_another_is_hired_at_once() {
        let mut lane = Lane::new(2);
        lane.wait(1);
        assert!(lane.hire());
        assert_eq!(lane.next(), Some(1));
        lane.enter(1);
        assert_eq!(lane.look(), Some(false), "nothing waits");
        lane.wait(2);
        assert!(!lane.hire(), "it has just begun");
        assert_eq!(lane.next(), Some(2));
        assert_eq!(lane.look(), Some(false), "nothing waits");
        lane.wait(3);
        assert!(lane.hire());
        lane.wait(4);
        assert!(!lane.hire(), "there are two");
    }
}
