//! Rows kept for later: until a commit, or until it is known that they were soon
//! there.

use std::time::Instant;

use exthost_abi::Status;

use crate::services::db::connection::Connection;
use crate::services::db::row::{Cell, EachRow, Flow, Names, Row};
use crate::services::db::statement::{Query, RunResult};
use crate::services::error::ServiceError;

/// Rows of one statement. All of their text and blobs lie in one place.
#[derive(Debug, Default)]
pub(super) struct KeptRows {
    names: Option<Names>,
    cells: Vec<KeptCell>,
    bytes: Vec<u8>,
}

/// A value; text and blobs are where they lie.
#[derive(Debug, Clone, Copy)]
enum KeptCell {
    Null,
    Integer(i64),
    Real(f64),
    Text(usize, usize),
    Blob(usize, usize),
}

impl KeptRows {
    /// Runs a statement that writes, and keeps its rows.
    ///
    /// # Errors
    /// Also when the rows are too much to keep; what was written must then be
    /// undone.
    pub(super) fn collect(
        &mut self,
        connection: &Connection,
        query: &Query<'_>,
        until: Option<Instant>,
    ) -> Result<RunResult, ServiceError> {
        let max = connection.limits().kept_bytes_max;
        let result = connection.run(query, until, &mut |row| {
            if self.size() <= max {
                self.keep(row);
            }
            Flow::Next
        })?;
        if self.size() > max {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "rows-too-large",
                format!(
                    "the rows of a statement that writes hold more than db.kept_bytes_max, {max} \
                     bytes; return fewer"
                ),
            ));
        }
        Ok(result)
    }

    /// Keeps a row.
    pub(super) fn keep(&mut self, row: &Row<'_>) {
        self.names.get_or_insert_with(|| row.names().clone());
        for cell in row.cells() {
            let kept = match cell {
                Cell::Null => KeptCell::Null,
                Cell::Integer(integer) => KeptCell::Integer(integer),
                Cell::Real(real) => KeptCell::Real(real),
                Cell::Text(text) => {
                    let from = self.put(text);
                    KeptCell::Text(from, self.bytes.len())
                }
                Cell::Blob(blob) => {
                    let from = self.put(blob);
                    KeptCell::Blob(from, self.bytes.len())
                }
            };
            self.cells.push(kept);
        }
    }

    /// How much memory they take, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.cells.len() * size_of::<KeptCell>()
    }

    /// Hands them on.
    pub(super) fn deliver(&self, on_row: EachRow<'_>) {
        let Some(names) = self.names.as_ref().filter(|names| !names.is_empty()) else {
            return;
        };
        for cells in self.cells.chunks(names.len()) {
            let kept = Kept {
                cells,
                bytes: &self.bytes,
            };
            if on_row(&Row::kept(names, kept)) == Flow::Stop {
                return;
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        from
    }
}

/// One row of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    cells: &'a [KeptCell],
    bytes: &'a [u8],
}

impl<'a> Kept<'a> {
    /// The value of a column.
    pub(super) fn cell(&self, at: usize) -> Cell<'a> {
        match self.cells.get(at).copied() {
            None | Some(KeptCell::Null) => Cell::Null,
            Some(KeptCell::Integer(integer)) => Cell::Integer(integer),
            Some(KeptCell::Real(real)) => Cell::Real(real),
            Some(KeptCell::Text(from, to)) => Cell::Text(&self.bytes[from..to]),
            Some(KeptCell::Blob(from, to)) => Cell::Blob(&self.bytes[from..to]),
        }
    }
}
