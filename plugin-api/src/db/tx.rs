//! A transaction.

use std::ops::Deref;

use serde::Serialize;

use super::{Call, Db};
use crate::Result;
use crate::audit::Audit;
use crate::export::db::{Begin, End};
use crate::export::host::Host;
use crate::kv::Kv;
use crate::webhooks::{MessageId, Webhooks};

/// An open transaction, from [`Db::begin`] or [`Db::transaction`].
///
/// It has every method of [`Db`], and a function that takes `&Db` takes it too.
/// Dropped before it is committed, it is rolled back, as it is when its deadline
/// passes (5 s unless the operator says otherwise) or the request ends that opened
/// it.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// fn replace(db: &Db, texts: &[String]) -> Result<()> {
///     let tx = db.begin().wait()?;
///     tx.exec("DELETE FROM ext_notes_all").wait()?;
///     let insert = tx.prepare("INSERT INTO ext_notes_all (text) VALUES (?)").wait()?;
///     for text in texts {
///         insert.run(text).wait()?;
///     }
///     tx.commit().wait()
/// }
/// ```
#[must_use = "a transaction that is dropped is rolled back"]
#[derive(Debug)]
pub struct Tx {
    db: Db,
    /// Whether it is to be rolled back when dropped.
    open: bool,
}

impl Tx {
    pub(crate) fn new(host: &'static Host, id: u64) -> Self {
        Tx {
            db: Db { host, tx: id },
            open: true,
        }
    }

    /// Commits. It has ended then, also when that fails: nothing is done.
    pub fn commit(self) -> Call<'static, ()> {
        let host = self.db.host;
        let slot = End {
            tx: self,
            commit: true,
        };
        Call::new(host, Ok(slot))
    }

    /// Undoes everything done in it.
    pub fn rollback(self) -> Call<'static, ()> {
        let host = self.db.host;
        let slot = End {
            tx: self,
            commit: false,
        };
        Call::new(host, Ok(slot))
    }

    /// Queues a message that is sent if this commits; see [`Webhooks::fire`].
    pub fn fire<'a>(
        &self,
        event_type: &'a str,
        payload: &(impl Serialize + ?Sized),
    ) -> Call<'a, MessageId> {
        self.webhooks().fire(event_type, payload)
    }

    /// The webhooks, whose messages are sent if this commits.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::within(self.db.host, self.db.tx)
    }

    /// Appends a record to the audit if this commits; see [`Audit::record`].
    pub fn record<'a>(
        &self,
        action: &'a str,
        target_kind: &'a str,
        target_id: impl ToString,
        detail: &(impl Serialize + ?Sized),
    ) -> Call<'a, ()> {
        let audit = Audit::within(self.db.host, self.db.tx);
        audit.record(action, target_kind, target_id, detail)
    }

    /// The keys and values, whose changes are done if this commits.
    pub fn kv(&self) -> Kv {
        Kv::within(self.db.host, self.db.tx)
    }

    pub(crate) fn id(&self) -> u64 {
        self.db.tx
    }

    /// It has ended, or the host is ending it.
    pub(crate) fn ended(&mut self) {
        self.open = false;
    }
}

impl Db {
    /// Opens a transaction, waiting for its turn; within one, a nested one.
    pub fn begin(&self) -> Call<'static, Tx> {
        Call::new(self.host, Ok(Begin { parent: self.tx }))
    }

    /// Does `work` in a transaction: committed when it succeeds, rolled back when
    /// it fails, panics, or is dropped.
    ///
    /// Statements on the database itself, rather than on the transaction, are
    /// refused meanwhile when they write.
    ///
    /// # Errors
    /// That of `work`, or of the commit.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn rename(db: Db, id: i64, text: String) -> Result<()> {
    ///     db.transaction(async |tx| {
    ///         tx.run("UPDATE ext_notes_all SET text = ? WHERE id = ?", (&text, id)).await?;
    ///         tx.fire("note.renamed", &(id, &text)).await?;
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// ```
    pub async fn transaction<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
        let tx = self.begin().await?;
        match work(&tx).await {
            Ok(value) => tx.commit().await.map(|()| value),
            Err(error) => {
                // Awaited, so that what comes next finds it closed. When it fails
                // the host has rolled back as well.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Does `work` in a transaction, as [`transaction`](Db::transaction) does, for
    /// an `fn`.
    ///
    /// # Errors
    /// That of `work`, or of the commit.
    pub fn blocking_transaction<T>(&self, work: impl FnOnce(&Tx) -> Result<T>) -> Result<T> {
        let tx = self.begin().wait()?;
        match work(&tx) {
            Ok(value) => tx.commit().wait().map(|()| value),
            Err(error) => {
                // The host has rolled back when this fails as well.
                let _ = tx.rollback().wait();
                Err(error)
            }
        }
    }
}

impl Deref for Tx {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            self.db.host.db_roll_back(self.db.tx);
        }
    }
}
