//! A plugin through its door, without a host to load it.

use std::ffi::c_void;
use std::time::Duration;

use super::fake::Fake;
use super::*;
use crate::{
    Cancelled, Error, Headers, IntoResponse, Layer, Query, Response, Result, State, log, sleep,
};

struct Sample;

impl Plugin for Sample {
    fn init(router: &mut Router, _services: &Services) -> Result<Self> {
        router.get("plain", |Query(name): Query<Vec<String>>| {
            format!("{} names", name.len())
        });
        router.get("ready", || async { "at once" });
        router.get("later", later);
        router.get("large", || vec![b'x'; 5000]);
        router.get("fails", || -> Result<()> { Err(Error::internal("secret")) });
        router.get("gone", || -> Result<()> {
            let why = "this transaction is over";
            Err(Error::from_host(Status::GONE, "gone", why, ""))
        });
        router.get("panics", || -> () { panic!("asked to") });
        router.get("panics-later", panics_later);
        router.get("panics-twice", || -> () { std::panic::panic_any(Twice) });
        router.get("stream", stream);
        router.get("blocking-stream", || {
            Response::streaming_blocking("text/plain", |body| body.send("one"))
        });
        router.get("blocking", || async {
            crate::blocking("sum", || 1 + 1)
                .await
                .map(|sum| sum.to_string())
        });
        router.get("blocking-panics", || async {
            crate::blocking("bad", || -> () { panic!("in the pool") }).await
        });
        router.get("itself", |_: State<Sample>| "found");
        router.get("cancelled", |cancelled: Cancelled| {
            cancelled.is_cancelled().to_string()
        });
        Ok(Sample)
    }
}

async fn later() -> &'static str {
    sleep(Duration::from_millis(5)).await;
    log::info("slept");
    "later"
}

async fn panics_later() {
    sleep(Duration::from_millis(5)).await;
    panic!("asked to, later");
}

async fn stream() -> impl IntoResponse {
    Response::streaming("text/plain", |mut body| async move {
        body.send("one").await?;
        sleep(Duration::from_millis(5)).await;
        body.send("two").await
    })
}

struct Twice;

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("and again");
    }
}

