//! Who did what to what, in a record that can only grow.

use serde::Serialize;

use crate::db::Call;
use crate::export::audit::Record;
use crate::export::host::Host;

/// A record of who did what to what, which can only grow.
///
/// The host adds this plugin, the actor and the id of the request that is served, and the
/// time. Each record holds the hash of the one before, and the newest is signed:
/// `exthost audit verify` tells when one was edited, removed or cut off. To keep a record
/// if and only if a change is committed, make it in the transaction:
/// [`Tx::record`](crate::db::Tx::record).
///
/// It is a reference in disguise, as [`Services`](crate::Services) is.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// async fn lock_out(audit: Audit, kv: Kv, user: i64) -> Result<()> {
///     kv.set(&format!("locked:{user}"), &true).await?;
///     audit.record("user.locked", "user", user, &[("reason", "too many attempts")]).await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Audit {
    host: &'static Host,
    /// The transaction that the records belong to, or 0.
    tx: u64,
}

impl Audit {
    pub(crate) fn new(host: &'static Host) -> Self {
        Audit { host, tx: 0 }
    }

    pub(crate) fn within(host: &'static Host, tx: u64) -> Self {
        Audit { host, tx }
    }

    /// Appends a record: what was done, to which kind of thing, to which of them, and what
    /// else is to be known of it, 64 KiB of JSON at most, `&()` for nothing. Done once it
    /// will outlive a loss of power, or is part of its transaction.
    ///
    /// An action is tokens joined by dots, such as `item.created`.
    ///
    /// # Errors
    /// 413 when something is too large, 507 when the disk is full; 500 when the detail
    /// does not serialise, or the action is malformed.
    pub fn record<'a>(
        &self,
        action: &'a str,
        target_kind: &'a str,
        target_id: impl ToString,
        detail: &(impl Serialize + ?Sized),
    ) -> Call<'a, ()> {
        let detail = serde_json::to_vec(detail).map_err(Into::into);
        let slot = detail.map(|detail| Record {
            tx: self.tx,
            action,
            target_kind,
            target_id: target_id.to_string(),
            detail: if detail == NOTHING {
                Vec::new()
            } else {
                detail
            },
        });
        Call::new(self.host, slot)
    }
}

/// What `()` serialises as.
const NOTHING: &[u8] = b"null";
