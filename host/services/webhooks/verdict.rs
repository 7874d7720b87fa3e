//! What follows from an attempt.

use std::time::Duration;

use http::StatusCode;

use crate::services::webhooks::sender::Answer;
use crate::services::webhooks::settings::WebhookSettings;

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver has the message.
    Delivered,
    /// Another attempt after this pause.
    Retry(Duration),
    /// No more attempts, for this reason.
    Dead(String),
    /// The receiver wants no more messages at all.
    Gone,
}

impl Verdict {
    /// The verdict on the attempt that `tries` others came before.
    pub(crate) fn of(answer: &Answer, tries: u32, settings: &WebhookSettings) -> Self {
        match answer.status {
            Some(status) if status.is_success() => return Verdict::Delivered,
            Some(StatusCode::GONE) => return Verdict::Gone,
            _ => {}
        }
        let Some(base) = settings.retries.get(tries as usize) else {
            return Verdict::Dead(reason(answer, tries));
        };
        let factor = 1.0 + settings.jitter * (fastrand::f64() * 2.0 - 1.0);
        let base = base.mul_f64(factor);
        let asked = answer.retry_after.unwrap_or_default();
        Verdict::Retry(asked.min(settings.retry_after_max).max(base))
    }
}

/// Why a message is dead after its last attempt.
fn reason(answer: &Answer, tries: u32) -> String {
    let last = match (&answer.status, &answer.error) {
        (Some(status), _) if status.is_redirection() => {
            format!("{}, which is not followed; change the URL", status.as_u16())
        }
        (Some(status), _) => status.as_u16().to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    format!("attempt {} was the last: {last}", tries + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, retry_after: Option<u64>, tries: u32) -> Verdict {
        let answer = Answer {
            started_ms: 0,
            took_ms: 0,
            signature: String::new(),
            status: StatusCode::from_u16(status).ok(),
            error: None,
            retry_after: retry_after.map(Duration::from_secs),
            body: Vec::new(),
        };
        Verdict::of(&answer, tries, &WebhookSettings::default())
    }

    fn pause(status: u16, retry_after: Option<u64>, tries: u32) -> f64 {
        match verdict(status, retry_after, tries) {
            Verdict::Retry(pause) => pause.as_secs_f64(),
            other => panic!("{status} {retry_after:?} {tries}: {other:?}"),
        }
    }

    #[test]
    fn only_2xx_delivers_and_410_ends() {
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(status, None, 0), Verdict::Delivered);
        }
        assert_eq!(verdict(410, None, 0), Verdict::Gone);
        for status in [0, 100, 301, 302, 307, 400, 401, 404, 429, 500, 503] {
            pause(status, None, 0);
        }
    }

    #[test]
    fn pauses_grow_and_vary_by_a_fifth() {
        for (tries, seconds) in [5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0]
            .into_iter()
            .enumerate()
        {
            let pauses: Vec<_> = (0..100).map(|_| pause(500, None, tries as u32)).collect();
            let within = |pause: &f64| (seconds * 0.8..=seconds * 1.2).contains(pause);
            assert!(pauses.iter().all(within), "{tries}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
        match verdict(302, None, 7) {
            Verdict::Dead(why) => assert_eq!(
                why,
                "attempt 8 was the last: 302, which is not followed; change the URL"
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_within_bounds() {
        assert_eq!(pause(503, Some(60), 0), 60.0);
        assert_eq!(pause(503, Some(u64::from(u32::MAX)), 0), 86_400.0);
        assert!(pause(503, Some(1), 1) >= 240.0);
    }
}
