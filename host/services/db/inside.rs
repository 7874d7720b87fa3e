//! Whether this thread is inside a plugin's `on_row`, which may not call the
//! database.

use std::cell::Cell;

use crate::services::error::ServiceError;
use crate::services::watchdog;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a plugin's `on_row`, which may not wait: the thread may be waiting for the
/// statement already.
pub(super) fn row<R>(call: impl FnOnce() -> R) -> R {
    let before = INSIDE.replace(true);
    let returned = watchdog::unwatched(call);
    INSIDE.set(before);
    returned
}

/// Refuses a call from inside an `on_row`: the row is lent by the connection
/// that the call might need.
pub(super) fn check() -> Result<(), ServiceError> {
    match INSIDE.get() {
        false => Ok(()),
        true => Err(ServiceError::misplaced(
            "a call of the database from inside on_row; keep the row, and call when the statement \
             has ended",
        )),
    }
}
