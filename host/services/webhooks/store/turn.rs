//! One turn of the dispatcher: what attempts came to, and what is due.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Outcome, Store};
use crate::services::error::ServiceError;
use crate::services::webhooks::sender::Message;

/// What the dispatcher asks for one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub endpoint: String,
    pub fifo: bool,
    /// How many attempts may begin.
    pub slots: usize,
}

/// A delivery that is this host's until its lease runs out.
#[derive(Debug, Clone)]
pub(crate) struct Leased {
    pub delivery: i64,
    pub endpoint: String,
    pub tries: u32,
    pub lease_until_ms: i64,
    pub plugin: String,
    pub event_type: String,
    pub message: Message,
}

/// What a turn is to do.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub now_ms: i64,
    /// Until when the deliveries are this host's that are leased now.
    pub lease_until_ms: i64,
    pub outcomes: &'a [Outcome],
    /// Deliveries under way here. They stay so, even if this process stood still
    /// for longer than a lease.
    pub under_way: &'a [i64],
    pub asks: &'a [Ask],
    /// How many attempts may begin over all endpoints.
    pub free: usize,
}

/// What a turn leaves to do.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub leased: Vec<Leased>,
    /// When there may be more to do, if nothing happens before.
    pub next_due_ms: Option<i64>,
}

impl Store {
    /// Writes what attempts came to and leases what is due, in one transaction.
    pub(crate) fn turn(&self, plan: &Plan<'_>) -> Result<Turn, ServiceError> {
        let (now_ms, mut free) = (plan.now_ms, plan.free);
        self.write(|transaction| {
            for outcome in plan.outcomes {
                outcome.write(transaction)?;
            }
            release(transaction, now_ms, plan.under_way)?;
            let mut turn = Turn {
                next_due_ms: next_lease_end(transaction, now_ms)?,
                ..Turn::default()
            };
            for ask in plan.asks {
                let room = ask.slots.min(free);
                let due = match ask.fifo {
                    true => head(transaction, &ask.endpoint, now_ms)?,
                    false => due(transaction, &ask.endpoint, now_ms, room)?,
                };
                for delivery in due.iter().copied().take(room) {
                    free -= 1;
                    let leased = lease(transaction, delivery, plan.lease_until_ms)?;
                    turn.leased.push(leased);
                }
                // An endpoint without room is looked at again when it has some.
                if due.len() < ask.slots && free > 0 {
                    let next = next_due(transaction, ask)?;
                    turn.next_due_ms = [turn.next_due_ms, next].into_iter().flatten().min();
                }
            }
            Ok(turn)
        })
    }

    /// Writes what the last attempts came to, and gives up the leases of those
    /// that were broken off.
    pub(crate) fn close(
        &self,
        outcomes: &[Outcome],
        leases: &[(i64, i64)],
    ) -> Result<(), ServiceError> {
        self.write(|transaction| {
            for outcome in outcomes {
                outcome.write(transaction)?;
            }
            let mut unlease = transaction.prepare_cached(
                "UPDATE deliveries SET state = 0
                 WHERE seq = ? AND state = 1 AND lease_until_ms = ?",
            )?;
            for (delivery, lease_until_ms) in leases {
                unlease.execute([delivery, lease_until_ms])?;
            }
            Ok(())
        })
    }
}

/// Makes those pending again that a host left behind when it was killed.
fn release(transaction: &Transaction<'_>, now_ms: i64, under_way: &[i64]) -> rusqlite::Result<()> {
    let mut over = transaction
        .prepare_cached("SELECT seq FROM deliveries WHERE state = 1 AND lease_until_ms <= ?")?;
    let over: Vec<i64> = over
        .query_map([now_ms], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut release =
        transaction.prepare_cached("UPDATE deliveries SET state = 0 WHERE seq = ?")?;
    for delivery in over.iter().filter(|it| !under_way.contains(it)) {
        release.execute([delivery])?;
    }
    Ok(())
}

/// Deliveries that are due, oldest first.
fn due(
    transaction: &Transaction<'_>,
    endpoint: &str,
    now_ms: i64,
    most: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut due = transaction.prepare_cached(
        "SELECT seq FROM deliveries WHERE endpoint = ? AND state = 0 AND due_ms <= ?
         ORDER BY due_ms, seq LIMIT ?",
    )?;
    let rows = due.query_map(params![endpoint, now_ms, most as i64], |row| row.get(0))?;
    rows.collect()
}

/// The first delivery that has not ended, if it is due.
fn head(transaction: &Transaction<'_>, endpoint: &str, now_ms: i64) -> rusqlite::Result<Vec<i64>> {
    let mut head = transaction.prepare_cached(
        "SELECT seq, state, due_ms FROM deliveries WHERE endpoint = ? AND state < 2
         ORDER BY seq LIMIT 1",
    )?;
    let head = head.query_row([endpoint], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    let ready = |head: &(i64, i64, i64)| head.1 == 0 && head.2 <= now_ms;
    let head = head.optional()?.filter(ready);
    Ok(head.map(|(seq, ..)| seq).into_iter().collect())
}

fn lease(
    transaction: &Transaction<'_>,
    delivery: i64,
    lease_until_ms: i64,
) -> rusqlite::Result<Leased> {
    transaction
        .prepare_cached("UPDATE deliveries SET state = 1, lease_until_ms = ? WHERE seq = ?")?
        .execute([lease_until_ms, delivery])?;
    let mut read = transaction.prepare_cached(
        "SELECT endpoint, tries, id, content_type, payload, plugin, event_type
         FROM deliveries JOIN messages ON messages.seq = deliveries.message
         WHERE deliveries.seq = ?",
    )?;
    read.query_row([delivery], |row| {
        Ok(Leased {
            delivery,
            endpoint: row.get(0)?,
            tries: row.get(1)?,
            lease_until_ms,
            plugin: row.get(5)?,
            event_type: row.get(6)?,
            message: Message {
                id: row.get(2)?,
                content_type: row.get(3)?,
                payload: row.get(4)?,
            },
        })
    })
}

/// When the next delivery of an endpoint is due.
fn next_due(transaction: &Transaction<'_>, ask: &Ask) -> rusqlite::Result<Option<i64>> {
    let sql = match ask.fifo {
        true => {
            "SELECT CASE state WHEN 0 THEN due_ms END FROM deliveries
             WHERE endpoint = ? AND state < 2 ORDER BY seq LIMIT 1"
        }
        false => "SELECT min(due_ms) FROM deliveries WHERE endpoint = ? AND state = 0",
    };
    let mut next = transaction.prepare_cached(sql)?;
    let next = next.query_row([&ask.endpoint], |row| row.get(0));
    Ok(next.optional()?.flatten())
}

/// When the next lease runs out.
fn next_lease_end(transaction: &Transaction<'_>, now_ms: i64) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(
            "SELECT min(lease_until_ms) FROM deliveries WHERE state = 1 AND lease_until_ms > ?",
        )?
        .query_row([now_ms], |row| row.get(0))
}
