//! What is emitted, requested and subscribed to, as the host is asked for it.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use exthost_abi::Status;
use serde::{Deserialize, Serialize};

use super::super::*;
use crate::StatusCode;
use crate::export::fake::Fake;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Email {
    email: String,
}

fn email() -> Email {
    Email {
        email: "ada".to_owned(),
    }
}

/// Awaits `future`, whose calls the fake completes.
fn drive<T>(fake: &Fake, future: impl IntoFuture<Output = T>) -> T {
    let mut future = pin!(future.into_future());
    loop {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(value) = polled {
            return value;
        }
        assert!(fake.complete() > 0, "it waits for nothing");
    }
}

/// Asks in both forms, and compares.
fn both(fake: &Fake, request: impl Fn() -> Request<'static, Email>) -> Decision<Email> {
    fake.take();
    let (one, asked) = (request().wait().unwrap(), fake.take());
    let (other, again) = (drive(fake, request()).unwrap(), fake.take());
    assert_eq!((&one, &asked), (&other, &again));
    fake.state().seen = asked;
    one
}

#[test]
fn events_are_emitted() {
    let (fake, services) = Fake::services();
    let events = services.events();
    events.emit("note.created", &email()).unwrap();
    events
        .emit_bytes("note.drawn", "image/svg+xml", b"<svg/>")
        .unwrap();
    events.emit_to("notes", "reindex", &()).unwrap();
    assert!(!events.has_listeners("note.created").unwrap());
    events.on("note.>", |_: Event<Raw>| ()).unwrap();
    assert!(events.has_listeners("note.created").unwrap());
    let asked = [
        r#"emit cause 0 note.created : {"email":"ada"}"#,
        "emit cause 0 note.drawn image/svg+xml: <svg/>",
        "emit cause 0 to notes reindex : null",
        "listeners note.created",
        "subscribe note.> mode 0 priority 0 flags 0 queue 0 deadline 0",
        "listeners note.created",
    ];
    assert_eq!(fake.take(), asked);
    fake.release();
}

#[test]
fn options_and_kinds_reach_the_host() {
    let (fake, services) = Fake::services();
    let events = services.events();
    let options = || {
        events
            .subscribe("a.*")
            .priority(-5)
            .not_own()
            .queue_max(64)
            .deadline(Duration::from_millis(250))
    };
    options().on(|_: Event<Raw>| ()).unwrap();
    options().on(async |_: Event<Raw>| ()).unwrap();
    options()
        .filter(|_: Event<Raw>| -> Verdict { Verdict::Pass })
        .unwrap();
    options()
        .filter(async |_: Event<Raw>| -> Verdict { Verdict::Pass })
        .unwrap();
    let expected = |mode: u32, flags: u32| {
        format!("subscribe a.* mode {mode} priority -5 flags {flags} queue 64 deadline 250")
    };
    let expected = [
        expected(0, 1),
        expected(0, 7),
        expected(1, 1),
        expected(1, 3),
    ];
    assert_eq!(fake.take(), expected);
    // 0 would ask for the host's default.
    let none = events.subscribe("b").deadline(Duration::ZERO);
    none.on(async |_: Event<Raw>| ()).unwrap();
    assert!(fake.take()[0].ends_with("deadline 1"));
    fake.release();
}

