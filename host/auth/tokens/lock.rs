//! Keeps two processes from changing the tokens at once.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::auth::TokensError;

/// How long another is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change the tokens, until the value is dropped or the process ends in
/// whatever way.
#[derive(Debug)]
pub(super) struct ChangeLock {
    _file: File,
}

impl ChangeLock {
    /// Takes the lock beside `tokens`, and waits for another that has it.
    pub(super) fn take(tokens: &Path) -> Result<Self, TokensError> {
        Self::within(PATIENCE, tokens)
    }

    fn within(patience: Duration, tokens: &Path) -> Result<Self, TokensError> {
        let lock = tokens.with_extension("lock");
        let unwritable = |source| TokensError::Unwritable {
            file: lock.clone(),
            source,
        };
        let file = File::create(&lock).map_err(unwritable)?;
        let end = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(ChangeLock { _file: file }),
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let seconds = patience.as_secs();
                    return Err(TokensError::Busy { lock, seconds });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changes_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens.json");
        let first = ChangeLock::take(&tokens).unwrap();
        let error = ChangeLock::within(Duration::ZERO, &tokens).unwrap_err();
        assert_eq!(error.code(), "tokens-busy");
        assert!(error.to_string().contains("tokens.lock"), "{error}");
        drop(first);
        ChangeLock::within(Duration::ZERO, &tokens).unwrap();
    }
}
