//! The file by itself: leases, retention, bounds.

use tempfile::TempDir;

use super::turn::Turn;
use super::*;
use crate::services::webhooks::message::OutboxMessage;
use crate::services::webhooks::sender::Answer;
use crate::services::webhooks::verdict::Verdict;

const LARGE: u64 = 1 << 30;

fn store(file_bytes_max: u64) -> (TempDir, Store) {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(&data.path().join("webhooks.db"), file_bytes_max).unwrap();
    let endpoints = ["a", "b"].map(|name| (name.to_owned(), String::new()));
    store.settle(&endpoints, 0).unwrap();
    (data, store)
}

fn message(bytes: usize) -> OutboxMessage {
    OutboxMessage::new("notes", "note.created", "", vec![0; bytes], 0).unwrap()
}

fn asks(fifo: bool) -> Vec<Ask> {
    let ask = |name: &str| Ask {
        endpoint: name.to_owned(),
        fifo,
        slots: 4,
    };
    vec![ask("a"), ask("b")]
}

fn outcome(leased: &Leased, verdict: Verdict) -> Outcome {
    Outcome {
        delivery: leased.delivery,
        lease_until_ms: leased.lease_until_ms,
        endpoint: leased.endpoint.clone(),
        answer: Answer::broken(1000),
        verdict,
        failures: 0,
    }
}

fn take(
    store: &Store,
    now_ms: i64,
    lease_until_ms: i64,
    outcomes: &[Outcome],
    asks: &[Ask],
    free: usize,
) -> Result<Turn, ServiceError> {
    store.turn(&Plan {
        now_ms,
        lease_until_ms,
        outcomes,
        under_way: &[],
        asks,
        free,
    })
}

fn states(store: &Store) -> Vec<&'static str> {
    let filter = DeliveryFilter {
        most: 100,
        ..DeliveryFilter::default()
    };
    let rows = store.deliveries(&filter).unwrap();
    rows.iter().map(|row| row.state.name()).collect()
}

#[test]
fn a_lease_is_held_until_it_runs_out() {
    let (_data, store) = store(LARGE);
    store.accept(&[(message(1), vec!["a"])], 100).unwrap();
    let early = take(&store, 99, 1000, &[], &asks(false), 64).unwrap();
    assert!(early.leased.is_empty());
    assert_eq!(early.next_due_ms, Some(100));
    let first = take(&store, 100, 1000, &[], &asks(false), 64).unwrap();
    assert_eq!(first.leased.len(), 1);
    let second = take(&store, 999, 2000, &[], &asks(false), 64).unwrap();
    assert!(second.leased.is_empty());
    assert_eq!(second.next_due_ms, Some(1000));
    let third = take(&store, 1000, 2000, &[], &asks(false), 64).unwrap();
    assert_eq!(third.leased.len(), 1);

    // The first holder comes late: its failure does not touch the new lease, but
    // its success counts.
    let late = outcome(&first.leased[0], Verdict::Dead("x".to_owned()));
    take(&store, 1001, 2000, &[late], &[], 0).unwrap();
    assert_eq!(states(&store), ["leased"]);
    let late = outcome(&first.leased[0], Verdict::Delivered);
    take(&store, 1001, 2000, &[late], &[], 0).unwrap();
    assert_eq!(states(&store), ["done"]);
    let late = outcome(&third.leased[0], Verdict::Dead("x".to_owned()));
    take(&store, 1001, 2000, &[late], &[], 0).unwrap();
    assert_eq!(states(&store), ["done"]);
}

#[test]
fn what_is_under_way_here_outlasts_its_lease() {
    let (_data, store) = store(LARGE);
    store.accept(&[(message(1), vec!["a"])], 0).unwrap();
    let leased = take(&store, 1, 1000, &[], &asks(true), 64).unwrap().leased;
    let plan = Plan {
        now_ms: 5000,
        lease_until_ms: 6000,
        outcomes: &[],
        under_way: &[leased[0].delivery],
        asks: &asks(false),
        free: 64,
    };
    let later = store.turn(&plan).unwrap();
    assert!(later.leased.is_empty());
    assert_eq!(later.next_due_ms, None);
}

