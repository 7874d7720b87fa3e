//! Broadcasts what it is sent: an event `eventToExtension` comes back to every
//! client as `eventFromExtension`, also one that was sent before it was ready.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use exthost_plugin::events::Event;
use exthost_plugin::prelude::*;
use serde::Deserialize;
use serde_json::Value;

/// What it remembers at most; the oldest goes first.
const SEEN_MAX: usize = 1000;

struct EchoExtension {
    broadcast: Broadcast,
    seen: Mutex<VecDeque<Value>>,
}

#[derive(Deserialize)]
struct Options {
    /// Time that it takes to start, to show what happens meanwhile.
    delay_ms: u64,
}

impl Plugin for EchoExtension {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let config = services.config();
        config.declare(
            r#"{"delay_ms": 0}"#,
            r#"{"properties": {"delay_ms": {"type": "integer", "minimum": 0, "maximum": 9000}}}"#,
        )?;
        let options: Options = config.read()?;
        std::thread::sleep(Duration::from_millis(options.delay_ms));

        services.events().on("eventToExtension", echo)?;
        router.get("seen", seen).public();
        Ok(EchoExtension {
            broadcast: services.broadcast(),
            seen: Mutex::default(),
        })
    }
}

async fn echo(event: Event<Value>, echo: State<EchoExtension>) -> Result<()> {
    let broadcast = echo.broadcast;
    broadcast.publish("echo", "eventFromExtension", &event.data)?;
    let mut seen = echo.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.len() == SEEN_MAX {
        seen.pop_front();
    }
    seen.push_back(event.data);
    Ok(())
}

async fn seen(echo: State<EchoExtension>) -> Json<VecDeque<Value>> {
    let seen = echo.seen.lock().unwrap_or_else(PoisonError::into_inner);
    Json(seen.clone())
}

export_plugin!(EchoExtension, needs = [routes, events, broadcast]);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_it_is_sent_comes_back_to_every_client() {
        let host = TestHost::of(EchoExtension::embedded()).await;
        let mut listeners = [
            host.listen("echo-extension/echo").await,
            host.listen("echo-extension/>").await,
        ];
        let sent = [json!({"text": "hi"}), json!([1, null])];
        for data in &sent {
            host.emit_to("echo-extension", "eventToExtension", data)
                .unwrap();
        }
        for listener in &mut listeners {
            for data in &sent {
                let message = listener.next().await.unwrap();
                assert_eq!(message.event, "eventFromExtension");
                assert_eq!(message.data, *data);
            }
        }
        // It answers before it remembers.
        while host.get("seen").await.json::<Value>() != json!(sent) {
            tokio::task::yield_now().await;
        }
    }
}
