//! What filters may do to an event, and what their failures mean.

use std::sync::mpsc;

use super::*;

fn payload(decision: &Decision) -> String {
    String::from_utf8_lossy(&decision.event.payload).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_asked_in_order_and_observers_told_the_end() {
    let bus = Bus::new();
    let late = bus.serving("a-late");
    let append = |text: &'static str| {
        move |heard: &Heard<'_>| {
            let mut payload = heard.event.payload.to_vec();
            payload.extend(text.as_bytes());
            Ok(Verdict::Replace(payload.into()))
        }
    };
    late.filter("x", 5, append("4"));
    let second = bus.serving("c");
    second.filter("x", 0, append("2"));
    second.filter("*", 0, append("3"));
    second.observe("x");
    let first = bus.serving("b");
    first.filter("x", 0, append("1"));
    let decision = bus.request("x", "0", Policy::FailClosed).await;
    assert!(decision.veto.is_none());
    assert_eq!(payload(&decision), "01234");
    assert_eq!(late.heard().await, ["x 0123"]);
    second.mailbox.idle().await;
    assert_eq!(second.heard().await, ["x 01", "x 012", "x 01234"]);
    // Emitting asks nobody.
    bus.emit("x", "0");
    assert_eq!(second.heard().await, ["x 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_ends_it_with_its_reason() {
    let bus = Bus::new();
    let guard = bus.serving("guard");
    guard.filter("x", 0, |heard| {
        Ok(
            match heard.event.payload.windows(4).any(|bytes| bytes == b"evil") {
                true => Verdict::Veto("it is evil".to_owned()),
                false => Verdict::Pass,
            },
        )
    });
    let after = bus.serving("then");
    after.filter("x", 1, |_| Ok(Verdict::Pass));
    after.observe("x");
    let decision = bus.request("x", "an evil word", Policy::FailOpen).await;
    let veto = decision.veto.unwrap();
    assert_eq!((veto.by.as_str(), &*veto.reason), ("guard", "it is evil"));
    assert!(after.heard().await.is_empty());
    assert!(
        bus.request("x", "a word", Policy::FailOpen)
            .await
            .veto
            .is_none()
    );
    assert_eq!(after.heard().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_what_a_failure_means() {
    let bus = Bus::new();
    let bad = bus.serving("bad");
    bad.filter("x", 0, |_| Err(failure()));
    let after = bus.serving("then");
    after.filter("x", 1, |_| Ok(Verdict::Replace(b"2".as_slice().into())));
    let open = bus.request("x", "1", Policy::FailOpen).await;
    assert_eq!((payload(&open), open.veto), ("2".to_owned(), None));
    let closed = bus.request("x", "1", Policy::FailClosed).await;
    let veto = closed.veto.unwrap();
    assert_eq!(
        (veto.by.as_str(), &*veto.reason),
        ("bad", "its filter failed: panicked")
    );
    assert_eq!(bad.mailbox.context.faults.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_by_the_deadline_is_a_failure() {
    let bus = Bus::new();
    let silent = bus.serving("silent");
    let (tell, causes) = mpsc::channel();
    let tell = Mutex::new(tell);
    let handle: Handle = Box::new(move |cause, _| {
        tell.lock().unwrap().send(cause).unwrap();
        Ok(())
    });
    let spec = |spec: &mut Subscription| spec.deadline = Some(Duration::from_millis(1));
    silent.subscribe("x", Mode::Filter, spec, handle);
    // It is not called at all when its deadline passes before it has a thread.
    let cause = loop {
        let open = bus.request("x", "1", Policy::FailOpen).await;
        assert!(open.veto.is_none());
        if let Ok(cause) = causes.try_recv() {
            break cause;
        }
    };
    let late = answer(&silent.mailbox.context, cause, Ok(Verdict::Pass));
    assert_eq!(late.unwrap_err().status, Status::GONE);
    let closed = bus.request("x", "1", Policy::FailClosed).await;
    assert_eq!(closed.veto.unwrap().reason, "its filter failed: timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_on_the_runtime_may_answer_later() {
    let bus = Bus::new();
    let inline = bus.serving("inline");
    let context = inline.mailbox.context.clone();
    let handle: Handle = Box::new(move |cause, _| {
        assert!(crate::services::watchdog::is_inline());
        let context = context.clone();
        std::thread::spawn(move || {
            let veto = Verdict::Veto("later".to_owned());
            answer(&context, cause, Ok(veto)).unwrap();
        });
        Ok(())
    });
    inline.subscribe("x", Mode::Filter, |spec| spec.inline = true, handle);
    let decision = bus.request("x", "1", Policy::FailOpen).await;
    assert_eq!(decision.veto.unwrap().reason, "later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_may_ask_filters_that_ask_filters() {
    let bus = Bus::new();
    let chain = bus.serving("chain");
    for depth in 1..=8 {
        let (events, context) = (bus.events.clone(), chain.mailbox.context.clone());
        let runtime = Runtime::current();
        let handle: Handle = Box::new(move |cause, _| {
            let name = format!("x.{}", depth + 1);
            let by = Emitter {
                plugin: Some(context.clone()),
                origin: crate::services::cause::Causes::of_process().origin(&context, cause),
            };
            let prepared = events.prepare(by, &Message::json(&name, b"1"));
            let verdict = match prepared {
                Err(error) => Verdict::Veto(error.code.into_owned()),
                Ok(prepared) => {
                    let decided = events.decide(prepared, Policy::FailOpen, None);
                    match runtime.block_on(decided)?.veto {
                        Some(veto) => Verdict::Veto(veto.reason),
                        None => Verdict::Pass,
                    }
                }
            };
            answer(&context, cause, Ok(verdict))
        });
        chain.subscribe(&format!("x.{depth}"), Mode::Filter, |_| {}, handle);
    }
    // More at a time than there are threads for one depth.
    let requests: Vec<_> = (0..40)
        .map(|_| {
            let events = bus.events.clone();
            tokio::spawn(async move {
                let message = Message::json("x.1", b"1");
                let prepared = events.prepare(Emitter::host(), &message).unwrap();
                let time = Some(Duration::from_secs(60));
                events
                    .decide(prepared, Policy::FailClosed, time)
                    .await
                    .unwrap()
            })
        })
        .collect();
    for request in requests {
        let veto = request.await.unwrap().veto.unwrap();
        assert_eq!(veto.reason, "event-depth");
    }
}
