//! Events that the host emits itself: `core.host`, `core.plugin`, `core.log`,
//! `core.watchdog`, `core.webhook`.
//!
//! Their payloads are JSON objects, and what they hold only ever grows.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::name::PluginName;
use crate::services::cause::Origin;
use crate::services::context::PluginContext;
use crate::services::events::{Emitter, Events, Message};
use crate::services::log::Line;
use crate::services::webhooks::Ended;

/// Time between two `core.watchdog`.
const TICK: Duration = Duration::from_secs(1);

/// Calls that have held a worker of the runtime for too long, since the process
/// began.
static OVERSTAYS: AtomicU64 = AtomicU64::new(0);

/// Counts a call that held a worker of the runtime for too long.
pub(super) fn count_overstay() {
    OVERSTAYS.fetch_add(1, Ordering::Relaxed);
}

/// Emits `core.watchdog` every second that somebody listens, for ever.
pub(super) async fn tick(events: Arc<Events>) {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut told = OVERSTAYS.load(Ordering::Relaxed);
    loop {
        ticks.tick().await;
        let overstays = OVERSTAYS.load(Ordering::Relaxed);
        let payload = || {
            json!({
                "uptime_ms": began.elapsed().as_millis() as u64,
                "overstayed": overstays - told,
            })
        };
        emit(&events, Emitter::host(), "core.watchdog", payload);
        told = overstays;
    }
}

/// Emits `core.log`, unless what was logged comes of such an event.
pub(super) fn logged(events: &Events, origin: &Origin, line: &Line<'_>) {
    let mut by = Emitter {
        plugin: None,
        origin: origin.clone(),
    };
    if by.is_of_log() {
        return;
    }
    by.origin.of_log = true;
    emit(events, by, "core.log", || LogLine {
        plugin: line.plugin.map(PluginName::as_str),
        generation: line.generation,
        level: line.level.as_str().to_ascii_lowercase(),
        message: line.message(),
        fields: &line.fields,
        request_id: line.request_id,
    });
}

/// The payload of `core.log`.
#[derive(Serialize)]
struct LogLine<'a> {
    plugin: Option<&'a str>,
    generation: Option<u64>,
    level: String,
    message: Cow<'a, str>,
    fields: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// `core.webhook.delivered` and `core.webhook.dead`.
pub(super) fn webhook_ended(events: &Events, ended: &Ended<'_>) {
    let name = match ended.reason {
        None => "core.webhook.delivered",
        Some(_) => "core.webhook.dead",
    };
    emit(events, Emitter::host(), name, || ended);
}

/// What the host tells of itself and of its plugins.
impl Events {
    /// `core.host.init`: every plugin found at the start has started.
    pub(crate) fn host_init(&self) {
        self.retain_json(None, "core.host.init", &json!({}));
    }

    /// `core.host.ready`: requests are served.
    pub(crate) fn host_ready(&self) {
        self.retain_json(None, "core.host.ready", &json!({}));
    }

    /// `core.host.terminating`: the host ends.
    pub(crate) fn host_terminating(&self) {
        emit(self, Emitter::host(), "core.host.terminating", || json!({}));
    }

    /// `core.plugin.loaded`: its file was mapped, and it has initialised.
    pub(crate) fn plugin_loaded(&self, context: &PluginContext, version: &semver::Version) {
        emit(self, Emitter::host(), "core.plugin.loaded", || {
            of_plugin(context, version)
        });
    }

    /// `core.plugin.ready`: it serves.
    pub(crate) fn plugin_ready(&self, context: &PluginContext, version: &semver::Version) {
        let payload = of_plugin(context, version);
        self.retain_json(Some(&context.name), "core.plugin.ready", &payload);
    }

    /// `core.plugin.failed`: a file was refused.
    pub(crate) fn plugin_failed(&self, file: &Path, code: &str, message: &str) {
        emit(
            self,
            Emitter::host(),
            "core.plugin.failed",
            || json!({ "file": file, "code": code, "message": message }),
        );
    }

    /// `core.plugin.retired`: a generation has ended. `last` when no other serves
    /// in its place.
    pub(crate) fn plugin_retired(&self, context: &PluginContext, abandoned: bool, last: bool) {
        if last {
            self.release(&context.name);
        }
        emit(self, Emitter::host(), "core.plugin.retired", || {
            json!({
                "name": context.name,
                "generation": context.generation,
                "abandoned": abandoned,
            })
        });
    }

    fn retain_json(&self, plugin: Option<&PluginName>, name: &str, payload: &Value) {
        self.retain(plugin, &Message::json(name, payload.to_string().as_bytes()));
    }
}

fn of_plugin(context: &PluginContext, version: &semver::Version) -> Value {
    json!({
        "name": context.name,
        "version": version,
        "generation": context.generation,
    })
}

/// Emits an event whose payload is made only if somebody hears it.
fn emit<T: Serialize>(events: &Events, by: Emitter, name: &str, payload: impl FnOnce() -> T) {
    if !events.has_listeners(None, name).unwrap_or(false) {
        return;
    }
    let emitted = serde_json::to_vec(&payload()).map(|payload| {
        // Beyond the depth the chain ends here: nobody is told of it.
        let _ = events.emit(by, &Message::json(name, &payload));
    });
    if let Err(error) = emitted {
        tracing::error!(name, %error, "an event of the host was not told");
    }
}
