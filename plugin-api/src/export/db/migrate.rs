//! The slot of `db/1` that brings a schema up to date.

use abi::Str;
use abi::db::Migration;
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::Operation;
use crate::Result;
use crate::cause::Cause;
use crate::db::Slot;

/// `migrate`.
pub(crate) struct Migrate<'a>(pub(crate) &'a [(u64, &'a str)]);

impl Migrate<'_> {
    /// The migrations, which borrow from `self`.
    fn as_raw(&self) -> Vec<Migration> {
        let raw = |&(version, sql): &(u64, &str)| Migration {
            version,
            sql: Str::new(sql),
        };
        self.0.iter().map(raw).collect()
    }
}

impl Slot<u64> for Migrate<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<u64> {
        let table = host.db()?;
        let migrations = self.as_raw();
        let mut version = 0;
        // SAFETY: the table is the host's; the migrations outlive the call, and
        // the place is writable.
        let status = unsafe {
            (table.migrate)(
                host.ctx(),
                Cause::id_for(host),
                migrations.as_ptr(),
                migrations.len(),
                &raw mut version,
            )
        };
        host.check(status).map(|()| version)
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<u64>> {
        let table = host.db()?;
        let migrations = self.as_raw();
        // The completing form does not say what it reached: when it succeeds, that
        // is the last one given, for a recorded version above it is an error.
        let reached = self.0.last().map_or(0, |(version, _)| *version);
        Ok(Operation::done_with(host, reached, |data, done, op| {
            // SAFETY: the table is the host's; the migrations outlive the call, and
            // `data` is the host's until `done`.
            unsafe {
                (table.migrate_async)(
                    host.ctx(),
                    Cause::id_for(host),
                    migrations.as_ptr(),
                    migrations.len(),
                    data,
                    done,
                    op,
                )
            }
        }))
    }
}
