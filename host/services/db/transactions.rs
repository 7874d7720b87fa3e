//! The calls for transactions, and what ends one that its plugin does not end.

use std::time::{Duration, Instant};

use exthost_abi::Status;
use tokio::task::AbortHandle;

use crate::services::cause::Causes;
use crate::services::context::Phase;
use crate::services::db::connection::Connection;
use crate::services::db::lane::{By, Job, Lent};
use crate::services::db::ticket::ticket;
use crate::services::db::transaction::{Transaction, gone};
use crate::services::db::{Db, inside};
use crate::services::error::ServiceError;

/// How a transaction is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TxSpec {
    /// An open transaction to nest in, or 0.
    pub(crate) parent: u64,
    /// Time until it is rolled back; the plugin's limit bounds it as well.
    pub(crate) deadline: Option<Duration>,
}

impl Db {
    /// Opens a transaction and returns its id. It ends with its cause; one that
    /// has ended before this call counts as none.
    pub(crate) fn begin(
        &self,
        cause: u64,
        spec: TxSpec,
        by: By,
    ) -> impl Future<Output = Result<u64, ServiceError>> + Send {
        // Not when the future is first polled: it may have ended by then.
        let cause = Causes::of_process().alive(&self.context, cause);
        self.begin_for(cause, spec, by)
    }

    async fn begin_for(&self, cause: u64, spec: TxSpec, by: By) -> Result<u64, ServiceError> {
        if spec.parent != 0 {
            let parent = self.transaction(spec.parent)?;
            let nested = self.in_turn(parent, by, Transaction::nest).await?;
            return self.id_of(nested);
        }
        self.check_no_own(cause)?;
        let (ticket, waiting) = ticket();
        let take = move |lent: Result<Lent, ServiceError>| {
            if ticket.begin() {
                ticket.answer(lent.and_then(|lent| {
                    lent.connection().begin()?;
                    Ok(lent)
                }));
            }
        };
        let database = &self.database;
        database.writer.submit(Job::Lend(Box::new(take)), by)?;
        let lent = waiting.answer(self.turn()).await?;
        let limit = database.settings.limits.transaction_deadline;
        let time = spec.deadline.map_or(limit, |asked| asked.min(limit));
        let deadline = Instant::now() + time;
        let holder = self.holder_of(cause);
        let transaction = Transaction::new(lent, deadline, holder, database.clone());
        let id = self.id_of(transaction.clone())?;
        *database.holder() = Some(holder);
        let watch = self.watch(id, transaction.clone(), cause, time);
        transaction.watched_by(watch);
        Ok(id)
    }

