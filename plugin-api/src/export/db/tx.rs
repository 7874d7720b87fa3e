//! The slots of `db/1` that open and end transactions.

use std::ffi::c_void;

use abi::Status;
use abi::data::Done;
use abi::db::{IdDone, TxSpec};
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::Operation;
use super::{MakeOfId, on_id};
use crate::Result;
use crate::cause::Cause;
use crate::db::{Slot, Tx};

/// `begin`.
pub(crate) struct Begin {
    /// The transaction to nest in, or 0.
    pub(crate) parent: u64,
}

/// `commit` and `rollback`.
pub(crate) struct End {
    pub(crate) tx: Tx,
    pub(crate) commit: bool,
}

impl Host {
    /// Rolls a transaction back without waiting for it; one that has ended needs
    /// none.
    pub(crate) fn db_roll_back(&self, tx: u64) {
        let Ok(table) = self.db() else {
            return;
        };
        let (data, mut op) = (std::ptr::null_mut(), 0);
        let (cause, done) = (Cause::id_for(self), Done(Some(ignore)));
        // SAFETY: the table is the host's; `ignore` needs no data, and `op` is
        // writable.
        unsafe { (table.rollback_async)(self.ctx(), cause, tx, data, done, &raw mut op) };
    }
}

impl Slot<Tx> for Begin {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<Tx> {
        let (table, spec) = (host.db()?, self.as_raw());
        let mut id = 0;
        // SAFETY: the table is the host's; `spec` outlives the call, and the place
        // is writable.
        let status = unsafe {
            (table.begin)(
                host.ctx(),
                Cause::id_for(host),
                &raw const spec,
                &raw mut id,
            )
        };
        host.check(status)?;
        Ok(Tx::new(host, id))
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<Tx>> {
        let (table, spec) = (host.db()?, self.as_raw());
        let make: MakeOfId<Tx> = Box::new(move |id| Tx::new(host, id));
        Ok(Operation::start(host, make, |data, op| {
            // SAFETY: the table is the host's; `spec` outlives the call, and `data`
            // is the host's until `on_id`.
            unsafe {
                (table.begin_async)(
                    host.ctx(),
                    Cause::id_for(host),
                    &raw const spec,
                    data,
                    IdDone(Some(on_id::<Tx>)),
                    op,
                )
            }
        }))
    }
}

impl Begin {
    fn as_raw(&self) -> TxSpec {
        TxSpec {
            parent: self.parent,
            flags: 0,
            reserved: 0,
            deadline_ms: 0,
        }
    }
}

/// A slot that refuses before it has looked at the transaction leaves it open, and
/// dropping it then rolls it back; one that has ended it answers that with `GONE`.
impl Slot<()> for End {
    fn wait(mut self: Box<Self>, host: &'static Host) -> Result<()> {
        let table = host.db()?;
        let slot = if self.commit {
            table.commit
        } else {
            table.rollback
        };
        // SAFETY: the table is the host's.
        let status = unsafe { slot(host.ctx(), Cause::id_for(host), self.tx.id()) };
        host.check(status)?;
        self.tx.ended();
        Ok(())
    }

    fn begin(mut self: Box<Self>, host: &'static Host) -> Result<Operation<()>> {
        let table = host.db()?;
        let slot = if self.commit {
            table.commit_async
        } else {
            table.rollback_async
        };
        let tx = &mut self.tx;
        Ok(Operation::done(host, |data, done, op| {
            // SAFETY: the table is the host's; `data` is the host's until `done`.
            let status = unsafe { slot(host.ctx(), Cause::id_for(host), tx.id(), data, done, op) };
            if status.is_ok() {
                tx.ended();
            }
            status
        }))
    }
}

unsafe extern "C" fn ignore(_data: *mut c_void, _status: Status, _error: *const abi::Error) {}