#[test]
fn no_more_are_leased_than_there_is_room_for() {
    let (_data, store) = store(LARGE);
    let messages: Vec<_> = (0..10).map(|_| (message(1), vec!["a", "b"])).collect();
    store.accept(&messages, 0).unwrap();
    let turn = take(&store, 1, 1000, &[], &asks(false), 6).unwrap();
    let endpoints: String = turn.leased.iter().map(|it| it.endpoint.as_str()).collect();
    assert_eq!(endpoints, "aaaabb");
    let leases: Vec<_> = turn
        .leased
        .iter()
        .map(|it| (it.delivery, it.lease_until_ms))
        .collect();
    store.close(&[], &leases).unwrap();
    let turn = take(&store, 1, 1000, &[], &asks(true), 6).unwrap();
    assert_eq!(turn.leased.len(), 2);
    let turn = take(&store, 1, 1000, &[], &asks(true), 6).unwrap();
    assert!(turn.leased.is_empty());
    assert_eq!(turn.next_due_ms, Some(1000));
}

#[test]
fn finished_messages_go_and_their_ids_stay() {
    let (_data, store) = store(LARGE);
    let (done, dead, open) = (message(1), message(1), message(1));
    for it in [&done, &dead, &open] {
        store.accept(&[(it.clone(), vec!["a"])], 0).unwrap();
    }
    let turn = take(&store, 1, 1000, &[], &asks(false), 64).unwrap();
    let outcomes = [
        outcome(&turn.leased[0], Verdict::Delivered),
        outcome(&turn.leased[1], Verdict::Dead("x".to_owned())),
    ];
    take(&store, 2, 1000, &outcomes, &[], 0).unwrap();
    let later = i64::MAX;
    store.sweep(5, 0, 0, 0).unwrap();
    assert_eq!(states(&store).len(), 3);
    store.sweep(5, later, 0, 0).unwrap();
    assert_eq!(states(&store), ["leased", "dead"]);
    store.sweep(5, later, later, 5).unwrap();
    assert_eq!(states(&store), ["leased"]);
    for it in [&done, &dead, &open] {
        store.accept(&[(it.clone(), vec!["a"])], 0).unwrap();
    }
    assert_eq!(states(&store), ["leased"]);
    store.sweep(5, 0, 0, 6).unwrap();
    store.accept(&[(done, vec!["a"])], 0).unwrap();
    assert_eq!(states(&store).len(), 2);
}

#[test]
fn a_full_queue_is_told_and_empties() {
    let (_data, store) = store(2 * 1024 * 1024);
    let mut refused = None;
    for _ in 0..100 {
        let accepted = store.accept(&[(message(100_000), vec!["a"])], 0);
        if let Err(error) = accepted {
            refused = Some(error);
            break;
        }
    }
    let error = refused.unwrap();
    assert_eq!(
        (error.status, &*error.code),
        (Status::FULL, "webhooks-full")
    );
    while let turn = take(&store, 1, 1000, &[], &asks(false), 64).unwrap()
        && !turn.leased.is_empty()
    {
        let outcomes: Vec<_> = turn
            .leased
            .iter()
            .map(|leased| outcome(leased, Verdict::Delivered))
            .collect();
        take(&store, 1, 1000, &outcomes, &[], 0).unwrap();
    }
    store.sweep(5, i64::MAX, i64::MAX, 0).unwrap();
    store.accept(&[(message(100_000), vec!["a"])], 0).unwrap();
}

#[test]
fn a_file_of_a_later_host_is_refused() {
    let (data, store) = store(LARGE);
    let bump = store.write(|transaction| transaction.pragma_update(None, "user_version", 99));
    bump.unwrap();
    let error = Store::open(&data.path().join("webhooks.db"), LARGE).unwrap_err();
    assert_eq!(error.code(), "schema-newer");
    let path = data.path().join("other.db");
    std::fs::write(&path, [7; 4096]).unwrap();
    let error = Store::open(&path, LARGE).unwrap_err();
    assert_eq!(error.code(), "webhooks-file");
}
