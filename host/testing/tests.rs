//! Does a host in a test do what a server does, and end when the test does?

use std::sync::atomic::{AtomicU64, Ordering};

use exthost_plugin::Actor;
use exthost_plugin::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::BuildError;

/// Answers in all the ways that a test looks at.
struct Probe;

impl Plugin for Probe {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        services.config().declare(r#"{"fail": false}"#, "{}")?;
        if services.config().read::<Value>()?["fail"] == true {
            return Err(Error::internal("it was told to fail"));
        }
        router
            .get("actor", |actor: Actor| actor.to_string())
            .public();
        router.post("echo", |Json(value): Json<Value>| Json(value));
        router.get("slow", async || sleep(Duration::from_secs(3600)).await);
        router.get("events", async || {
            Sse::new(|mut events| async move {
                events.send(Event::new("one")).await?;
                events.send(Event::new("2").event("last").id(7)).await
            })
        });
        Ok(Probe)
    }
}

export_plugin!(Probe, embedded, name = "probe", version = "1.0.0");

/// Counts its lives.
struct Mortal;

static INITS: AtomicU64 = AtomicU64::new(0);
static STOPS: AtomicU64 = AtomicU64::new(0);

impl Plugin for Mortal {
    fn init(_: &mut Router, _: &Services) -> Result<Self> {
        INITS.fetch_add(1, Ordering::Relaxed);
        Ok(Mortal)
    }

    fn stop(&self) {
        STOPS.fetch_add(1, Ordering::Relaxed);
    }
}

export_plugin!(Mortal, embedded, name = "mortal", version = "2.0.0");

#[tokio::test]
async fn requests_reach_the_first_plugin_by_whoever_asks() {
    let host = TestHost::of(Probe::embedded()).await;
    assert_eq!(host.get("actor").await.text(), "developer");
    assert_eq!(host.anonymous().get("actor").await.text(), "stranger");
    let ada: crate::auth::Actor =
        serde_json::from_value(json!({"kind": "user", "id": "u1", "name": "Adé"})).unwrap();
    let ada = host.acting_as(ada);
    assert_eq!(ada.get("/api/ext/probe/actor").await.text(), "Adé");

    let body = json!({"list": [1, "two"]});
    let answer = host.post("echo", &body).await;
    assert_eq!(answer.json::<Value>(), body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(host.anonymous().post("echo", &body).await.status(), 401);
    assert_eq!(host.put("echo", &body).await.status(), 405);
    assert_eq!(host.get("/readyz").await.text(), "ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_one_by_one() {
    let host = TestHost::of(Probe::embedded()).await;
    let mut answer = host.get("events").await;
    assert_eq!(answer.next_event().await.unwrap().data, "one");
    let last = answer.next_event().await.unwrap();
    assert_eq!((&*last.event, last.id.as_deref()), ("last", Some("7")));
    assert_eq!(last.json::<u64>(), 2);
    assert_eq!(answer.next_event().await, None);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let builder = TestHost::builder()
        .embed(Probe::embedded())
        .options("probe", json!({"fail": true}));
    let error = builder.start().await.unwrap_err();
    let words = builder::words(&error);
    assert!(
        words.starts_with("embedded:probe: init-failed: its init failed: "),
        "{words}"
    );
    let twice = TestHost::builder()
        .embed(Probe::embedded())
        .embed(Probe::embedded());
    let BuildError::Refused { refusals } = twice.start().await.unwrap_err() else {
        panic!("something else");
    };
    assert_eq!(refusals[0].code(), "duplicate-name");
}

#[tokio::test]
async fn a_plugin_is_reloaded_and_stopped_without_a_file() {
    let host = TestHost::of(Mortal::embedded()).await;
    host.reload("mortal").await.unwrap();
    let plugin = &host.status().plugins[0];
    assert_eq!((plugin.generation, &*plugin.version), (2, "2.0.0"));
    assert_eq!(plugin.file.to_str(), Some("embedded:mortal"));
    let error = host.install("embedded:nobody").await.unwrap_err();
    assert_eq!(error.code(), "unreadable");

    let data = host.running().directory().path().to_owned();
    assert!(data.is_dir());
    host.end().await;
    assert!(!data.exists());
    assert_eq!(INITS.load(Ordering::Relaxed), 2);
    assert_eq!(STOPS.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn whoever_does_not_wait_for_an_answer_has_left() {
    let host = TestHost::of(Probe::embedded()).await;
    let in_flight = || host.status().plugins[0].in_flight;
    tokio::select! {
        biased;
        _ = host.get("slow") => panic!("it slept for an hour"),
        () = async { while in_flight() == 0 { tokio::task::yield_now().await; } } => {}
    }
    while in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_test_that_panics_leaves_nothing_behind() {
    let (tell, told) = std::sync::mpsc::channel();
    let test = std::thread::spawn(move || {
        // As bare as a runtime can be.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let host = TestHost::of(Probe::embedded()).await;
            assert_eq!(host.get("/readyz").await.status(), 200);
            tell.send(host.running().directory().path().to_owned())
                .unwrap();
            panic!("the test fails");
        });
    });
    assert!(test.join().is_err());
    assert!(!told.recv().unwrap().exists());
}
