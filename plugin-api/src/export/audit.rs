//! The slots of `audit/1`.

use abi::audit::AuditRecord;
use abi::{Bytes, Str};
use exthost_abi as abi;

use super::host::Host;
use super::operation::Operation;
use crate::Result;
use crate::cause::Cause;
use crate::db::Slot;

/// `record`.
pub(crate) struct Record<'a> {
    pub(crate) tx: u64,
    pub(crate) action: &'a str,
    pub(crate) target_kind: &'a str,
    pub(crate) target_id: String,
    pub(crate) detail: Vec<u8>,
}

impl Record<'_> {
    fn as_raw(&self) -> AuditRecord {
        AuditRecord {
            tx: self.tx,
            action: Str::new(self.action),
            target_kind: Str::new(self.target_kind),
            target_id: Str::new(&self.target_id),
            detail: Bytes::new(&self.detail),
            flags: 0,
            reserved: 0,
        }
    }
}

impl Slot<()> for Record<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<()> {
        let (table, cause) = (host.audit()?, Cause::id_for(host));
        let record = self.as_raw();
        // SAFETY: the table is the host's; the record outlives the call.
        let status = unsafe { (table.record)(host.ctx(), cause, &raw const record) };
        host.check(status)
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<()>> {
        let (table, cause) = (host.audit()?, Cause::id_for(host));
        let record = self.as_raw();
        Ok(Operation::done(host, |data, done, op| {
            // SAFETY: the table is the host's; the record outlives the call, and `data` is
            // the host's until `done`.
            unsafe { (table.record_async)(host.ctx(), cause, &raw const record, data, done, op) }
        }))
    }
}
