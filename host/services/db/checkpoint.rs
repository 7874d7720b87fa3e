//! Moves what the write-ahead log holds into the file, beside the writer rather
//! than on its time (<https://sqlite.org/wal.html#ckpt>).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection as Raw, OpenFlags};

use crate::services::db::error::of_statement;
use crate::services::error::ServiceError;

/// Checkpoints one file, one at a time.
#[derive(Debug)]
pub(super) struct Checkpointer {
    file: PathBuf,
    under_way: AtomicBool,
    is_urgent: AtomicBool,
    /// Pages in the log that the last one has moved or could not: only what is
    /// added is worth another.
    done_pages: AtomicU32,
    connection: Mutex<Option<Raw>>,
}

impl Checkpointer {
    pub(super) fn new(file: PathBuf) -> Self {
        Checkpointer {
            file,
            under_way: AtomicBool::new(false),
            is_urgent: AtomicBool::new(false),
            done_pages: AtomicU32::new(0),
            connection: Mutex::new(None),
        }
    }

    /// Whether a log of `pages` is due, and it is this caller's turn.
    pub(super) fn claim(&self, pages: u32) -> bool {
        let done = self.done_pages.load(Ordering::Relaxed);
        if pages < done {
            // The log has begun anew.
            self.done_pages.store(0, Ordering::Relaxed);
        }
        let done = if pages < done { 0 } else { done };
        let is_due = pages - done >= PAGES || self.is_urgent();
        is_due && !self.under_way.swap(true, Ordering::AcqRel)
    }

    /// Makes any log due, until one was moved: it may be what fills the disk.
    pub(super) fn hurry(&self) {
        self.is_urgent.store(true, Ordering::Relaxed);
    }

    /// Whether a full disk made it due.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent.load(Ordering::Relaxed)
    }

    /// Says that a log was moved.
    pub(super) fn moved(&self) {
        self.is_urgent.store(false, Ordering::Relaxed);
    }

    /// Gives the turn back, whatever came of it: trying again at once would do
    /// no better than for this log of `pages`.
    pub(super) fn release(&self, pages: u32) {
        self.done_pages.store(pages, Ordering::Relaxed);
        self.under_way.store(false, Ordering::Release);
    }

    /// Moves all that no reader needs in the log any more. Readers and the writer
    /// go on meanwhile.
    pub(super) fn run(&self) -> Result<(), ServiceError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let raw = match connection.take() {
            Some(raw) => raw,
            None => Raw::open_with_flags(&self.file, OpenFlags::SQLITE_OPEN_READ_WRITE)
                .map_err(|error| of_statement(&error))?,
        };
        passive(&raw).map_err(|error| of_statement(&error))?;
        *connection = Some(raw);
        Ok(())
    }

    /// Closes the file, which is not opened again until what is returned is
    /// dropped.
    pub(super) fn pause(&self) -> MutexGuard<'_, Option<Raw>> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *connection = None;
        connection
    }
}

/// A checkpoint that waits for nobody. Returns the pages of the log; once all are
/// moved and nobody reads them any more, the next write begins it anew.
pub(super) fn passive(raw: &Raw) -> rusqlite::Result<u32> {
    let pages: i64 = raw.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    Ok(u32::try_from(pages).unwrap_or(0))
}

/// 16 MiB of 4 KiB pages.
const PAGES: u32 = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_due_again_once_it_has_grown_or_begun_anew() {
        let checkpointer = Checkpointer::new(PathBuf::new());
        assert!(!checkpointer.claim(PAGES - 1));
        assert!(checkpointer.claim(PAGES));
        assert!(!checkpointer.claim(PAGES * 2), "one at a time");
        // Whether it failed, or somebody still reads it.
        checkpointer.release(PAGES);
        assert!(!checkpointer.claim(PAGES + 1));
        assert!(!checkpointer.claim(PAGES * 2 - 1));
        assert!(checkpointer.claim(PAGES * 2));
        checkpointer.release(PAGES * 2);
        assert!(!checkpointer.claim(1));
        assert!(checkpointer.claim(PAGES));
        checkpointer.release(PAGES);
        checkpointer.hurry();
        assert!(checkpointer.claim(1), "the disk is full");
        assert!(!checkpointer.claim(1), "one at a time");
        checkpointer.release(1);
        assert!(checkpointer.claim(1), "nothing was moved");
        checkpointer.moved();
        checkpointer.release(1);
        assert!(!checkpointer.claim(1));
    }
}
