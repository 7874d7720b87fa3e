//! The slots of `kv/1` that answer a number.

use std::ffi::c_void;

use abi::kv::NumberDone;
use abi::{Status, Str};
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::{Held, Operation, outcome};
use super::raw_writes;
use crate::Result;
use crate::cause::Cause;
use crate::db::Slot;
use crate::kv::Encoded;

/// A change that answers a number.
pub(crate) enum Change<'a> {
    Write(Vec<Encoded<'a>>),
    Add {
        key: &'a str,
        amount: i64,
        ttl_ms: u64,
    },
    Flush {
        prefix: &'a str,
    },
}

/// `write`, `add` and `flush`, and what becomes of the number.
pub(crate) struct Finished<'a, F> {
    tx: u64,
    change: Change<'a>,
    finish: F,
}

impl<'a> Change<'a> {
    /// With what becomes of the number.
    pub(crate) fn finished<F>(self, tx: u64, finish: F) -> Finished<'a, F> {
        Finished {
            tx,
            change: self,
            finish,
        }
    }
}

impl<T, F> Slot<T> for Finished<'_, F>
where
    T: Send + 'static,
    F: FnOnce(Result<i64>) -> Result<T> + Send + 'static,
{
    fn wait(self: Box<Self>, host: &'static Host) -> Result<T> {
        let (table, ctx, cause) = (host.kv()?, host.ctx(), Cause::id_for(host));
        let (tx, mut number) = (self.tx, 0);
        let place = &raw mut number;
        let status = match self.change {
            Change::Write(writes) => {
                let raw = raw_writes(&writes);
                // SAFETY: the table is the host's; the writes outlive the call, and the
                // place is writable.
                unsafe { (table.write)(ctx, cause, tx, raw.as_ptr(), raw.len(), place) }
            }
            Change::Add {
                key,
                amount,
                ttl_ms,
            } => {
                let key = Str::new(key);
                // SAFETY: as above, of the key.
                unsafe { (table.add)(ctx, cause, tx, key, amount, ttl_ms, place) }
            }
            Change::Flush { prefix } => {
                let prefix = Str::new(prefix);
                // SAFETY: as above, of the prefix.
                unsafe { (table.flush)(ctx, cause, tx, prefix, place) }
            }
        };
        (self.finish)(host.check(status).map(|()| number))
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<T>> {
        let (table, ctx, cause) = (host.kv()?, host.ctx(), Cause::id_for(host));
        let Finished { tx, change, finish } = *self;
        let done = NumberDone(Some(on_number::<T, F>));
        Ok(Operation::start(host, finish, |data, op| match change {
            Change::Write(writes) => {
                let raw = raw_writes(&writes);
                // SAFETY: the table is the host's; the writes outlive the call, and `data`
                // is the host's until `on_number`.
                unsafe {
                    (table.write_async)(ctx, cause, tx, raw.as_ptr(), raw.len(), data, done, op)
                }
            }
            Change::Add {
                key,
                amount,
                ttl_ms,
            } => {
                let key = Str::new(key);
                // SAFETY: as above, of the key.
                unsafe { (table.add_async)(ctx, cause, tx, key, amount, ttl_ms, data, done, op) }
            }
            Change::Flush { prefix } => {
                let prefix = Str::new(prefix);
                // SAFETY: as above, of the prefix.
                unsafe { (table.flush_async)(ctx, cause, tx, prefix, data, done, op) }
            }
        }))
    }
}

unsafe extern "C" fn on_number<T, F>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    number: i64,
) where
    F: FnOnce(Result<i64>) -> Result<T>,
{
    // SAFETY: `Finished` passed a `Held` of this type, and this is the one callback.
    let held = unsafe { Held::<T, F>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `NumberDone`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|finish| finish(outcome.map(|()| number)));
}
