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

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use exthost::{Decision, Policy};
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn evil_is_refused_and_everything_else_passes() {
        let host = TestHost::of(EmailGuard::embedded()).await;
        let ask = async |email: &str| {
            let payload = json!({"email": email});
            let asked = host.request("core.email.validate", &payload, Policy::FailClosed);
            asked.await.unwrap()
        };
        let good = json!({"email": "ada@example.com"});
        assert_eq!(ask("ada@example.com").await, Decision::Passed(good));
        let Decision::Vetoed { by, reason } = ask("dr@Evil.example").await else {
            panic!("it passed");
        };
        assert_eq!(by.as_str(), "email-guard");
        assert_eq!(reason, "dr@Evil.example contains evil");
        let stats: Value = host.get("stats").await.json();
        assert_eq!(stats, json!({"allowed": 1, "refused": 1}));
    }
}