#[test]
fn a_request_is_settled_in_both_forms() {
    let (fake, services) = Fake::services();
    let events = services.events();
    let request = || events.request("check", &email(), Policy::FailOpen);
    assert_eq!(both(fake, request), Decision::Passed(email()));
    let asked = r#"request cause 0 policy 1 deadline 0 check : {"email":"ada"}"#;
    assert_eq!(fake.take(), [asked]);

    fake.state().events.payload = Some(r#"{"email":"bob"}"#);
    let request = || {
        let request = events.request("check", &email(), Policy::FailClosed);
        request.deadline(Duration::from_secs(2))
    };
    let passed = both(fake, request);
    assert!(!passed.is_vetoed());
    assert_eq!(passed.passed().unwrap().email, "bob");
    let asked = r#"request cause 0 policy 2 deadline 2000 check : {"email":"ada"}"#;
    assert_eq!(fake.take(), [asked]);
}

#[test]
fn a_veto_is_a_decision_and_by_passed_a_clients_error() {
    let (fake, services) = Fake::services();
    let request = || {
        services
            .events()
            .request("check", &email(), Policy::FailClosed)
    };
    fake.state().events.veto = Some(("email-guard", "ada is evil"));
    let decision = both(fake, request);
    assert!(decision.is_vetoed());
    let error = decision.passed().unwrap_err();
    assert_eq!(error.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((error.code(), error.message()), ("vetoed", "ada is evil"));
    assert_eq!(error.detail().unwrap()["vetoed_by"], "email-guard");
    // Passed on by a filter in turn, it is a veto.
    assert_eq!(error.as_raw(), Status::VETOED);

    fake.state().events.veto = Some(("email-guard", ""));
    let error = both(fake, request).passed().unwrap_err();
    assert_eq!(error.message(), "email-guard gave no reason");
}

#[test]
fn what_filters_leave_must_be_of_the_form_asked_for() {
    let (fake, services) = Fake::services();
    let request = || {
        services
            .events()
            .request("check", &email(), Policy::FailClosed)
    };
    fake.state().events.payload = Some(r#"{"email":1}"#);
    for error in [
        request().wait().unwrap_err(),
        drive(fake, request()).unwrap_err(),
    ] {
        assert_eq!(error.code(), "bad-payload");
        assert!(error.message().contains("/email: invalid type"), "{error}");
    }
}

#[test]
fn refusals_keep_their_reason() {
    let (fake, services) = Fake::services();
    let events = services.events();
    fake.state().db.refusal = Some(("slow", (Status::TIMEOUT, "deadline", "took too long")));
    let request = || events.request("slow", &email(), Policy::FailOpen);
    for error in [
        request().wait().unwrap_err(),
        drive(fake, request()).unwrap_err(),
        events.emit("slow", &1).unwrap_err(),
        events.emit_to("a", "slow", &1).unwrap_err(),
        events.has_listeners("slow").unwrap_err(),
    ] {
        assert_eq!(error.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(error.message(), "took too long");
    }
}

#[test]
fn what_does_not_serialise_is_the_error_of_the_call() {
    let (fake, services) = Fake::services();
    // Not a key that JSON has.
    let bad = std::collections::BTreeMap::from([((1, 2), 1)]);
    let events = services.events();
    let request = || events.request("a", &bad, Policy::FailOpen);
    for error in [
        events.emit("a", &bad).unwrap_err(),
        events.emit_to("a", "b", &bad).unwrap_err(),
        request()
            .deadline(Duration::from_secs(1))
            .wait()
            .unwrap_err(),
        drive(fake, request()).unwrap_err(),
    ] {
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!(fake.take().is_empty());
}

#[test]
fn a_request_that_is_dropped_is_cancelled() {
    let (fake, services) = Fake::services();
    let request = services.events().request("a", &email(), Policy::FailOpen);
    let mut call = request.into_future();
    let polled = pin!(&mut call).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(call);
    assert_eq!(fake.complete(), 0);
}

#[test]
fn without_the_capability_every_call_says_so() {
    let events = Fake::withholding().events();
    for error in [
        events.on("a", |_: Event<Raw>| ()).unwrap_err(),
        events.emit("a", &1).unwrap_err(),
        events.emit_to("a", "b", &1).unwrap_err(),
        events.has_listeners("a").unwrap_err(),
        events
            .request("a", &1, Policy::FailOpen)
            .wait()
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), "denied");
        assert!(error.message().contains("events/1"), "{error}");
    }
}
