//! The slots of `cache/1`.

use std::ffi::c_void;

use abi::Str;
use abi::kv::{KvEntry, OnEntry};
use exthost_abi as abi;

use super::host::Host;
use super::kv::{keep, owned, raw_keys, raw_writes};
use crate::Result;
use crate::cause::Cause;
use crate::kv::{Encoded, Entry};

impl Host {
    /// The entries of `keys` that are there.
    pub(crate) fn cached(&self, keys: &[&str]) -> Result<Vec<Entry>> {
        let (table, cause) = (self.cache()?, Cause::id_for(self));
        let keys = raw_keys(keys);
        let mut entries: Result<Vec<Entry>> = Ok(Vec::new());
        // SAFETY: the table is the host's; the keys and `entries` outlive the call,
        // within which `on_entry` is called, one at a time.
        let status = unsafe {
            (table.get)(
                self.ctx(),
                cause,
                keys.as_ptr(),
                keys.len(),
                (&raw mut entries).cast(),
                OnEntry(Some(on_entry)),
            )
        };
        self.check(status)?;
        entries
    }

    /// Sets and removes; how many there were.
    pub(crate) fn write_cached(&self, writes: &[Encoded<'_>]) -> Result<u64> {
        let (table, cause) = (self.cache()?, Cause::id_for(self));
        let raw = raw_writes(writes);
        let mut number = 0;
        let place = &raw mut number;
        // SAFETY: the table is the host's; the writes outlive the call, and the place is
        // writable.
        let status = unsafe { (table.write)(self.ctx(), cause, raw.as_ptr(), raw.len(), place) };
        self.check(status).map(|()| number.unsigned_abs())
    }

    /// Adds to a number; the sum.
    pub(crate) fn add_cached(&self, key: &str, amount: i64, ttl_ms: u64) -> Result<i64> {
        let (table, cause) = (self.cache()?, Cause::id_for(self));
        let mut number = 0;
        let place = &raw mut number;
        // SAFETY: the table is the host's; the key outlives the call, and the place is
        // writable.
        let status =
            unsafe { (table.add)(self.ctx(), cause, Str::new(key), amount, ttl_ms, place) };
        self.check(status).map(|()| number)
    }

    /// Lets a key end.
    pub(crate) fn expire_cached(&self, key: &str, ttl_ms: u64) -> Result<()> {
        let (table, cause) = (self.cache()?, Cause::id_for(self));
        // SAFETY: the table is the host's; the key outlives the call.
        let status = unsafe { (table.expire)(self.ctx(), cause, Str::new(key), ttl_ms) };
        self.check(status)
    }

    /// Removes what begins with `prefix`; how many there were.
    pub(crate) fn flush_cached(&self, prefix: &str) -> Result<u64> {
        let (table, cause) = (self.cache()?, Cause::id_for(self));
        let mut number = 0;
        let place = &raw mut number;
        // SAFETY: the table is the host's; the prefix outlives the call, and the place is
        // writable.
        let status = unsafe { (table.flush)(self.ctx(), cause, Str::new(prefix), place) };
        self.check(status).map(|()| number.unsigned_abs())
    }
}

/// Keeps an entry; nothing in it panics but running out of memory.
unsafe extern "C" fn on_entry(data: *mut c_void, entry: *const KvEntry) {
    // SAFETY: `cached` passed a place that nobody else touches meanwhile.
    let entries = unsafe { &mut *data.cast::<Result<Vec<Entry>>>() };
    // SAFETY: borrowed for this call, by the contract of `OnEntry`.
    keep(entries, unsafe { owned(entry) });
}
