//! Tells connected clients the time that passes, and whoever asks waits for it
//! without holding a thread.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

struct Ticker {
    period: Duration,
    ticks: Arc<AtomicU64>,
}

#[derive(Deserialize)]
struct Options {
    period_ms: u64,
}

impl Plugin for Ticker {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let config = services.config();
        config.declare(
            r#"{"period_ms": 1000}"#,
            r#"{"properties": {"period_ms": {"type": "integer", "minimum": 10}}}"#,
        )?;
        let options: Options = config.read()?;
        let period = Duration::from_millis(options.period_ms);

        let ticks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ticks);
        let broadcast = services.broadcast();
        services.tasks().every(period, move || {
            let tick = counted.fetch_add(1, Ordering::Relaxed) + 1;
            if let Err(error) = broadcast.publish("tick", "", &Tick { tick }) {
                log::warn("nobody was told of a tick").field("reason", error.message());
            }
        })?;
        router.get("ticks", wait).public();
        Ok(Ticker { period, ticks })
    }
}

#[derive(Serialize)]
struct Tick {
    tick: u64,
}

#[derive(Deserialize)]
struct Wait {
    /// Ticks to wait for.
    #[serde(default)]
    wait: u64,
}

/// Answers after that many ticks; the route's deadline bounds it as well.
async fn wait(ticker: State<Ticker>, Query(Wait { wait }): Query<Wait>) -> Result<Json<Tick>> {
    if wait > 20 {
        return Err(Error::unprocessable(format!(
            "wait must be 20 at most, got {wait}"
        )));
    }
    let now = || ticker.ticks.load(Ordering::Relaxed);
    let until = now() + wait;
    while now() < until {
        sleep(ticker.period / 4).await;
    }
    Ok(Json(Tick { tick: now() }))
}

export_plugin!(Ticker, needs = [routes, broadcast]);

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn each_second_is_told_once() {
        let host = TestHost::of(Ticker::embedded()).await;
        let mut listener = host.listen("ticker/tick").await;
        for tick in 1..=3 {
            host.advance(Duration::from_secs(1));
            assert_eq!(listener.next().await.unwrap().data, json!({"tick": tick}));
        }
    }

    #[tokio::test]
    async fn whoever_asks_waits_for_the_ticks() {
        let host = TestHost::of(Ticker::embedded()).await;
        let mut asked = pin!(host.get("ticks?wait=20"));
        let answer = loop {
            tokio::select! {
                answer = &mut asked => break answer,
                () = tokio::task::yield_now() => host.advance(Duration::from_millis(250)),
            }
        };
        let tick = answer.json::<Value>()["tick"].as_u64();
        assert!(tick >= Some(20), "{answer}");
        let refused = host.get("ticks?wait=21").await;
        assert_eq!(refused.status(), 422);
        assert_eq!(
            refused.json::<Value>()["detail"],
            "wait must be 20 at most, got 21"
        );
    }
}
