//! The tokens of a file, looked at again as it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::auth::tokens::stored::{self, Stamp};
use crate::auth::tokens::token::TokenHash;
use crate::auth::{TokenEntry, TokensError};

/// How long what was seen of the file counts, in milliseconds.
const CHECK_PERIOD_MS: u64 = 250;

/// Tokens by their hash.
pub(super) type Known = HashMap<TokenHash, TokenEntry>;

/// The tokens of a file, as it stood [`CHECK_PERIOD_MS`] ago or later.
#[derive(Debug)]
pub(super) struct Watched {
    file: PathBuf,
    known: ArcSwap<Known>,
    opened: Instant,
    /// When the file was last looked at, in milliseconds after `opened`.
    looked_ms: AtomicU64,
    state: Mutex<State>,
}

/// What was seen last.
#[derive(Debug)]
struct State {
    stamp: Stamp,
    /// What was wrong with the file, or nothing.
    trouble: Option<String>,
}

impl Watched {
    /// Reads the file for the first time.
    pub(super) fn open(file: PathBuf) -> Result<Self, TokensError> {
        let (stamp, tokens) = stored::read(&file)?;
        let trouble = None;
        Ok(Watched {
            file,
            known: ArcSwap::from_pointee(by_hash(tokens)),
            opened: Instant::now(),
            looked_ms: AtomicU64::new(0),
            state: Mutex::new(State { stamp, trouble }),
        })
    }

    /// The tokens that count now. Whoever asks while the file is looked at waits, so
    /// that nobody is judged by what stood there long ago.
    pub(super) async fn current(&self) -> Arc<Known> {
        if !self.is_fresh() {
            let mut state = self.state.lock().await;
            if !self.is_fresh() {
                self.look(&mut state).await;
            }
        }
        self.known.load_full()
    }

    fn is_fresh(&self) -> bool {
        self.now_ms() < self.looked_ms.load(Ordering::Acquire) + CHECK_PERIOD_MS
    }

    fn now_ms(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64
    }

    /// Looks at the file, and reads it if it has changed.
    async fn look(&self, state: &mut State) {
        let now_ms = self.now_ms();
        let (file, before) = (self.file.clone(), state.stamp.clone());
        let look = move || changed(&file, &before);
        // A runtime that shuts down looks at nothing any more.
        let Ok(seen) = tokio::task::spawn_blocking(look).await else {
            return;
        };
        match seen {
            Ok(None) => state.note(None),
            Ok(Some((stamp, tokens))) => {
                let known = by_hash(tokens);
                tracing::info!(file = %self.file.display(), tokens = known.len(), "tokens read");
                self.known.store(Arc::new(known));
                state.stamp = stamp;
                state.note(None);
            }
            Err(error) => state.note(Some(error.to_string())),
        }
        self.looked_ms.store(now_ms, Ordering::Release);
    }
}

impl State {
    /// Tells what is wrong with the file, once.
    fn note(&mut self, trouble: Option<String>) {
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            tracing::error!("{trouble}; the tokens last read go on to count");
        }
        self.trouble = trouble;
    }
}

/// What stands in the file, if that is not as it was.
fn changed(file: &Path, before: &Stamp) -> Result<Option<(Stamp, Vec<TokenEntry>)>, TokensError> {
    match stored::stamp(file) {
        Ok(stamp) if stamp == *before => Ok(None),
        Ok(_) => stored::read(file).map(Some),
        Err(source) => Err(TokensError::Unreadable {
            file: file.to_owned(),
            source,
        }),
    }
}

fn by_hash(tokens: Vec<TokenEntry>) -> Known {
    let pair = |token: TokenEntry| (token.blake3, token);
    tokens.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::TokenFile;

    async fn names(watched: &Watched) -> Vec<String> {
        let known = watched.current().await;
        let mut names: Vec<_> = known.values().map(|token| token.name.clone()).collect();
        names.sort();
        names
    }

    /// Lets what was seen no longer count.
    async fn forget(watched: &Watched) {
        while watched.is_fresh() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn what_changes_counts_once_the_last_look_is_over() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let watched = Watched::open(data.path().join("tokens.json")).unwrap();
        assert!(names(&watched).await.is_empty());
        for (revoked, made, expected) in [
            (None, Some("a"), vec!["a"]),
            (None, Some("b"), vec!["a", "b"]),
            (Some("a"), None, vec!["b"]),
            (Some("b"), Some("c"), vec!["c"]),
        ] {
            if let Some(name) = revoked {
                file.revoke(name).unwrap();
            }
            if let Some(name) = made {
                file.create(name, &[], None).unwrap();
            }
            forget(&watched).await;
            assert_eq!(names(&watched).await, expected);
            assert!(watched.is_fresh());
        }
        std::fs::remove_file(data.path().join("tokens.json")).unwrap();
        forget(&watched).await;
        assert!(names(&watched).await.is_empty());
    }

    #[tokio::test]
    async fn a_damaged_file_changes_nothing() {
        let data = tempfile::tempdir().unwrap();
        TokenFile::of(data.path()).create("a", &[], None).unwrap();
        let path = data.path().join("tokens.json");
        let good = std::fs::read(&path).unwrap();
        let watched = Watched::open(path.clone()).unwrap();
        for bad in [&b"{"[..], b"\xff", &good[..good.len() / 2]] {
            std::fs::write(&path, bad).unwrap();
            forget(&watched).await;
            assert_eq!(names(&watched).await, ["a"]);
            assert!(watched.state.lock().await.trouble.is_some());
        }
        let empty = b"{\"version\": 1, \"tokens\": []}";
        std::fs::write(&path, empty).unwrap();
        forget(&watched).await;
        assert!(names(&watched).await.is_empty());
        assert_eq!(watched.state.lock().await.trouble, None);
    }
}
