//! The slots of `kv/1` that hand entries over.

use std::ffi::c_void;

use abi::data::Done;
use abi::kv::{KV_KEYS_ONLY, KvEntry, KvQuery, NumberDone, OnEntry};
use abi::{Status, Str};
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::{Held, Operation, outcome};
use super::{keep, owned, raw_keys};
use crate::Result;
use crate::cause::Cause;
use crate::db::Slot;
use crate::kv::Entry;

/// `get` and `list`, and what becomes of the entries, given whether there are more.
pub(crate) struct Read<'a, F> {
    pub(crate) tx: u64,
    pub(crate) wanted: Wanted<'a>,
    pub(crate) finish: F,
}

/// What is read.
pub(crate) enum Wanted<'a> {
    /// These keys.
    Keys(Vec<&'a str>),
    /// Keys in order.
    List {
        prefix: &'a str,
        after: &'a str,
        limit: u32,
        keys_only: bool,
    },
}

/// What the callbacks of a read hold.
type HeldEntries<T, F> = Held<T, (Result<Vec<Entry>>, F)>;

impl<T, F> Slot<T> for Read<'_, F>
where
    T: Send + 'static,
    F: FnOnce(Vec<Entry>, bool) -> Result<T> + Send + 'static,
{
    fn wait(self: Box<Self>, host: &'static Host) -> Result<T> {
        let (table, cause) = (host.kv()?, Cause::id_for(host));
        let Read { tx, wanted, finish } = *self;
        let mut held: HeldEntries<T, F> = Held::new(host, (Ok(Vec::new()), finish));
        let data = (&raw mut held).cast();
        let on_entry = OnEntry(Some(on_entry::<T, F>));
        let mut more = 0;
        let status = match &wanted {
            Wanted::Keys(keys) => {
                let keys = raw_keys(keys);
                // SAFETY: the table is the host's; the keys and `held` outlive the call,
                // within which `on_entry` is called, one at a time.
                unsafe {
                    (table.get)(
                        host.ctx(),
                        cause,
                        tx,
                        keys.as_ptr(),
                        keys.len(),
                        data,
                        on_entry,
                    )
                }
            }
            list => {
                let query = list.as_query();
                let (query, more) = (&raw const query, &raw mut more);
                // SAFETY: as above; `more` is writable.
                unsafe { (table.list)(host.ctx(), cause, tx, query, data, on_entry, more) }
            }
        };
        host.check(status)?;
        let (entries, finish) = held.into_sink();
        finish(entries?, more != 0)
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<T>> {
        let (table, cause) = (host.kv()?, Cause::id_for(host));
        let Read { tx, wanted, finish } = *self;
        let on_entry = OnEntry(Some(on_entry::<T, F>));
        let sink: (Result<Vec<Entry>>, F) = (Ok(Vec::new()), finish);
        Ok(Operation::start(host, sink, |data, op| match &wanted {
            Wanted::Keys(keys) => {
                let keys = raw_keys(keys);
                // SAFETY: the table is the host's; the keys outlive the call, and `data`
                // is the host's until `on_got`.
                unsafe {
                    (table.get_async)(
                        host.ctx(),
                        cause,
                        tx,
                        keys.as_ptr(),
                        keys.len(),
                        data,
                        on_entry,
                        Done(Some(on_got::<T, F>)),
                        op,
                    )
                }
            }
            list => {
                let query = list.as_query();
                let done = NumberDone(Some(on_listed::<T, F>));
                // SAFETY: as above, until `on_listed`.
                unsafe {
                    (table.list_async)(
                        host.ctx(),
                        cause,
                        tx,
                        &raw const query,
                        data,
                        on_entry,
                        done,
                        op,
                    )
                }
            }
        }))
    }
}

impl Wanted<'_> {
    /// The query for `list`, which borrows from `self`.
    fn as_query(&self) -> KvQuery {
        let (prefix, after, limit, keys_only) = match *self {
            Wanted::Keys(_) => ("", "", 0, false),
            Wanted::List {
                prefix,
                after,
                limit,
                keys_only,
            } => (prefix, after, limit, keys_only),
        };
        KvQuery {
            prefix: Str::new(prefix),
            after: Str::new(after),
            limit,
            flags: if keys_only { KV_KEYS_ONLY } else { 0 },
        }
    }
}

unsafe extern "C" fn on_entry<T, F>(data: *mut c_void, entry: *const KvEntry) {
    // SAFETY: `Read` passed a `Held` of this type, which is this callback's alone
    // until it returns.
    let held = unsafe { &mut *data.cast::<HeldEntries<T, F>>() };
    // SAFETY: borrowed for this call, by the contract of `OnEntry`.
    let entry = unsafe { owned(entry) };
    held.receive("entry", (), |(entries, _)| keep(entries, entry));
}

unsafe extern "C" fn on_got<T, F>(data: *mut c_void, status: Status, error: *const abi::Error)
where
    F: FnOnce(Vec<Entry>, bool) -> Result<T>,
{
    // SAFETY: `Read` passed a `Held` of this type, and this is the last callback.
    let held = unsafe { HeldEntries::<T, F>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `Done`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|(entries, finish)| {
        outcome
            .and(entries)
            .and_then(|entries| finish(entries, false))
    });
}

unsafe extern "C" fn on_listed<T, F>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    more: i64,
) where
    F: FnOnce(Vec<Entry>, bool) -> Result<T>,
{
    // SAFETY: `Read` passed a `Held` of this type, and this is the last callback.
    let held = unsafe { HeldEntries::<T, F>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `NumberDone`.
    let outcome = unsafe { outcome(status, error) };
    let more = more != 0;
    held.end(|(entries, finish)| {
        outcome
            .and(entries)
            .and_then(|entries| finish(entries, more))
    });
}
