//! Emits an event when the host has begun, and hears it exactly once.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use exthost_plugin::events::{Event, Raw};
use exthost_plugin::prelude::*;
use serde::Serialize;

struct SelfTest {
    events: Events,
    inits: AtomicU64,
    heard: AtomicU64,
}

impl Plugin for SelfTest {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let events = services.events();
        events.on("core.host.init", begin)?;
        events.on("test-event", hear)?;
        router.get("result", result).public();
        Ok(SelfTest {
            events,
            inits: AtomicU64::new(0),
            heard: AtomicU64::new(0),
        })
    }
}

#[derive(Serialize)]
struct Counts {
    inits: u64,
    heard: u64,
}

async fn begin(_: Event<Raw>, test: State<SelfTest>) -> Result<()> {
    test.inits.fetch_add(1, Ordering::Relaxed);
    test.events.emit("test-event", &())
}

async fn hear(_: Event<Raw>, test: State<SelfTest>) {
    test.heard.fetch_add(1, Ordering::Relaxed);
}

async fn result(test: State<SelfTest>) -> Json<Counts> {
    Json(Counts {
        inits: test.inits.load(Ordering::Relaxed),
        heard: test.heard.load(Ordering::Relaxed),
    })
}

export_plugin!(SelfTest, needs = [routes, events]);
