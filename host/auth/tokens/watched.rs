//! The tokens of a file, looked at again as it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::auth::tokens::stored::{self, Stamp};
use crate::auth::tokens::token::TokenHash;
use crate::auth::{TokenEntry, TokensError};

/// How long what was seen of the file counts.
const CHECK_PERIOD: Duration = Duration::from_millis(250);

/// Tokens by their hash.
type Known = HashMap<TokenHash, Arc<TokenEntry>>;

/// The tokens of a file, as it stood [`CHECK_PERIOD`] ago or later.
#[derive(Debug)]
pub(super) struct Watched {
    file: PathBuf,
    known: ArcSwap<Known>,
    opened: Instant,
    /// When the file was last looked at, in nanoseconds after `opened`.
    looked_ns: AtomicU64,
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
        let opened = Instant::now();
        let (stamp, tokens) = stored::read(&file)?;
        let trouble = None;
        Ok(Watched {
            file,
            known: ArcSwap::from_pointee(by_hash(tokens)),
            opened,
            looked_ns: AtomicU64::new(0),
            state: Mutex::new(State { stamp, trouble }),
        })
    }

    /// The token that has this hash, if there is one by now. One that is not known is
    /// looked for once more in the file, for it may have been made a moment ago.
    pub(super) async fn find(&self, hash: &TokenHash) -> Option<Arc<TokenEntry>> {
        let now_ns = self.now_ns();
        let period_ns = CHECK_PERIOD.as_nanos() as u64;
        let known = self.seen_since(now_ns.saturating_sub(period_ns)).await;
        if let Some(entry) = known.get(hash) {
            return Some(entry.clone());
        }
        self.seen_since(now_ns).await.get(hash).cloned()
    }

    /// The tokens as they were at this time or later. Whoever asks while the file is
    /// looked at waits, so one look is enough for all of them.
    async fn seen_since(&self, at_ns: u64) -> Arc<Known> {
        let is_old = || self.looked_ns.load(Ordering::Acquire) < at_ns;
        if is_old() {
            let mut state = self.state.lock().await;
            if is_old() {
                self.look(&mut state).await;
            }
        }
        self.known.load_full()
    }

    fn now_ns(&self) -> u64 {
        self.opened.elapsed().as_nanos() as u64
    }

    /// Looks at the file, and reads it if it has changed.
    async fn look(&self, state: &mut State) {
        let now_ns = self.now_ns();
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
        self.looked_ns.store(now_ns, Ordering::Release);
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
    let pair = |token: TokenEntry| (token.blake3, Arc::new(token));
    tokens.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Token, TokenFile};

    async fn knows(watched: &Watched, token: &Token) -> bool {
        let hash = TokenHash::of(token.reveal().as_bytes());
        watched.find(&hash).await.is_some()
    }

    /// Lets what was seen no longer count.
    async fn forget(watched: &Watched) {
        watched.seen_since(watched.now_ns()).await;
    }

    #[tokio::test]
    async fn what_is_made_counts_at_once_and_what_is_revoked_soon_ends() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let watched = Watched::open(data.path().join("tokens.json")).unwrap();
        let (a, _) = file.create("a", &[], None).unwrap();
        assert!(knows(&watched, &a).await);
        let (b, _) = file.create("b", &[], None).unwrap();
        assert!(knows(&watched, &b).await && knows(&watched, &a).await);
        file.revoke("a").unwrap();
        forget(&watched).await;
        assert!(knows(&watched, &b).await && !knows(&watched, &a).await);
        std::fs::remove_file(data.path().join("tokens.json")).unwrap();
        forget(&watched).await;
        assert!(!knows(&watched, &b).await);
    }

    #[tokio::test]
    async fn a_damaged_file_changes_nothing() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let (a, _) = file.create("a", &[], None).unwrap();
        let path = data.path().join("tokens.json");
        let good = std::fs::read(&path).unwrap();
        let watched = Watched::open(path.clone()).unwrap();
        for bad in [&b"{"[..], b"\xff", &good[..good.len() / 2]] {
            std::fs::write(&path, bad).unwrap();
            forget(&watched).await;
            assert!(knows(&watched, &a).await);
            assert!(watched.state.lock().await.trouble.is_some());
        }
        let empty = b"{\"version\": 1, \"tokens\": []}";
        std::fs::write(&path, empty).unwrap();
        forget(&watched).await;
        assert!(!knows(&watched, &a).await);
        assert_eq!(watched.state.lock().await.trouble, None);
    }
}
