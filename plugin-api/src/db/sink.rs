//! Where the rows of a result go: each is read on the thread that hands it over.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;

use super::row::Row;
use crate::{Error, Result};

/// Takes the rows of one result.
pub(crate) trait Sink: Send + 'static {
    /// What is made of them.
    type Output: Send + 'static;

    /// Takes a row, and says whether it wants another.
    fn row(&mut self, row: Row<'_>) -> Result<ControlFlow<()>>;

    fn finish(self) -> Self::Output;
}

/// The first row.
pub(super) struct First<T>(Option<T>);

/// Every row.
pub(super) struct All<T>(Vec<T>);

/// A function called with each row.
pub(super) struct Each<F, T>(F, PhantomData<fn(T)>);

impl<T> First<T> {
    pub(super) fn new() -> Self {
        First(None)
    }
}

impl<T> All<T> {
    pub(super) fn new() -> Self {
        All(Vec::new())
    }
}

impl<F, T> Each<F, T> {
    pub(super) fn new(each: F) -> Self {
        Each(each, PhantomData)
    }
}

impl<T: DeserializeOwned + Send + 'static> Sink for First<T> {
    type Output = Option<T>;

    fn row(&mut self, row: Row<'_>) -> Result<ControlFlow<()>> {
        self.0 = Some(row.read()?);
        Ok(ControlFlow::Break(()))
    }

    fn finish(self) -> Option<T> {
        self.0
    }
}

impl<T: DeserializeOwned + Send + 'static> Sink for All<T> {
    type Output = Vec<T>;

    fn row(&mut self, row: Row<'_>) -> Result<ControlFlow<()>> {
        self.0.push(row.read()?);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self) -> Vec<T> {
        self.0
    }
}

impl<F, T> Sink for Each<F, T>
where
    F: FnMut(T) -> ControlFlow<()> + Send + 'static,
    T: DeserializeOwned + 'static,
{
    type Output = ();

    fn row(&mut self, row: Row<'_>) -> Result<ControlFlow<()>> {
        Ok((self.0)(row.read()?))
    }

    fn finish(self) {}
}

/// A sink with what became of it.
pub(crate) struct Gather<S> {
    sink: S,
    /// Set while a row is being taken, so that a panic leaves it behind.
    taking: bool,
    failed: Option<Error>,
}

impl<S: Sink> Gather<S> {
    pub(crate) fn new(sink: S) -> Self {
        Gather {
            sink,
            taking: false,
            failed: None,
        }
    }

    /// Takes a row unless one has failed. `None` for a row that the host made
    /// wrong.
    pub(crate) fn row(&mut self, row: Option<Row<'_>>) -> ControlFlow<()> {
        if self.taking || self.failed.is_some() {
            return ControlFlow::Break(());
        }
        self.taking = true;
        let taken = match row {
            Some(row) => self.sink.row(row),
            None => Err(Error::internal("the host handed over a malformed row")),
        };
        self.taking = false;
        match taken {
            Ok(flow) => flow,
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    pub(crate) fn finish(self) -> Result<S::Output> {
        match self.failed {
            Some(error) => Err(error),
            None if self.taking => Err(Error::internal("reading a row panicked")),
            None => Ok(self.sink.finish()),
        }
    }
}
