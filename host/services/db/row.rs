//! Rows on their way to the plugin: lent by SQLite, or kept until a commit.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;

use crate::services::db::inside;
use crate::services::db::kept::Kept;

/// One row, borrowed for a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    names: &'a Names,
    values: Values<'a>,
}

/// The names of the columns of a statement.
pub(crate) type Names = Arc<[Box<str>]>;

#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    Lent(&'a rusqlite::Row<'a>),
    Kept(Kept<'a>),
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// SQLite does not check that text is UTF-8.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Whether the next row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Stop,
}

/// What receives rows for the time of a call.
pub(crate) type EachRow<'a> = &'a mut dyn FnMut(&Row<'_>) -> Flow;

/// What receives rows.
pub(crate) type OnRow = Box<dyn FnMut(&Row<'_>) -> Flow + Send>;

impl<'a> Row<'a> {
    pub(super) fn lent(names: &'a Names, row: &'a rusqlite::Row<'a>) -> Self {
        Row {
            names,
            values: Values::Lent(row),
        }
    }

    pub(super) fn kept(names: &'a Names, row: Kept<'a>) -> Self {
        Row {
            names,
            values: Values::Kept(row),
        }
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> &'a Names {
        self.names
    }

    /// The values of the columns, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'a>> {
        let values = self.values;
        (0..self.names.len()).map(move |at| match values {
            Values::Lent(row) => Cell::lent(row.get_ref(at).unwrap_or(ValueRef::Null)),
            Values::Kept(kept) => kept.cell(at),
        })
    }
}

impl<'a> Cell<'a> {
    fn lent(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(integer) => Cell::Integer(integer),
            ValueRef::Real(real) => Cell::Real(real),
            ValueRef::Text(text) => Cell::Text(text),
            ValueRef::Blob(blob) => Cell::Blob(blob),
        }
    }
}

/// Where the rows of one call go, until that call has ended: after
/// [`close`](Self::close) nothing of the plugin's is called any more.
#[derive(Clone)]
pub(crate) struct RowSink(Arc<Mutex<Option<OnRow>>>);

impl RowSink {
    pub(crate) fn new(on_row: OnRow) -> Self {
        RowSink(Arc::new(Mutex::new(Some(on_row))))
    }

    /// Hands a row over, one at a time.
    pub(super) fn hand(&self, row: &Row<'_>) -> Flow {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *sink {
            Some(on_row) => inside::row(|| on_row(row)),
            None => Flow::Stop,
        }
    }

    /// Ends it, waiting for a row that is being handed over.
    pub(crate) fn close(&self) {
        let on_row = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Not under the lock: it may be what the plugin frees memory with.
        drop(on_row);
    }

    /// [`close`](Self::close) for a thread of the runtime, which does not wait for
    /// a plugin's row itself.
    pub(crate) async fn closed(self) {
        if !self.close_if_free() {
            // It fails when the runtime ends, and with it this future.
            let _ = tokio::task::spawn_blocking(move || self.close()).await;
        }
    }

    /// Ends it unless a row is being handed over.
    fn close_if_free(&self) -> bool {
        let Ok(mut sink) = self.0.try_lock() else {
            return false;
        };
        let on_row = sink.take();
        drop(sink);
        drop(on_row);
        true
    }
}

impl std::fmt::Debug for RowSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowSink").finish_non_exhaustive()
    }
}
