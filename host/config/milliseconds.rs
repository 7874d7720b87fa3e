//! Times in `exthost.toml`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest time that a limit may be: a day.
const MOST: u64 = 24 * 60 * 60 * 1000;

/// A time of 1 ms to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(with = "u64", extend("minimum" = 1, "maximum" = MOST))]
pub struct Milliseconds(u64);

impl TryFrom<u64> for Milliseconds {
    type Error = MillisecondsError;

    fn try_from(found: u64) -> Result<Self, MillisecondsError> {
        match found {
            1..=MOST => Ok(Milliseconds(found)),
            _ => Err(MillisecondsError { found }),
        }
    }
}

impl From<Milliseconds> for u64 {
    fn from(time: Milliseconds) -> Self {
        time.0
    }
}

impl From<Milliseconds> for Duration {
    fn from(time: Milliseconds) -> Self {
        Duration::from_millis(time.0)
    }
}

/// A time that no limit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} ms is no time for a limit; give 1 to {MOST} ms, which is a day")]
#[non_exhaustive]
pub struct MillisecondsError {
    /// The time, in milliseconds.
    pub found: u64,
}
