//! Refuses addresses that contain "evil", whoever asks: the host, as
//! `core.email.validate`, or another plugin, such as `signup`.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use exthost_plugin::events::Event;
use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default)]
struct EmailGuard {
    allowed: AtomicU64,
    refused: AtomicU64,
}

impl Plugin for EmailGuard {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let events = services.events();
        events.filter("core.email.validate", check)?;
        events.filter("signup.validate", check)?;
        router.get("stats", stats).public();
        Ok(EmailGuard::default())
    }
}

#[derive(Deserialize)]
struct Signup {
    email: String,
}

#[derive(Serialize)]
struct Stats {
    allowed: u64,
    refused: u64,
}

async fn check(event: Event<Signup>, guard: State<EmailGuard>) -> Verdict {
    let email = event.data.email;
    if email.to_lowercase().contains("evil") {
        guard.refused.fetch_add(1, Ordering::Relaxed);
        return Verdict::veto(format!("{email} contains evil"));
    }
    guard.allowed.fetch_add(1, Ordering::Relaxed);
    Verdict::Pass
}

async fn stats(guard: State<EmailGuard>) -> Json<Stats> {
    Json(Stats {
        allowed: guard.allowed.load(Ordering::Relaxed),
        refused: guard.refused.load(Ordering::Relaxed),
    })
}

export_plugin!(EmailGuard, needs = [routes, events]);