/// A plugin that was just initialised; destroyed at the end of the test.
struct Hosted(&'static Fake, *mut c_void);

impl Hosted {
    fn new() -> Self {
        let (fake, instance) = Fake::host(door::<Sample>());
        assert_eq!(fake.take(), ["init Status(0 ok)"]);
        Hosted(fake, instance)
    }

    fn request(&self, pattern: &str) -> (Status, Vec<String>) {
        (self.0.request(pattern, ""), self.0.take())
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.0.release();
        // SAFETY: nothing of the instance is left.
        unsafe { destroy::<Sample>(self.1) };
    }
}

#[test]
fn what_is_ready_is_answered_within_the_call() {
    let hosted = Hosted::new();
    for (pattern, body) in [
        ("ready", "at once"),
        ("large", "5000 bytes"),
        ("itself", "found"),
        ("cancelled", "false"),
        ("blocking", "2"),
    ] {
        let expected = vec![format!("respond 77: 200 {body}")];
        assert_eq!(hosted.request(pattern), (Status::OK, expected));
    }
}

#[test]
fn a_pending_handler_is_spawned_woken_and_answered() {
    let hosted = Hosted::new();
    assert_eq!(hosted.request("later"), (Status::OK, vec![]));
    // The first poll within the call had no waker; this one has.
    assert_eq!(hosted.0.poll(), 1);
    assert_eq!(hosted.0.fire().len(), 1);
    assert_eq!(hosted.0.poll(), 0);
    assert_eq!(
        hosted.0.take(),
        ["log 3 cause 77: slept", "respond 77: 200 later"]
    );
}

#[test]
fn a_wake_before_the_spawn_is_not_lost() {
    let hosted = Hosted::new();
    hosted.request("later");
    assert!(hosted.0.fire().is_empty());
    assert_eq!(hosted.0.poll(), 0);
    assert_eq!(hosted.0.take().last().unwrap(), "respond 77: 200 later");
}

#[test]
fn without_room_for_a_task_the_host_answers() {
    let hosted = Hosted::new();
    hosted.0.state().full = true;
    assert_eq!(
        hosted.request("later"),
        (Status::BUSY, vec!["fail busy: busy".into()])
    );
}

#[test]
fn a_dropped_handler_gives_its_request_up() {
    let hosted = Hosted::new();
    hosted.request("later");
    hosted.0.release();
    assert_eq!(hosted.0.take(), ["abort"]);
}

#[test]
fn panics_stay_inside() {
    let hosted = Hosted::new();
    for (pattern, message) in [
        ("panics", "asked to"),
        ("panics-twice", "a value that is not text"),
    ] {
        let (status, seen) = hosted.request(pattern);
        assert_eq!(status, Status::PANICKED);
        let told = seen.last().unwrap();
        assert!(told.starts_with("fail panic: panicked at "), "{seen:?}");
        assert!(told.contains("tests.rs:"), "{seen:?}");
        assert!(told.ends_with(&format!(": {message}")), "{seen:?}");
    }
}

#[test]
fn a_panic_in_a_task_gives_the_request_up() {
    let hosted = Hosted::new();
    hosted.request("panics-later");
    hosted.0.poll();
    hosted.0.fire();
    assert_eq!(hosted.0.poll(), 0);
    let seen = hosted.0.take();
    assert_eq!(seen[0], "abort");
    assert!(seen[1].ends_with(": asked to, later"), "{seen:?}");
}

#[test]
fn a_panic_in_blocking_work_is_its_result() {
    let hosted = Hosted::new();
    let (status, seen) = hosted.request("blocking-panics");
    assert_eq!(status, Status::OK);
    assert!(
        seen.last().unwrap().starts_with("respond 77: 500 "),
        "{seen:?}"
    );
}

#[test]
fn an_error_is_a_problem_without_its_message() {
    let hosted = Hosted::new();
    let (status, seen) = hosted.request("fails");
    assert_eq!(status, Status::OK);
    assert_eq!(seen[0], "log 1 cause 77: secret");
    assert!(
        seen[1].starts_with("respond 77: 500 {") && !seen[1].contains("secret"),
        "{seen:?}"
    );
}

#[test]
fn what_has_ended_is_an_error_line_as_long_as_somebody_waits() {
    let hosted = Hosted::new();
    let line = || hosted.request("gone").1.swap_remove(0);
    assert_eq!(line(), "log 1 cause 77: this transaction is over");
    hosted.0.state().left = true;
    assert_eq!(line(), "log 4 cause 77: this transaction is over");
}

#[test]
fn a_stream_is_sent_to_its_end() {
    let hosted = Hosted::new();
    assert_eq!(
        hosted.request("stream"),
        (Status::OK, vec!["respond 77: 200 ".into()])
    );
    assert_eq!(hosted.0.poll(), 1);
    assert_eq!(hosted.0.take(), ["chunk one"]);
    hosted.0.fire();
    assert_eq!(hosted.0.poll(), 0);
    assert_eq!(hosted.0.take(), ["chunk two", "end"]);

    let (_, seen) = hosted.request("blocking-stream");
    assert_eq!(seen, ["respond 77: 200 ", "chunk one", "end"]);
}

#[test]
fn a_stream_nobody_waits_for_is_cut() {
    let hosted = Hosted::new();
    hosted.request("stream");
    assert_eq!(hosted.0.poll(), 1);
    hosted.0.take();
    // What the host does with a task whose request has ended.
    hosted.0.release();
    assert_eq!(hosted.0.take(), ["abort"]);
}

struct Layered;

impl Plugin for Layered {
    fn init(router: &mut Router, _services: &Services) -> Result<Self> {
        let outer = Layer::new().after(|response| *response.headers_mut() = Headers::new());
        let inner = Layer::new()
            .before(|parts| match parts.query() {
                "key" => Ok(()),
                _ => Err(Error::forbidden("no key")),
            })
            .after(|response| *response = Response::new("changed"));
        router.layer(outer, |router| {
            router.layer(inner, |router| {
                router.get("guarded", || "as it was");
            });
        });
        Ok(Layered)
    }
}

#[test]
fn layers_refuse_and_change() {
    let (fake, instance) = Fake::host(door::<Layered>());
    fake.take();
    fake.request("guarded", "key");
    fake.request("guarded", "");
    let seen = fake.take();
    assert_eq!(seen[0], "respond 77: 200 changed");
    assert!(seen[1].starts_with("respond 77: 403 "), "{seen:?}");
    // SAFETY: nothing of the instance is left.
    unsafe { destroy::<Layered>(instance) };
}

struct Stateless;

impl Plugin for Stateless {
    fn init(router: &mut Router, _services: &Services) -> Result<Self> {
        router.get("count", |_: State<u32>| "never");
        Ok(Stateless)
    }
}

#[test]
fn a_state_that_is_not_there_fails_init() {
    let (fake, _) = Fake::host(door::<Stateless>());
    let seen = fake.take();
    assert!(
        seen[0].contains("GET count: its handler takes State<u32>"),
        "{seen:?}"
    );
    assert_eq!(seen[1], "init Status(12 internal)");
}

#[test]
fn a_null_table_is_refused() {
    let mut instance = std::ptr::null_mut();
    // SAFETY: null is what is being tested; `instance` is writable.
    let status = unsafe { init::<Sample>(std::ptr::null(), &raw mut instance) };
    assert_eq!(status, Status::INVALID);
}
