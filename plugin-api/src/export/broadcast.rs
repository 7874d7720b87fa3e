//! The slots of `broadcast/1`.

use abi::Str;
use abi::broadcast::Publication;
use exthost_abi as abi;

use super::host::Host;
use crate::Result;
use crate::cause::Cause;

impl Host {
    /// Publishes a message; returns its number in the channel.
    pub(crate) fn publish(&self, channel: &str, event: &str, payload: &str) -> Result<u64> {
        let table = self.broadcast()?;
        let publication = Publication {
            channel: Str::new(channel),
            event: Str::new(event),
            payload: Str::new(payload),
            flags: 0,
            reserved: 0,
        };
        let mut sequence = 0;
        // SAFETY: the table is the host's; the publication outlives the call, and
        // `sequence` is writable.
        let status = unsafe {
            (table.publish)(
                self.ctx(),
                Cause::id_for(self),
                &raw const publication,
                &raw mut sequence,
            )
        };
        self.check(status)?;
        Ok(sequence)
    }

    /// The number of clients that would receive a message of `channel`.
    pub(crate) fn subscriber_count(&self, channel: &str) -> Result<u64> {
        let table = self.broadcast()?;
        let mut count = 0;
        // SAFETY: the table is the host's; the channel outlives the call, and
        // `count` is writable.
        let status = unsafe {
            (table.subscriber_count)(
                self.ctx(),
                Cause::id_for(self),
                Str::new(channel),
                &raw mut count,
            )
        };
        self.check(status)?;
        Ok(count)
    }
}
