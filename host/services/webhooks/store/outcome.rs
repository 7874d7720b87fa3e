//! What an attempt came to, and what it changes in the file.

use http::StatusCode;
use rusqlite::{OptionalExtension, Transaction, params};

use super::DeliveryState;
use crate::clock;
use crate::services::webhooks::sender::Answer;
use crate::services::webhooks::verdict::Verdict;

/// Why an endpoint is disabled that wants no more messages.
pub(crate) const GONE: &str = "the endpoint answered 410 Gone and was disabled";

/// What an attempt came to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub delivery: i64,
    pub lease_until_ms: i64,
    pub endpoint: String,
    pub answer: Answer,
    pub verdict: Verdict,
    /// Failures of the endpoint in a row, with this one.
    pub failures: u32,
}

impl Outcome {
    pub(super) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let (delivery, answer) = (self.delivery, &self.answer);
        transaction
            .prepare_cached("UPDATE endpoints SET failures = ? WHERE name = ?")?
            .execute(params![self.failures, self.endpoint])?;
        let attempt = transaction
            .prepare_cached(
                "UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1 WHERE seq = ?
                 RETURNING attempts",
            )?
            .query_row([delivery], |row| row.get::<_, i64>(0));
        let Some(number) = attempt.optional()? else {
            return Ok(());
        };
        transaction
            .prepare_cached("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                delivery,
                number,
                answer.started_ms,
                answer.took_ms,
                answer.status.as_ref().map(StatusCode::as_u16),
                answer.error,
                answer.body,
            ])?;
        let ended_ms = answer.started_ms + answer.took_ms;
        match &self.verdict {
            // Whoever has the lease by now, the receiver has the message.
            Verdict::Delivered => transaction
                .prepare_cached(
                    "UPDATE deliveries SET state = 2, finished_ms = ?, reason = NULL WHERE seq = ?",
                )?
                .execute(params![ended_ms, delivery]),
            Verdict::Retry(pause) => transaction
                .prepare_cached(
                    "UPDATE deliveries SET state = 0, due_ms = ?
                     WHERE seq = ? AND state = 1 AND lease_until_ms = ?",
                )?
                .execute([
                    ended_ms.saturating_add(clock::ms(*pause)),
                    delivery,
                    self.lease_until_ms,
                ]),
            Verdict::Dead(reason) => bury(transaction, self, reason, ended_ms),
            Verdict::Gone => {
                bury(transaction, self, GONE, ended_ms)?;
                disable(transaction, &self.endpoint, GONE, ended_ms)
            }
        }?;
        Ok(())
    }
}

fn bury(
    transaction: &Transaction<'_>,
    outcome: &Outcome,
    reason: &str,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "UPDATE deliveries SET state = 3, finished_ms = ?, reason = ?
             WHERE seq = ? AND state = 1 AND lease_until_ms = ?",
        )?
        .execute(params![
            now_ms,
            reason,
            outcome.delivery,
            outcome.lease_until_ms
        ])
}

/// Disables an endpoint, and makes dead messages of what waits for it.
fn disable(
    transaction: &Transaction<'_>,
    endpoint: &str,
    reason: &str,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    transaction.execute(
        "UPDATE endpoints SET disabled = ? WHERE name = ?",
        [reason, endpoint],
    )?;
    transaction.execute(
        "UPDATE deliveries SET state = ?, finished_ms = ?, reason = ?
         WHERE endpoint = ? AND state = 0",
        params![DeliveryState::Dead as i64, now_ms, reason, endpoint],
    )
}
