//! The slots of `kv/1`.

mod change;
mod read;

use abi::kv::{KvEntry, KvWrite};
use abi::{Bytes, Str};
use exthost_abi as abi;

pub(crate) use self::change::Change;
pub(crate) use self::read::{Read, Wanted};
use super::host::Host;
use super::operation::Operation;
use crate::cause::Cause;
use crate::db::Slot;
use crate::kv::{Encoded, Entry};
use crate::{Error, Result};

/// `expire`.
pub(crate) struct Expire<'a> {
    pub(crate) tx: u64,
    pub(crate) key: &'a str,
    pub(crate) ttl_ms: u64,
}

impl Slot<()> for Expire<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<()> {
        let (table, cause) = (host.kv()?, Cause::id_for(host));
        let key = Str::new(self.key);
        // SAFETY: the table is the host's; the key outlives the call.
        let status = unsafe { (table.expire)(host.ctx(), cause, self.tx, key, self.ttl_ms) };
        host.check(status)
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<()>> {
        let (table, cause) = (host.kv()?, Cause::id_for(host));
        let key = Str::new(self.key);
        Ok(Operation::done(host, |data, done, op| {
            // SAFETY: the table is the host's; the key outlives the call, and `data` is
            // the host's until `done`.
            unsafe {
                (table.expire_async)(host.ctx(), cause, self.tx, key, self.ttl_ms, data, done, op)
            }
        }))
    }
}

/// The keys as they cross, borrowed.
pub(super) fn raw_keys(keys: &[&str]) -> Vec<Str> {
    keys.iter().map(|key| Str::new(key)).collect()
}

/// The writes as they cross, borrowed.
pub(super) fn raw_writes(writes: &[Encoded<'_>]) -> Vec<KvWrite> {
    let raw = |write: &Encoded<'_>| KvWrite {
        key: Str::new(write.key),
        value: Bytes::new(&write.value),
        expected: Bytes::new(&write.expected),
        ttl_ms: write.ttl_ms,
        when: write.when,
        flags: write.flags,
    };
    writes.iter().map(raw).collect()
}

/// Adds an entry, or notes that the host failed to tell one.
pub(super) fn keep(entries: &mut Result<Vec<Entry>>, entry: Option<Entry>) {
    match (&mut *entries, entry) {
        (Ok(kept), Some(entry)) => kept.push(entry),
        (_, None) => *entries = Err(Error::internal("the host handed over what is no entry")),
        (Err(_), _) => {}
    }
}

/// Copies an entry.
///
/// # Safety
/// It is null, or it and what it borrows are readable.
pub(super) unsafe fn owned(entry: *const KvEntry) -> Option<Entry> {
    // SAFETY: the caller's contract.
    let entry = unsafe { entry.as_ref() }?;
    // SAFETY: the caller's contract.
    let key = unsafe { entry.key.as_str() }.ok()?;
    // SAFETY: the caller's contract.
    let value = unsafe { entry.value.as_slice() }.ok()?;
    Some(Entry::new(key.to_owned(), value.to_vec(), entry.ttl_ms))
}
