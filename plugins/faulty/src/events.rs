//! Every way to fail as a filter and as an observer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use exthost_plugin::events::{Event, Raw};
use exthost_plugin::prelude::*;
use exthost_plugin::sleep;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::panics::Payload;
use crate::streams::Guard;

/// Events that `hear` was called with.
static HEARD: AtomicU64 = AtomicU64::new(0);

/// Events that `block` was called with.
static BLOCKED: AtomicU64 = AtomicU64::new(0);

/// Events that `late` was called with.
static HELD: AtomicU64 = AtomicU64::new(0);

/// Verdicts that it gave.
static LATE: AtomicU64 = AtomicU64::new(0);

/// Whether `late` may answer, and who waits for that.
static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

pub(crate) fn subscribe(events: Events) -> Result<()> {
    events.filter("faulty.filter.panic", plain::<Verdict>)?;
    events.filter("faulty.filter.panic-async", at_once::<Verdict>)?;
    events.filter("faulty.filter.panic-later", later::<Verdict>)?;
    events.filter("faulty.filter.panic-drop", with_a_payload::<Verdict>)?;
    events.filter("faulty.filter.error", error::<Verdict>)?;
    events.filter("faulty.filter.silent", silent)?;
    events.filter("faulty.filter.late", late)?;
    events.filter("faulty.filter.fine", pass)?;

    events.on("faulty.observer.>", hear)?;
    events.on("faulty.observer.panic", plain::<()>)?;
    events.on("faulty.observer.panic-async", at_once::<()>)?;
    events.on("faulty.observer.panic-later", later::<()>)?;
    events.on("faulty.observer.panic-drop", with_a_payload::<()>)?;
    events.on("faulty.observer.error", error::<()>)?;
    events.on("faulty.observer.block", block)?;
    Ok(())
}

pub(crate) fn routes(router: &mut Router) {
    router.get("events/counts", counts).public();
    router.get("events/release", release).public();
    router.get("events/churn", churn).public();
}

fn plain<T>(_: Event<Raw>) -> T {
    panic!("asked to panic in an event");
}

async fn at_once<T>(_: Event<Raw>) -> T {
    panic!("asked to panic in an event before the first await");
}

async fn later<T>(_: Event<Raw>) -> T {
    sleep(Duration::from_millis(1)).await;
    panic!("asked to panic in an event after an await");
}

fn with_a_payload<T>(_: Event<Raw>) -> T {
    std::panic::panic_any(Payload);
}

async fn error<T>(_: Event<Raw>) -> Result<T> {
    Err(Error::internal("an error was asked for"))
}

async fn silent(_: Event<Raw>) -> Verdict {
    let _guard = Guard;
    std::future::pending().await
}

/// Vetoes, but not before it is released.
fn late(_: Event<Raw>) -> Verdict {
    HELD.fetch_add(1, Ordering::Relaxed);
    let (released, changed) = &RELEASED;
    let held = released.lock().unwrap_or_else(PoisonError::into_inner);
    let held = changed.wait_while(held, |released| !*released);
    drop(held.unwrap_or_else(PoisonError::into_inner));
    LATE.fetch_add(1, Ordering::Relaxed);
    Verdict::veto("it was late")
}

fn release() {
    let (released, changed) = &RELEASED;
    *released.lock().unwrap_or_else(PoisonError::into_inner) = true;
    changed.notify_all();
}

fn pass(_: Event<Raw>) -> Verdict {
    Verdict::Pass
}

async fn pass_at_once(_: Event<Raw>) -> Verdict {
    Verdict::Pass
}

async fn hear(_: Event<Raw>) {
    HEARD.fetch_add(1, Ordering::Relaxed);
}

#[derive(Deserialize)]
struct Time {
    ms: u64,
}

fn block(event: Event<Time>) {
    BLOCKED.fetch_add(1, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(event.data.ms));
}

async fn counts() -> Json<Value> {
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Json(json!({
        "heard": of(&HEARD),
        "blocked": of(&BLOCKED),
        "held": of(&HELD),
        "late": of(&LATE),
    }))
}

#[derive(Deserialize)]
struct Rounds {
    rounds: u64,
}

/// Subscribes and cancels over and over.
fn churn(Query(Rounds { rounds }): Query<Rounds>) -> Result<()> {
    let services = Services::current().ok_or_else(|| Error::internal("called by nobody"))?;
    let events = services.events();
    for _ in 0..rounds {
        let observer = events.on("faulty.churn", hear)?;
        let filter = events.filter("faulty.churn", pass)?;
        let inline = events.filter("faulty.churn", pass_at_once)?;
        for subscription in [observer, filter, inline] {
            subscription.cancel();
        }
    }
    Ok(())
}
