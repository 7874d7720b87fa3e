//! Handlers that take their time, and timers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use exthost_plugin::prelude::*;
use exthost_plugin::{blocking, sleep};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Faulty;
use crate::streams::Guard;

/// Firings of the timer that `start` begins.
pub(crate) type Ticks = Arc<AtomicU64>;

#[derive(Deserialize)]
struct Time {
    #[serde(default)]
    ms: u64,
}

pub(crate) fn routes(router: &mut Router) {
    router
        .get("never", never)
        .public()
        .deadline(Duration::from_millis(300));
    router.get("block", block).public();
    router.get("spin", spin).public();
    router.get("sleep", sleeping).public();
    router.get("blocking-task", blocking_task).public();
    router.get("ticks", ticks).public();
}

pub(crate) fn start(ticks: &Ticks) -> Result<()> {
    let ticks = Arc::clone(ticks);
    let services = Services::current().ok_or_else(|| Error::internal("started by nobody"))?;
    let tick = move || {
        ticks.fetch_add(1, Ordering::Relaxed);
    };
    services.tasks().every(Duration::from_millis(10), tick)?;
    Ok(())
}

async fn never() {
    let _guard = Guard;
    std::future::pending().await
}

fn block(Query(time): Query<Time>) -> Json<Value> {
    std::thread::sleep(Duration::from_millis(time.ms));
    Json(json!({"blocked_ms": time.ms}))
}

/// Overstays on the thread that read the request, as no `async fn` may.
async fn spin(Query(time): Query<Time>) -> Json<Value> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(time.ms) {
        std::hint::spin_loop();
    }
    Json(json!({"spun_ms": time.ms}))
}

async fn sleeping(Query(time): Query<Time>) -> Json<Value> {
    sleep(Duration::from_millis(time.ms)).await;
    Json(json!({"slept_ms": time.ms}))
}

async fn blocking_task() -> Result<Json<Value>> {
    let sum = blocking("sum", || (1..=100_u64).sum::<u64>()).await?;
    Ok(Json(json!({"sum": sum})))
}

async fn ticks(plugin: State<Faulty>) -> Json<Value> {
    Json(json!({"ticks": plugin.ticks.load(Ordering::Relaxed)}))
}
