//! Handlers, and how each delivery ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use exthost_abi::Status;
use serde::{Deserialize, Serialize};

use super::super::*;
use crate::export::door;
use crate::export::fake::Fake;
use crate::{Plugin, Router, Services, State, log, sleep};

#[derive(Debug, Serialize, Deserialize)]
struct Email {
    email: String,
}

const GOOD: &[u8] = br#"{"email":"ada@example.com"}"#;
const EVIL: &[u8] = br#"{"email":"evil@example.com"}"#;

struct Sample {
    events: Events,
}

impl Plugin for Sample {
    fn init(_: &mut Router, services: &Services) -> Result<Self> {
        let events = services.events();
        events.on("plain", heard)?;
        events.on("raw", |event: Event<Raw>| {
            log::info(format!("{} {:?}", event.content_type(), event.data.0));
        })?;
        events.on("nested", nested)?;
        events.on("ready", async |_: Event<Email>| ())?;
        events.on("later", later)?;
        events.on("fails", |_: Event<Email>| -> Result<()> {
            Err(Error::conflict("it is taken"))
        })?;
        events.on("fails-ready", async |_: Event<Email>| -> Result<()> {
            Err(Error::conflict("it is taken"))
        })?;
        events.on("fails-later", fails_later)?;
        events.on("panics", |_: Event<Email>| -> () { panic!("asked to") })?;
        events.on("panics-later", panics_later)?;
        events.filter("guard", guard)?;
        events.filter("guard-ready", async |event: Event<Email>| -> Verdict {
            guard(event)
        })?;
        events.filter(
            "guard-later",
            async |event: Event<Email>| -> Result<Verdict> {
                sleep(Duration::from_millis(5)).await;
                Ok(guard(event))
            },
        )?;
        events.filter("guard-fails", |_: Event<Email>| -> Result<Verdict> {
            Err(Error::unavailable("not now"))
        })?;
        events.filter(
            "guard-fails-later",
            async |_: Event<Email>| -> Result<Verdict> {
                sleep(Duration::from_millis(5)).await;
                Err(Error::unavailable("not now"))
            },
        )?;
        events.filter("guard-panics", |_: Event<Email>| -> Verdict {
            panic!("asked to")
        })?;
        events.filter("guard-panics-later", guard_panics_later)?;
        events.filter("upper", |mut event: Event<Email>| {
            event.data.email.make_ascii_uppercase();
            Verdict::Replace(event.data)
        })?;
        events.filter("reverse", |mut event: Event<Raw>| {
            event.data.0.reverse();
            Verdict::Replace(event.data)
        })?;
        events.filter("jsonifies", |_: Event<Raw>| Verdict::Replace("text"))?;
        Ok(Sample { events })
    }
}

fn heard(event: Event<Email>) -> Result<()> {
    let since = event.emitted_at().duration_since(std::time::UNIX_EPOCH)?;
    log::info(format!(
        "{} {} {:?} {} ms, {} lost: {}",
        event.name(),
        event.content_type(),
        event.emitter(),
        since.as_millis(),
        event.lost(),
        event.data.email
    ));
    Ok(())
}

fn nested(event: Event<Email>, sample: State<Sample>) -> Result<()> {
    sample.events.emit("seen", &event.data)
}

async fn later(event: Event<Email>, sample: State<Sample>) -> Result<()> {
    sleep(Duration::from_millis(5)).await;
    sample.events.emit("seen", &event.data)
}

async fn fails_later(_: Event<Email>) -> Result<()> {
    sleep(Duration::from_millis(5)).await;
    Err(Error::conflict("it is taken"))
}

async fn panics_later(_: Event<Email>) {
    sleep(Duration::from_millis(5)).await;
    panic!("asked to, later");
}

fn guard(event: Event<Email>) -> Verdict {
    match event.data.email.contains("evil") {
        true => Verdict::veto(format!("{} is evil", event.data.email)),
        false => Verdict::Pass,
    }
}

async fn guard_panics_later(_: Event<Email>) -> Verdict {
    sleep(Duration::from_millis(5)).await;
    panic!("asked to, later");
}

