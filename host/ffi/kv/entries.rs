//! Keys, values and conditions across the boundary.

use std::ffi::c_void;

use exthost_abi::data::Done;
use exthost_abi::kv::{
    KV_ALWAYS, KV_DELETE, KV_IF_ABSENT, KV_IF_EQUAL, KV_IF_PRESENT, KV_KEEP_TTL, KV_KEYS_ONLY,
    KvEntry, KvQuery, KvWrite, NumberDone, OnEntry,
};
use exthost_abi::{Bytes, Error, Status, Str};

use crate::ffi::callback;
use crate::ffi::completion::Complete;
use crate::ffi::convert::{Data, array, known_flags, object, text};
use crate::services::PluginServices;
use crate::services::error::ServiceError;
use crate::services::kv::{Change, Entry, KeyWrite, ListQuery, Page, When};

/// The keys, copied.
///
/// # Safety
/// If the pointer is not null, the keys and their texts must be readable.
pub(in crate::ffi) unsafe fn keys(
    ptr: *const Str,
    len: usize,
) -> Result<Vec<String>, ServiceError> {
    // SAFETY: the caller's contract.
    let keys = unsafe { array(ptr, len, "keys") }?;
    keys.iter()
        // SAFETY: the caller's contract covers each.
        .map(|key| unsafe { text(*key, "a key") }.map(str::to_owned))
        .collect()
}

/// The writes, copied.
///
/// # Safety
/// If the pointer is not null, the writes and all that they refer to must be
/// readable.
pub(in crate::ffi) unsafe fn writes(
    ptr: *const KvWrite,
    len: usize,
) -> Result<Vec<KeyWrite>, ServiceError> {
    // SAFETY: the caller's contract.
    let writes = unsafe { array(ptr, len, "writes") }?;
    // SAFETY: the caller's contract covers each.
    writes.iter().map(|raw| unsafe { write(raw) }).collect()
}

/// # Safety
/// All that the write refers to must be readable.
unsafe fn write(raw: &KvWrite) -> Result<KeyWrite, ServiceError> {
    known_flags(raw.flags, KV_DELETE | KV_KEEP_TTL)?;
    // SAFETY: the caller's contract.
    let key = unsafe { text(raw.key, "key") }?.to_owned();
    // SAFETY: the caller's contract.
    let value = unsafe { bytes(raw.value, "value") }?;
    // SAFETY: the caller's contract.
    let expected = unsafe { bytes(raw.expected, "expected") }?;
    let when = match raw.when {
        KV_IF_EQUAL => When::IfEqual(expected),
        _ if !expected.is_empty() => {
            return Err(ServiceError::invalid(
                "expected is given, and when is not KV_IF_EQUAL",
            ));
        }
        KV_ALWAYS => When::Always,
        KV_IF_ABSENT => When::IfAbsent,
        KV_IF_PRESENT => When::IfPresent,
        other => {
            return Err(ServiceError::invalid(format!(
                "when is {other}, neither KV_ALWAYS nor a KV_IF_"
            )));
        }
    };
    let change = match raw.flags {
        KV_DELETE if !value.is_empty() || raw.ttl_ms != 0 => {
            return Err(ServiceError::invalid(
                "KV_DELETE takes neither a value nor a time",
            ));
        }
        KV_DELETE => Change::Delete,
        flags if flags & KV_DELETE != 0 => {
            return Err(ServiceError::invalid("KV_DELETE with KV_KEEP_TTL"));
        }
        flags => Change::Set {
            value,
            ttl_ms: raw.ttl_ms,
            keep_ttl: flags & KV_KEEP_TTL != 0,
        },
    };
    Ok(KeyWrite { key, when, change })
}

/// # Safety
/// As [`Bytes::as_slice`].
unsafe fn bytes(bytes: Bytes, what: &str) -> Result<Vec<u8>, ServiceError> {
    // SAFETY: the caller's contract is the same.
    let bytes = unsafe { array(bytes.ptr, bytes.len, what) }?;
    Ok(bytes.to_vec())
}

/// The query, copied.
///
/// # Safety
/// If the pointer is not null, the query and its texts must be readable.
pub(super) unsafe fn query(query: *const KvQuery) -> Result<ListQuery, ServiceError> {
    // SAFETY: the caller's contract.
    let query = unsafe { object(query, "query") }?;
    known_flags(query.flags, KV_KEYS_ONLY)?;
    // SAFETY: the caller's contract.
    let prefix = unsafe { text(query.prefix, "prefix") }?;
    // SAFETY: the caller's contract.
    let after = unsafe { text(query.after, "after") }?;
    Ok(ListQuery {
        prefix: prefix.to_owned(),
        after: after.to_owned(),
        limit: query.limit,
        keys_only: query.flags & KV_KEYS_ONLY != 0,
    })
}

/// Hands entries to a plugin, one at a time.
pub(in crate::ffi) fn hand(
    services: &PluginServices,
    cause: u64,
    on_entry: OnEntry,
    data: Data,
    entries: &[Entry],
) {
    let request = services.causes.exchange(&services.context, cause);
    callback(&services.context, request.as_deref(), "entry", || {
        hand_each(on_entry, data.ptr(), entries);
    });
}

fn hand_each(on_entry: OnEntry, data: *mut c_void, entries: &[Entry]) {
    let Some(on_entry) = on_entry.0 else { return };
    for entry in entries {
        let raw = KvEntry {
            key: Str::new(&entry.key),
            value: Bytes::new(&entry.value),
            ttl_ms: entry.ttl_ms,
        };
        // SAFETY: the slot that took the pair calls it for each entry, which lives for
        // the call, and no two at a time.
        unsafe { on_entry(data, &raw const raw) };
    }
}

/// A count as the ABI has numbers.
pub(in crate::ffi) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `get_async`: each entry, then the end.
#[derive(Clone, Copy)]
pub(super) struct GetDone {
    pub(super) on_entry: OnEntry,
    pub(super) done: Done,
}

impl Complete<Vec<Entry>> for GetDone {
    fn is_given(&self) -> bool {
        self.done.0.is_some()
    }

    unsafe fn call(
        self,
        data: *mut c_void,
        status: Status,
        error: *const Error,
        entries: Option<&Vec<Entry>>,
    ) {
        hand_each(self.on_entry, data, entries.map_or(&[], Vec::as_slice));
        if let Some(done) = self.done.0 {
            // SAFETY: the caller's contract.
            unsafe { done(data, status, error) };
        }
    }
}

/// `list_async`: each entry, then the end with whether there are more.
#[derive(Clone, Copy)]
pub(super) struct ListDone {
    pub(super) on_entry: OnEntry,
    pub(super) done: NumberDone,
}

impl Complete<Page> for ListDone {
    fn is_given(&self) -> bool {
        self.done.0.is_some()
    }

    unsafe fn call(
        self,
        data: *mut c_void,
        status: Status,
        error: *const Error,
        page: Option<&Page>,
    ) {
        let entries = page.map_or(&[][..], |page| &page.entries);
        hand_each(self.on_entry, data, entries);
        if let Some(done) = self.done.0 {
            let more = page.is_some_and(|page| page.more);
            // SAFETY: the caller's contract.
            unsafe { done(data, status, error, i64::from(more)) };
        }
    }
}
