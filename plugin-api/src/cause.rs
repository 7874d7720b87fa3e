//! What the code on this thread is run for.

use std::cell::Cell;

use crate::export::host::Host;

thread_local! {
    static CURRENT: Cell<Option<Cause>> = const { Cell::new(None) };
}

/// Why the code on this thread runs: the host it was called by, and the id of
/// the request, task or timer it serves (0: none).
///
/// Every hook and every poll enters its cause, so that what is called below it,
/// a log line for example, is tagged without being told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    pub(crate) host: &'static Host,
    pub(crate) id: u64,
}

impl Cause {
    /// Makes this the cause of what the thread does until the guard is dropped.
    pub(crate) fn enter(self) -> Entered {
        Entered(CURRENT.replace(Some(self)))
    }

    /// The cause of what this thread does; `None` on a thread of the plugin's
    /// own.
    pub(crate) fn current() -> Option<Cause> {
        CURRENT.get()
    }

    /// The id to give to a call of `host`.
    pub(crate) fn id_for(host: &Host) -> u64 {
        match CURRENT.get() {
            Some(cause) if std::ptr::eq(cause.host, host) => cause.id,
            _ => 0,
        }
    }
}

/// Restores the cause that held before, when dropped.
pub(crate) struct Entered(Option<Cause>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