/// A plugin that was just initialised; released at the end of the test.
struct Hosted(&'static Fake);

impl Hosted {
    fn new() -> Self {
        let (fake, _) = Fake::host(door::<Sample>());
        assert_eq!(fake.take().last().unwrap(), "init Status(0 ok)");
        fake.state().events.emitter = "other";
        Hosted(fake)
    }

    fn deliver(&self, pattern: &str, payload: &[u8]) -> (Status, Vec<String>) {
        (self.0.deliver(pattern, "", payload), self.0.take())
    }

    /// Delivers to a handler that sleeps, and wakes it.
    fn deliver_later(&self, pattern: &str, payload: &[u8]) -> Vec<String> {
        assert_eq!(self.deliver(pattern, payload), (Status::OK, vec![]));
        assert_eq!(self.0.poll(), 1);
        assert_eq!(self.0.fire().len(), 1);
        assert_eq!(self.0.poll(), 0);
        self.0.take()
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.0.release();
    }
}

fn told<const N: usize>(lines: [&str; N]) -> (Status, Vec<String>) {
    (Status::OK, lines.map(str::to_owned).to_vec())
}

#[test]
fn an_observer_hears_and_a_plain_one_does_not_answer() {
    let hosted = Hosted::new();
    let line = "log 3 cause 88: note.created application/json Some(\"other\") 5 ms, 2 lost: \
                ada@example.com";
    assert_eq!(hosted.deliver("plain", GOOD), told([line]));
    hosted.0.state().events.emitter = "";
    let (_, seen) = hosted.deliver("plain", GOOD);
    assert!(seen[0].contains("application/json None 5 ms"), "{seen:?}");
    let status = hosted.0.deliver("raw", "image/png", &[1, 2]);
    let line = "log 3 cause 88: image/png [1, 2]";
    assert_eq!((status, hosted.0.take()), told([line]));
}

#[test]
fn what_a_handler_calls_has_the_delivery_as_its_cause() {
    let hosted = Hosted::new();
    let emitted = r#"emit cause 88 seen : {"email":"ada@example.com"}"#;
    assert_eq!(hosted.deliver("nested", GOOD), told([emitted]));
    let seen = hosted.deliver_later("later", GOOD);
    assert_eq!(seen, [emitted, "answer 88: pass"]);
}

#[test]
fn an_async_observer_answers_at_once_or_later() {
    let hosted = Hosted::new();
    let passed = told(["answer 88: pass"]);
    assert_eq!(hosted.deliver("ready", GOOD), passed);
    assert_eq!(hosted.0.poll(), 0, "no task was needed");
    // A wake between the first poll and the spawn is not lost.
    assert_eq!(hosted.deliver("later", GOOD), told([]));
    assert!(hosted.0.fire().is_empty());
    assert_eq!(hosted.0.poll(), 0);
    assert_eq!(hosted.0.take().last().unwrap(), "answer 88: pass");
}

#[test]
fn an_error_is_the_status_with_its_reason() {
    let hosted = Hosted::new();
    for pattern in ["fails", "fails-ready"] {
        let (status, seen) = hosted.deliver(pattern, GOOD);
        assert_eq!(status, Status::CONFLICT);
        assert_eq!(seen, ["fail conflict: it is taken"]);
    }
    let (status, seen) = hosted.deliver("guard-fails", GOOD);
    assert_eq!(status, Status::BUSY);
    assert_eq!(seen, ["fail unavailable: not now"]);
}

#[test]
fn an_error_after_a_pause_is_a_fault() {
    let hosted = Hosted::new();
    let seen = hosted.deliver_later("fails-later", GOOD);
    assert_eq!(seen, ["answer 88: fail conflict: it is taken"]);
    // Whether that is a veto is not the filter's to say.
    let seen = hosted.deliver_later("guard-fails-later", GOOD);
    assert_eq!(seen, ["answer 88: fail unavailable: not now"]);
}

#[test]
fn panics_stay_inside() {
    let hosted = Hosted::new();
    for pattern in ["panics", "guard-panics"] {
        let (status, seen) = hosted.deliver(pattern, GOOD);
        assert_eq!(status, Status::PANICKED);
        let [line] = &seen[..] else {
            panic!("{seen:?}")
        };
        assert!(line.starts_with("fail panic: panicked at "), "{line}");
        assert!(line.ends_with(": asked to"), "{line}");
    }
    for pattern in ["panics-later", "guard-panics-later"] {
        let seen = hosted.deliver_later(pattern, GOOD);
        let dropped = "the handler panicked, or was dropped before its end";
        assert_eq!(seen[0], format!("answer 88: fail {dropped}"));
        assert!(seen[1].ends_with(": asked to, later"), "{seen:?}");
    }
}

#[test]
fn filters_pass_veto_and_replace() {
    let hosted = Hosted::new();
    let vetoed = "answer 88: veto evil@example.com is evil";
    for pattern in ["guard", "guard-ready"] {
        assert_eq!(hosted.deliver(pattern, GOOD), told(["answer 88: pass"]));
        assert_eq!(hosted.deliver(pattern, EVIL), told([vetoed]));
    }
    assert_eq!(hosted.deliver_later("guard-later", EVIL), [vetoed]);
    let replaced = r#"answer 88: replace {"email":"ADA@EXAMPLE.COM"}"#;
    assert_eq!(hosted.deliver("upper", GOOD), told([replaced]));
    let status = hosted.0.deliver("reverse", "text/plain", b"abc");
    let replaced = "answer 88: replace cba";
    assert_eq!((status, hosted.0.take()), told([replaced]));
}

#[test]
fn a_replacement_is_of_the_events_media_type() {
    let hosted = Hosted::new();
    let replaced = r#"answer 88: replace "text""#;
    assert_eq!(hosted.deliver("jsonifies", GOOD), told([replaced]));
    let status = hosted.0.deliver("jsonifies", "text/plain", b"abc");
    assert_eq!(status, Status::INTERNAL);
    let seen = hosted.0.take();
    assert!(seen[0].contains("events::Raw"), "{seen:?}");
}

#[test]
fn a_payload_of_another_form_is_a_failure_that_says_where() {
    let hosted = Hosted::new();
    for pattern in ["plain", "ready", "guard"] {
        let (status, seen) = hosted.deliver(pattern, br#"{"email": 3}"#);
        assert_eq!(status, Status::INVALID);
        let [line] = &seen[..] else {
            panic!("{seen:?}")
        };
        assert!(line.contains("/email: invalid type"), "{line}");
        let (status, seen) = hosted.deliver(pattern, b"no JSON");
        assert_eq!(status, Status::INVALID);
        assert!(seen[0].starts_with("fail bad-payload: "), "{seen:?}");
        let status = hosted.0.deliver(pattern, "text/plain", GOOD);
        assert_eq!(status, Status::INVALID);
        let seen = hosted.0.take();
        assert!(seen[0].contains("is text/plain, not"), "{seen:?}");
    }
}

#[test]
fn an_answer_that_comes_too_late_is_no_fault() {
    let hosted = Hosted::new();
    hosted.0.state().events.answered = true;
    for pattern in ["guard", "ready"] {
        assert_eq!(hosted.deliver(pattern, GOOD), told([]));
    }
    assert!(hosted.deliver_later("guard-later", EVIL).is_empty());
}

#[test]
fn without_room_for_a_task_the_delivery_has_failed() {
    let hosted = Hosted::new();
    hosted.0.state().full = true;
    let (status, seen) = hosted.deliver("later", GOOD);
    assert_eq!(
        (status, seen),
        (Status::BUSY, vec!["fail busy: busy".into()])
    );
}

#[test]
fn an_observer_that_is_dropped_lets_the_next_event_come() {
    let hosted = Hosted::new();
    hosted.deliver("later", GOOD);
    hosted.deliver("guard-later", GOOD);
    // What the host does past the deadline, and at a stop.
    hosted.0.release();
    let dropped = "answer 88: fail the handler panicked, or was dropped before its end";
    assert_eq!(hosted.0.take(), [dropped, dropped]);
}

/// Counts how often it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_handler_is_dropped_exactly_once() {
    let (fake, services) = Fake::services();
    let drops = Arc::new(AtomicUsize::new(0));
    let subscribe = |pattern: &str| {
        let dropped = Dropped(Arc::clone(&drops));
        let handler = move |_: Event<Raw>| assert_eq!(dropped.0.load(Ordering::Relaxed), 0);
        services.events().on(pattern, handler)
    };
    let subscription = subscribe("one").unwrap();
    subscribe("two").unwrap();
    assert_eq!(fake.patterns(), ["one", "two"]);
    subscription.cancel();
    assert_eq!(fake.patterns(), ["two"]);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    // A second time it is gone, which needs no telling.
    subscription.cancel();
    fake.release();
    assert_eq!(drops.load(Ordering::Relaxed), 2);

    fake.take();
    fake.state().db.refusal = Some(("bad..", (Status::INVALID, "bad-pattern", "two dots")));
    let error = subscribe("bad..").unwrap_err();
    assert_eq!(error.code(), "bad-pattern");
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_handler_that_panics_when_it_is_dropped_is_contained() {
    let (fake, services) = Fake::services();
    let bomb = Bomb;
    let handler = move |_: Event<Raw>| assert_eq!(size_of_val(&bomb), 0);
    services.events().on("a", handler).unwrap();
    fake.take();
    fake.release();
    let seen = fake.take();
    assert!(seen[0].ends_with(": dropped"), "{seen:?}");
}
