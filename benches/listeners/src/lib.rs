//! Emits events and hears them, and tells what that took.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use exthost_plugin::events::{Event, Raw};
use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

/// Events that are emitted before those that hear them get their turn; fewer than
/// a queue has room for.
const BURST: u64 = 512;

struct Listeners {
    events: Events,
    heard: AtomicU64,
    gate: Gate,
}

/// Lets nobody hear while events are emitted: on one core their turns would count
/// as the emitter's.
#[derive(Default)]
struct Gate {
    is_closed: AtomicBool,
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn close(&self) {
        *self.lock() = true;
        self.is_closed.store(true, Ordering::Relaxed);
    }

    fn open(&self) {
        self.is_closed.store(false, Ordering::Relaxed);
        *self.lock() = false;
        self.opened.notify_all();
    }

    fn pass(&self) {
        if self.is_closed.load(Ordering::Relaxed) {
            let closed = self.opened.wait_while(self.lock(), |closed| *closed);
            drop(closed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for Listeners {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let events = services.events();
        for observers in [1, 100] {
            for _ in 0..observers {
                events.on(name(observers), hear)?;
            }
        }
        router.post("measure", measure).public();
        Ok(Listeners {
            events,
            heard: AtomicU64::new(0),
            gate: Gate::default(),
        })
    }
}

fn name(observers: u64) -> &'static str {
    match observers {
        1 => "bench.one",
        _ => "bench.hundred",
    }
}

fn hear(_: Event<Raw>, listeners: State<Listeners>) {
    listeners.gate.pass();
    listeners.heard.fetch_add(1, Ordering::Relaxed);
}

#[derive(Deserialize)]
struct Work {
    /// 1 or 100.
    observers: u64,
    events: u64,
}

/// Nanoseconds for all events.
#[derive(Serialize)]
struct Taken {
    /// Until they were emitted.
    emitted: f64,
    /// Until they were heard as well.
    heard: f64,
}

fn measure(listeners: State<Listeners>, Query(work): Query<Work>) -> Result<Json<Taken>> {
    let name = name(work.observers);
    let (begun, mut emitted) = (Instant::now(), 0.0);
    let before = listeners.heard.load(Ordering::Relaxed);
    let mut done = 0;
    while done < work.events {
        let burst = BURST.min(work.events - done);
        listeners.gate.close();
        let burst_begun = Instant::now();
        for _ in 0..burst {
            listeners.events.emit_bytes(name, "", b"1")?;
        }
        emitted += burst_begun.elapsed().as_nanos() as f64;
        listeners.gate.open();
        done += burst;
        while listeners.heard.load(Ordering::Relaxed) - before < done * work.observers {
            std::thread::yield_now();
        }
    }
    Ok(Json(Taken {
        emitted,
        heard: begun.elapsed().as_nanos() as f64,
    }))
}

export_plugin!(Listeners, needs = [routes, events]);
