//! Bodies in both directions, whole and broken off.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use exthost_plugin::prelude::*;
use exthost_plugin::sleep;
use serde::Deserialize;
use serde_json::{Value, json};

/// Futures of `leave` and `never` that were dropped; they never end themselves.
static LEFT: AtomicU64 = AtomicU64::new(0);

#[derive(Deserialize)]
struct Shape {
    #[serde(default = "one")]
    chunks: u64,
    #[serde(default)]
    ms: u64,
}

fn one() -> u64 {
    1
}

pub(crate) fn routes(router: &mut Router) {
    router.get("stream", stream).public();
    router.get("stream-blocking", stream_blocking).public();
    router.get("stream-panic", stream_panic).public();
    router.get("sse", sse).public();
    router.get("leave", leave).public();
    router
        .get("left", || {
            Json(json!({"left": LEFT.load(Ordering::Relaxed)}))
        })
        .public();
    router
        .post("upload", upload)
        .public()
        .body_limit(256 * 1024 * 1024);
    router
        .post("upload-small", upload)
        .public()
        .body_limit(1000);
    router
        .post("upload-async", upload_async)
        .public()
        .body_limit(256 * 1024 * 1024);
}

async fn stream(Query(shape): Query<Shape>) -> Response {
    Response::streaming("text/plain", move |mut body| async move {
        for chunk in 0..shape.chunks {
            body.send(format!("chunk {chunk}\n")).await?;
            if shape.ms > 0 {
                sleep(Duration::from_millis(shape.ms)).await;
            }
        }
        Ok(())
    })
}

fn stream_blocking(Query(shape): Query<Shape>) -> Response {
    Response::streaming_blocking("text/plain", move |body| {
        for chunk in 0..shape.chunks {
            body.send(format!("chunk {chunk}\n"))?;
        }
        Ok(())
    })
}

async fn stream_panic() -> Response {
    Response::streaming("text/plain", |mut body| async move {
        body.send("chunk 0\n").await?;
        panic!("asked to panic in a stream");
    })
}

async fn sse(Query(shape): Query<Shape>) -> Sse {
    Sse::new(move |mut events| async move {
        for tick in 0..shape.chunks {
            events
                .send(Event::json(&json!({"tick": tick}))?.event("tick").id(tick))
                .await?;
            sleep(Duration::from_millis(shape.ms)).await;
        }
        Ok(())
    })
    .keep_alive(Duration::from_secs(1))
}

async fn leave() -> Response {
    Response::streaming("text/plain", |mut body| async move {
        let _guard = Guard;
        loop {
            body.send("still here\n").await?;
            sleep(Duration::from_millis(10)).await;
        }
    })
}

/// Counts when the future that holds it is dropped.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        LEFT.fetch_add(1, Ordering::Relaxed);
    }
}

fn upload(mut body: BodyStream) -> Result<Json<Value>> {
    let mut digest = Digest::default();
    while let Some(chunk) = body.next_blocking()? {
        digest.add(&chunk);
    }
    Ok(digest.json())
}

async fn upload_async(mut body: BodyStream) -> Result<Json<Value>> {
    let mut digest = Digest::default();
    while let Some(chunk) = body.next().await? {
        digest.add(&chunk);
    }
    Ok(digest.json())
}

/// Length and FNV-1a hash, to compare with what was sent.
struct Digest {
    bytes: u64,
    hash: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Digest {
            bytes: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Digest {
    fn add(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        for byte in chunk {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn json(&self) -> Json<Value> {
        Json(json!({"bytes": self.bytes, "fnv1a": format!("{:016x}", self.hash)}))
    }
}
