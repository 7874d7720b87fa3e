//! Entries, and what can be done to them.

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Empty where only keys were asked for.
    pub(crate) value: Vec<u8>,
    /// Milliseconds until it ends; 0 for one that does not end.
    pub(crate) ttl_ms: u64,
}

/// What must be there for a write to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// Anything or nothing.
    Always,
    /// No entry.
    IfAbsent,
    /// An entry.
    IfPresent,
    /// An entry with this value.
    IfEqual(Vec<u8>),
}

/// What is done to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is set.
    Set {
        value: Vec<u8>,
        /// Milliseconds until it ends; 0 for never.
        ttl_ms: u64,
        /// Whether one that is there keeps its time instead.
        keep_ttl: bool,
    },
    /// It is removed.
    Delete,
}

/// One entry to be set or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyWrite {
    pub(crate) key: String,
    pub(crate) when: When,
    pub(crate) change: Change,
}

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// What their keys begin with; empty for all.
    pub(crate) prefix: String,
    /// Only keys above this one.
    pub(crate) after: String,
    /// The most entries; 0 for 1,000, which is also the most.
    pub(crate) limit: u32,
    /// Whether values are left out.
    pub(crate) keys_only: bool,
}

/// Some entries, and whether there are more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) more: bool,
}

impl When {
    /// Whether it holds where the value is `current`.
    pub(crate) fn holds(&self, current: Option<&[u8]>) -> bool {
        match self {
            When::Always => true,
            When::IfAbsent => current.is_none(),
            When::IfPresent => current.is_some(),
            When::IfEqual(expected) => current == Some(expected),
        }
    }
}
