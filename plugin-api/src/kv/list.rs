//! Keys in order, page by page.

use serde::de::DeserializeOwned;

use super::{Entry, Kv};
use crate::Result;
use crate::db::Call;
use crate::export::kv::Wanted;

/// Which keys are listed, from [`Kv::list`].
#[must_use = "nothing is read until keys, values or entries are asked for"]
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    kv: Kv,
    prefix: &'a str,
    after: &'a str,
    limit: u32,
}

/// Some of what was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// In the order of their keys.
    pub items: Vec<T>,
    /// Where the next page begins, for [`List::after`]; `None` when this is the last.
    pub next: Option<String>,
}

impl<'a> List<'a> {
    pub(super) fn new(kv: Kv, prefix: &'a str) -> Self {
        List {
            kv,
            prefix,
            after: "",
            limit: 0,
        }
    }

    /// Begins behind a key: with the [`next`](Page::next) of the page before.
    pub fn after(self, key: &'a str) -> Self {
        List { after: key, ..self }
    }

    /// The most items of a page: 1,000 unless fewer are asked for.
    pub fn limit(self, limit: u32) -> Self {
        List { limit, ..self }
    }

    /// The keys.
    pub fn keys(self) -> Call<'a, Page<String>> {
        self.page(true, |entry| Ok(entry.key))
    }

    /// The values.
    pub fn values<T>(self) -> Call<'a, Page<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.page(false, |entry| entry.json())
    }

    /// Keys with their values and the time that they have left.
    pub fn entries(self) -> Call<'a, Page<Entry>> {
        self.page(false, Ok)
    }

    fn page<T: Send + 'static>(
        self,
        keys_only: bool,
        item: fn(Entry) -> Result<T>,
    ) -> Call<'a, Page<T>> {
        let wanted = Wanted::List {
            prefix: self.prefix,
            after: self.after,
            limit: self.limit,
            keys_only,
        };
        self.kv.read(wanted, move |entries, more| {
            let last = entries.last().filter(|_| more);
            let next = last.map(|entry| entry.key.clone());
            let items = entries.into_iter().map(item).collect::<Result<_>>()?;
            Ok(Page { items, next })
        })
    }
}
