//! The time of day, as it is stored.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    ms(since.unwrap_or_default())
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How long until `due_ms`; nothing when it has passed.
pub(crate) fn until(due_ms: i64) -> Duration {
    let ms = due_ms.saturating_sub(now_ms());
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
