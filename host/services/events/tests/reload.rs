//! What events meet while a plugin is reloaded.

use std::sync::mpsc;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_moves_to_the_equal_subscription() {
    let bus = Bus::new();
    let old = bus.serving("notes");
    let (entered, enters) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let gate = Mutex::new((entered, wait));
    let handle: Handle = Box::new(move |_, _| {
        let gate = gate.lock().unwrap();
        let _ = gate.0.send(());
        let _ = gate.1.recv();
        Ok(())
    });
    old.subscribe("a", Mode::Observe, |_| {}, handle);
    bus.emit("a", "0");
    enters.recv().unwrap();
    for number in 1..10 {
        bus.emit("a", &number.to_string());
    }
    let new = bus.plugin("notes", Limits::default());
    new.observe("a");
    new.serve();
    bus.emit("a", "10");
    let expected: Vec<_> = (1..=10).map(|number| format!("a {number}")).collect();
    assert_eq!(new.heard().await, expected);
    drop(go_on);
    old.mailbox.idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_heard_once_and_in_order_over_reloads_under_way() {
    const EVENTS: usize = 20_000;
    let bus = Bus::new();
    let all: Arc<Mutex<Vec<String>>> = Arc::default();
    let generation = || {
        let limits = Limits {
            events_queued_max: usize::MAX,
            ..Limits::default()
        };
        let plugin = bus.plugin("notes", limits);
        let heard = all.clone();
        let handle: Handle = Box::new(move |_, event| {
            heard.lock().unwrap().push(words(event));
            Ok(())
        });
        plugin.subscribe(
            "a",
            Mode::Observe,
            |spec| spec.queue_max = usize::MAX,
            handle,
        );
        plugin.serve();
        plugin
    };
    let mut plugins = vec![generation()];
    let events = bus.events.clone();
    let emitter = std::thread::spawn(move || {
        for number in 0..EVENTS {
            let payload = number.to_string();
            let message = Message::json("a", payload.as_bytes());
            match number % 2 {
                0 => events.emit(Emitter::host(), &message).unwrap(),
                _ => drop(events.emit_to(Emitter::host(), "notes", &message).unwrap()),
            }
        }
    });
    while !emitter.is_finished() {
        plugins.push(generation());
        tokio::task::yield_now().await;
    }
    emitter.join().unwrap();
    for plugin in &plugins {
        plugin.mailbox.idle().await;
    }
    let mut heard = std::mem::take(&mut *all.lock().unwrap());
    // What two generations are with at the same time may end in either order.
    let number = |words: &String| words.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
    heard.sort_by_key(number);
    let expected: Vec<_> = (0..EVENTS).map(|number| format!("a {number}")).collect();
    assert_eq!(heard, expected, "{} generations", plugins.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_holds_over_reloads_under_way() {
    let bus = Bus::new();
    let generation = || {
        let plugin = bus.plugin("guard", Limits::default());
        plugin.filter("x", 0, |_| Ok(Verdict::Veto("no".to_owned())));
        plugin.serve();
        plugin
    };
    let mut plugins = vec![generation()];
    for _ in 0..200 {
        let events = bus.events.clone();
        let asked = tokio::spawn(async move {
            let message = Message::json("x", b"1");
            let prepared = events.prepare(Emitter::host(), &message).unwrap();
            let time = Some(Duration::from_secs(60));
            events
                .decide(prepared, Policy::FailOpen, time)
                .await
                .unwrap()
        });
        let new = generation();
        let old = plugins.pop().unwrap();
        old.mailbox.context.calls.close();
        plugins.push(new);
        assert!(asked.await.unwrap().veto.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_is_told_what_still_holds_once() {
    let bus = Bus::new();
    let early = bus.serving("early");
    early.observe("core.>");
    let notes = PluginName::parse("notes").unwrap();
    let tell = |generation: &str| {
        let message = Message::json("core.plugin.ready", generation.as_bytes());
        bus.events.retain(Some(&notes), &message);
    };
    tell("1");
    tell("2");
    bus.events
        .retain(None, &Message::json("core.host.ready", b"0"));
    let told = [
        "core.plugin.ready 1",
        "core.plugin.ready 2",
        "core.host.ready 0",
    ];
    assert_eq!(early.heard().await, told);
    let late = bus.plugin("late", Limits::default());
    late.observe("core.>");
    late.serve();
    assert_eq!(late.heard().await, told[1..]);
    late.observe("core.plugin.*");
    assert_eq!(late.heard().await, told[1..2]);
    bus.events.release(&notes);
    // A reload: what it was told and has not heard is not told twice.
    let again = bus.plugin("late", Limits::default());
    again.observe("core.>");
    again.serve();
    assert_eq!(again.heard().await, told[2..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_handler_has_not_come_to_moves_as_well() {
    let bus = Bus::new();
    let old = bus.serving("notes");
    let (entered, enters) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let gate = Mutex::new((entered, wait));
    let handle: Handle = Box::new(move |_, event| {
        let gate = gate.lock().unwrap();
        let _ = gate.0.send(words(event));
        let _ = gate.1.recv();
        Ok(())
    });
    old.subscribe("a", Mode::Observe, |spec| spec.queue_max = 10, handle);
    bus.emit("a", "0");
    assert_eq!(enters.recv().unwrap(), "a 0");
    for number in 1..13 {
        bus.emit("a", &number.to_string());
    }
    // Of the ten that wait, it is with the first.
    go_on.send(()).unwrap();
    assert_eq!(enters.recv().unwrap(), "a 1");
    let new = bus.plugin("notes", Limits::default());
    let heard = new.heard.clone();
    let handle: Handle = Box::new(move |_, event| {
        let words = format!("{} lost {}", words(event), event.lost);
        heard.lock().unwrap().push(words);
        Ok(())
    });
    new.subscribe("a", Mode::Observe, |_| {}, handle);
    new.serve();
    bus.emit("a", "13");
    old.mailbox.context.enter(Phase::Stopped);
    assert_eq!(old.mailbox.close(), 0);
    drop(go_on);
    let expected = (2..11).chain([13]).map(|number| {
        let lost = if number == 13 { 2 } else { 0 };
        format!("a {number} lost {lost}")
    });
    assert_eq!(new.heard().await, expected.collect::<Vec<_>>());
    old.mailbox.idle().await;
    assert!(enters.recv().is_err(), "the old one heard no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_to_one_plugin_meets_the_subscriptions_of_its_own_generation() {
    const EVENTS: usize = 20_000;
    let bus = Bus::new();
    let all: Arc<Mutex<Vec<String>>> = Arc::default();
    let generation = |number: usize| {
        let plugin = bus.plugin("notes", Limits::default());
        // Each has them in another order.
        let mut names = ["a", "b", "c"];
        names.rotate_left(number % 3);
        for name in names {
            let heard = all.clone();
            let handle: Handle = Box::new(move |_, event| {
                let words = format!("{} by {name}", words(event));
                heard.lock().unwrap().push(words);
                Ok(())
            });
            plugin.subscribe(name, Mode::Observe, |spec| spec.queue_max = EVENTS, handle);
        }
        plugin.serve();
        plugin
    };
    let mut plugins = vec![generation(0)];
    let events = bus.events.clone();
    let emitter = std::thread::spawn(move || {
        for number in 0..EVENTS {
            let payload = number.to_string();
            let message = Message::json("a", payload.as_bytes());
            let sent = events.emit_to(Emitter::host(), "notes", &message);
            assert_eq!(sent, Ok(Sent::Queued(1)), "{number}");
        }
    });
    while !emitter.is_finished() {
        plugins.push(generation(plugins.len()));
    }
    emitter.join().unwrap();
    for plugin in &plugins {
        plugin.mailbox.idle().await;
    }
    let heard = std::mem::take(&mut *all.lock().unwrap());
    let elsewhere = heard.iter().find(|words| !words.ends_with("by a"));
    assert_eq!((heard.len(), elsewhere), (EVENTS, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_moved_in_its_plugin_is_asked_and_no_other_twice() {
    let bus = Bus::new();
    let old = bus.serving("guard");
    old.observe("other");
    let new = bus.plugin("guard", Limits::default());
    let append = |heard: &Heard<'_>| {
        let mut payload = heard.event.payload.to_vec();
        payload.push(b'1');
        Ok(Verdict::Replace(payload.into()))
    };
    new.filter("*", 0, |_| Ok(Verdict::Veto("no".to_owned())));
    new.filter("x", 0, append);
    let next = new.clone();
    old.filter("x", 0, move |heard| {
        next.serve();
        append(heard)
    });
    old.filter("*", 0, |_| Ok(Verdict::Pass));
    let decision = bus.request("x", "0", Policy::FailOpen).await;
    assert_eq!(decision.veto.map(|veto| veto.reason), Some("no".to_owned()));
    assert_eq!(new.heard().await, ["x 01"]);
    assert_eq!(old.heard().await, ["x 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_of_a_plugin_that_has_ended_for_good_has_failed() {
    let bus = Bus::new();
    let guard = bus.serving("guard");
    guard.filter("x", 0, |_| Ok(Verdict::Pass));
    bus.events.withdraw(&guard.mailbox);
    let open = bus.request("x", "0", Policy::FailOpen).await;
    assert_eq!(open.veto, None);
    let closed = bus.request("x", "0", Policy::FailClosed).await;
    assert_eq!(closed.veto.unwrap().reason, "its filter failed: stopped");
    assert!(guard.heard().await.is_empty());
}

#[tokio::test]
async fn a_plugin_waits_with_its_end_for_the_filter_that_answers_later() {
    let bus = Bus::new();
    let guard = bus.serving("guard");
    let (tell, causes) = mpsc::channel();
    let tell = Mutex::new(tell);
    let handle: Handle = Box::new(move |cause, _| {
        tell.lock().unwrap().send(cause).unwrap();
        Ok(())
    });
    guard.subscribe("x", Mode::Filter, |spec| spec.inline = true, handle);
    let events = bus.events.clone();
    let asked = tokio::spawn(async move {
        let message = Message::json("x", b"1");
        let prepared = events.prepare(Emitter::host(), &message).unwrap();
        let time = Some(Duration::from_secs(60));
        events
            .decide(prepared, Policy::FailOpen, time)
            .await
            .unwrap()
    });
    let cause = loop {
        match causes.try_recv() {
            Ok(cause) => break cause,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let calls = &guard.mailbox.context.calls;
    bus.events.withdraw(&guard.mailbox);
    calls.close();
    assert_eq!(calls.in_flight(), 1);
    let veto = Verdict::Veto("later".to_owned());
    answer(&guard.mailbox.context, cause, Ok(veto)).unwrap();
    assert_eq!(asked.await.unwrap().veto.unwrap().reason, "later");
    calls.idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_after_what_has_ended() {
    let bus = Bus::new();
    let limits = Limits {
        pool_threads_max: 1,
        ..Limits::default()
    };
    let plugin = bus.plugin("busy", limits);
    plugin.observe("a");
    plugin.serve();
    let (go_on, wait) = mpsc::channel::<()>();
    let never = std::future::pending();
    let pool = &plugin.mailbox.pool;
    let blocked = move || {
        let _ = wait.recv();
    };
    pool.run(|| {}, never, blocked).unwrap();
    let unused = Arc::strong_count(&plugin.mailbox);
    bus.emit("a", "1");
    bus.events.withdraw(&plugin.mailbox);
    plugin.mailbox.context.enter(Phase::Stopped);
    plugin.mailbox.context.work.close();
    assert_eq!(plugin.mailbox.close(), 1);
    plugin.mailbox.context.work.idle().await;
    let ended = async {
        while Arc::strong_count(&plugin.mailbox) > unused {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), ended);
    waited.await.unwrap();
    drop(go_on);
}
