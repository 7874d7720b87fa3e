//! Leaves an endpoint alone that keeps failing.

use std::time::{Duration, Instant};

use crate::services::webhooks::settings::WebhookSettings;

/// Counts the failures of an endpoint in a row. After enough of them it opens:
/// nothing is sent for a pause, then one attempt as a probe, and each probe that
/// fails doubles the pause.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures: u32,
    open: Option<Open>,
    limit: u32,
    pause: Duration,
    pause_max: Duration,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    probing: bool,
}

/// Whether attempts may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// As many as there is room for.
    Any,
    /// One, as a probe.
    Probe,
    /// None until then.
    After(Instant),
    /// None until the probe has ended.
    AfterProbe,
}

impl Breaker {
    /// The breaker of an endpoint that has failed so often in a row before; it
    /// may be probed at once.
    pub(crate) fn new(settings: &WebhookSettings, failures: u32, now: Instant) -> Self {
        let open = (failures >= settings.breaker_failures).then_some(Open {
            until: now,
            pause: settings.breaker_pause,
            probing: false,
        });
        Breaker {
            failures,
            open,
            limit: settings.breaker_failures,
            pause: settings.breaker_pause,
            pause_max: settings.breaker_pause_max,
        }
    }

    /// Whether attempts may begin.
    pub(crate) fn admission(&self, now: Instant) -> Admission {
        match &self.open {
            None => Admission::Any,
            Some(open) if open.probing => Admission::AfterProbe,
            Some(open) if now < open.until => Admission::After(open.until),
            Some(_) => Admission::Probe,
        }
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// An attempt has ended that may count: one begun before the breaker opened
    /// does not count for a failed probe.
    pub(crate) fn end(&mut self, delivered: bool, probe: bool, now: Instant) {
        if delivered {
            self.reset();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            Some(open) if probe => {
                open.pause = (open.pause * 2).min(self.pause_max);
                open.until = now + open.pause;
                open.probing = false;
            }
            Some(_) => {}
            None if self.failures >= self.limit => {
                self.open = Some(Open {
                    until: now + self.pause,
                    pause: self.pause,
                    probing: false,
                });
            }
            None => {}
        }
    }

    /// An attempt was broken off, which tells nothing of the endpoint.
    pub(crate) fn break_off(&mut self, probe: bool) {
        if let Some(open) = self.open.as_mut().filter(|_| probe) {
            open.probing = false;
        }
    }

    /// Begins anew.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
        self.open = None;
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Its state, for people.
    pub(crate) fn state(&self, now: Instant) -> &'static str {
        match self.admission(now) {
            Admission::Any => "closed",
            Admission::After(_) => "open",
            Admission::Probe | Admission::AfterProbe => "half-open",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> WebhookSettings {
        WebhookSettings::default()
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(&settings(), 0, now);
        for _ in 0..10 {
            assert_eq!(breaker.admission(now), Admission::Any);
            breaker.begin();
            breaker.end(false, false, now);
        }
        breaker
    }

    #[test]
    fn ten_failures_open_it_and_probes_double_its_pause() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            let until = now + Duration::from_secs(seconds);
            assert_eq!(breaker.admission(now), Admission::After(until));
            assert_eq!(breaker.state(now), "open");
            now = until;
            assert_eq!(breaker.admission(now), Admission::Probe);
            breaker.begin();
            assert_eq!(breaker.admission(now), Admission::AfterProbe);
            breaker.end(false, true, now);
        }
        now += Duration::from_secs(300);
        breaker.begin();
        breaker.end(true, true, now);
        assert_eq!(breaker.admission(now), Admission::Any);
        assert_eq!(breaker.failures(), 0);
    }

    #[test]
    fn late_failures_of_before_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let before = breaker.admission(now);
        breaker.end(false, false, now + Duration::from_secs(1));
        assert_eq!(breaker.admission(now), before);
        breaker.end(true, false, now);
        assert_eq!(breaker.admission(now), Admission::Any);
    }

    #[test]
    fn a_success_in_between_keeps_it_closed() {
        let now = Instant::now();
        let mut breaker = Breaker::new(&settings(), 0, now);
        for index in 0..100 {
            breaker.begin();
            breaker.end(index % 10 == 9, false, now);
        }
        assert_eq!(breaker.admission(now), Admission::Any);
    }

    #[test]
    fn a_restart_probes_at_once() {
        let now = Instant::now();
        let breaker = Breaker::new(&settings(), 10, now);
        assert_eq!(breaker.admission(now), Admission::Probe);
    }

    #[test]
    fn a_probe_that_was_broken_off_is_followed_by_another() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + settings().breaker_pause;
        assert_eq!(breaker.admission(later), Admission::Probe);
        breaker.begin();
        breaker.break_off(false);
        assert_eq!(breaker.admission(later), Admission::AfterProbe);
        breaker.break_off(true);
        assert_eq!(breaker.admission(later), Admission::Probe);
    }
}