    /// Commits a transaction; its id ends whatever the answer.
    pub(crate) fn commit(
        &self,
        tx: u64,
        by: By,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send {
        self.finish(tx, by, Transaction::commit)
    }

    /// Rolls a transaction back; its id ends.
    pub(crate) fn roll_back(
        &self,
        tx: u64,
        by: By,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send {
        self.finish(tx, by, Transaction::roll_back)
    }

    fn finish(
        &self,
        tx: u64,
        by: By,
        how: fn(&Transaction) -> Result<(), ServiceError>,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send {
        // Not when the future is first polled: a write that follows at once is no
        // longer beside it.
        let taken = inside::check().and_then(|()| self.take(tx));
        async move {
            let transaction = taken?;
            self.on(by, move || how(&transaction)).await
        }
    }

    /// Refuses a transaction that is over.
    pub(crate) async fn check_open(&self, tx: u64, by: By) -> Result<(), ServiceError> {
        self.within(tx, by, |_, _| Ok(())).await
    }

    /// Ends a transaction when its time or its cause has passed, or the plugin
    /// is stopped; then its id, a while later.
    fn watch(&self, id: u64, transaction: Transaction, cause: u64, time: Duration) -> AbortHandle {
        let context = self.context.clone();
        let transactions = self.transactions.clone();
        let deadline = transaction.deadline();
        let task = self.runtime.spawn(async move {
            let why = tokio::select! {
                () = tokio::time::sleep_until(deadline.into()) => overrun(time),
                () = Causes::of_process().ended(cause), if cause != 0 => {
                    gone("the request or task it was opened for has ended, and it was rolled back")
                }
                () = context.reached(Phase::Stopped) => {
                    gone("this plugin has been stopped, and it was rolled back")
                }
            };
            transaction.let_go();
            // It may wait for a statement that runs, and undoing takes time.
            let ended = tokio::task::spawn_blocking(move || transaction.end(why));
            let _ = ended.await;
            tokio::time::sleep(REASON_KEPT).await;
            transactions.remove(id);
        });
        task.abort_handle()
    }

    /// Runs `run` inside the transaction `tx`.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        tx: u64,
        by: By,
        run: impl FnOnce(&Connection, Instant) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let transaction = self.transaction(tx)?;
        self.in_turn(transaction, by, |transaction| transaction.run(run))
            .await
    }

    /// [`within`](Self::within) on this thread, which may block; `None` when another
    /// call of the transaction runs.
    pub(super) fn within_at_once<T>(
        &self,
        tx: u64,
        run: impl FnOnce(&Connection, Instant) -> Result<T, ServiceError>,
    ) -> Option<Result<T, ServiceError>> {
        let transaction = match self.transaction(tx) {
            Ok(transaction) => transaction,
            Err(error) => return Some(Err(error)),
        };
        let _turn = transaction.turn_at_once()?;
        Some(transaction.run(run))
    }

    /// Runs one call of a transaction after the other, so that those that wait
    /// hold no thread.
    async fn in_turn<T: Send + 'static>(
        &self,
        transaction: Transaction,
        by: By,
        run: impl FnOnce(&Transaction) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let turn = transaction.turn().await;
        let run = move || {
            let _turn = turn;
            run(&transaction)
        };
        self.on(by, run).await
    }

    /// Runs what may block where it may.
    async fn on<T: Send + 'static>(
        &self,
        by: By,
        run: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match by {
            By::This | By::Worker => run(),
            By::Runtime => {
                let ran = self.runtime.spawn_blocking(run).await;
                ran.unwrap_or_else(|_| Err(ServiceError::status(Status::INTERNAL)))
            }
        }
    }

    fn transaction(&self, tx: u64) -> Result<Transaction, ServiceError> {
        let transaction = self.transactions.find(tx);
        transaction.ok_or_else(|| no_transaction(tx))
    }

    /// Ends the id of a transaction.
    fn take(&self, tx: u64) -> Result<Transaction, ServiceError> {
        let transaction = self.transactions.remove(tx);
        let transaction = transaction.ok_or_else(|| no_transaction(tx))?;
        if transaction.is_root() {
            transaction.unwatch();
            transaction.let_go();
        }
        Ok(transaction)
    }

    fn id_of(&self, transaction: Transaction) -> Result<u64, ServiceError> {
        let id = self.transactions.insert(|_| transaction);
        id.ok_or_else(|| {
            ServiceError::busy(
                "a million transactions were never ended; commit them or roll them back",
            )
        })
    }
}

/// How long one who comes late can learn why a transaction was ended.
const REASON_KEPT: Duration = Duration::from_secs(60);

/// The answer to what is asked of a transaction after its deadline.
fn overrun(time: Duration) -> ServiceError {
    ServiceError::new(
        Status::TIMEOUT,
        "transaction-deadline",
        format!(
            "this transaction ran into its deadline of {} ms and was rolled back; do less within \
             one, or raise db.transaction_deadline_ms",
            time.as_millis()
        ),
    )
}

fn no_transaction(id: u64) -> ServiceError {
    ServiceError::gone(format!(
        "no transaction of this plugin has the id {id}, or it has ended"
    ))
}
