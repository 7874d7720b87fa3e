//! Who hears what, in which order, how often.

use std::sync::mpsc;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_and_names_are_heard_in_order() {
    let bus = Bus::new();
    let notes = bus.serving("notes");
    notes.observe("note.*");
    notes.observe("note.created");
    let all = bus.serving("all");
    all.observe(">");
    for number in 0..100 {
        bus.emit("note.created", &number.to_string());
    }
    bus.emit("note", "x");
    let heard = notes.heard().await;
    assert_eq!(heard.len(), 200);
    let expected: Vec<_> = (0..100)
        .map(|number| format!("note.created {number}"))
        .collect();
    let heard = all.heard().await;
    assert_eq!(heard[..100], expected);
    assert_eq!(heard[100], "note x");
    assert!(bus.events.has_listeners(None, "note").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_before_a_plugin_serves_or_after_it_is_withdrawn() {
    let bus = Bus::new();
    let plugin = bus.plugin("late", Limits::default());
    plugin.observe("a");
    bus.emit("a", "1");
    assert!(!bus.events.has_listeners(None, "a").unwrap());
    plugin.serve();
    bus.emit("a", "2");
    bus.events.withdraw(&plugin.mailbox);
    bus.emit("a", "3");
    assert_eq!(plugin.heard().await, ["a 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_hears_its_own_once_unless_it_says_otherwise() {
    let bus = Bus::new();
    let plugin = bus.serving("own");
    plugin.observe("a");
    let deaf: Handle = Box::new(|_, _| panic!("heard its own"));
    plugin.subscribe("a", Mode::Observe, |spec| spec.not_own = true, deaf);
    let message = Message::json("a", b"1");
    bus.events.emit(plugin.emitter(), &message).unwrap();
    assert_eq!(plugin.heard().await, ["a 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_it_was_ready_comes_first_and_once() {
    let bus = Bus::new();
    let plugin = bus.plugin("late", Limits::default());
    let send = |number: u32| {
        let payload = number.to_string();
        let message = Message::json("to", payload.as_bytes());
        bus.events.emit_to(Emitter::host(), "late", &message)
    };
    assert_eq!(send(0).unwrap_err().code, "no-such-plugin");
    bus.events.expect(&plugin.mailbox.context.name);
    let heard = plugin.heard.clone();
    let handle: Handle = Box::new(move |_, event| {
        heard.lock().unwrap().push(words(event));
        Ok(())
    });
    let room = |spec: &mut Subscription| spec.queue_max = 2 * targets::WAITING_MAX;
    plugin.subscribe("to", Mode::Observe, room, handle);
    for number in 0..targets::WAITING_MAX as u32 {
        assert_eq!(send(number), Ok(Sent::Waits));
    }
    assert_eq!(send(0).unwrap_err().status, Status::BUSY);
    plugin.serve();
    assert_eq!(send(targets::WAITING_MAX as u32), Ok(Sent::Queued(1)));
    let expected: Vec<_> = (0..=targets::WAITING_MAX)
        .map(|number| format!("to {number}"))
        .collect();
    assert_eq!(plugin.heard().await, expected);
    let other = Message::json("other", b"1");
    let sent = bus.events.emit_to(Emitter::host(), "late", &other);
    assert_eq!(sent, Ok(Sent::Queued(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_wait_for_a_plugin_are_bounded_too() {
    let bus = Bus::new();
    let plugin = bus.plugin("late", Limits::default());
    bus.events.expect(&plugin.mailbox.context.name);
    let largest = vec![b'1'; event::PAYLOAD_BYTES_MAX];
    let message = Message::json("to", &largest);
    let send = || bus.events.emit_to(Emitter::host(), "late", &message);
    let fit = targets::WAITING_BYTES_MAX / event::PAYLOAD_BYTES_MAX;
    for _ in 0..fit {
        assert_eq!(send(), Ok(Sent::Waits));
    }
    let refused = send().unwrap_err();
    assert_eq!(refused.status, Status::BUSY);
    assert!(
        refused.message.contains("67108864 bytes"),
        "{}",
        refused.message
    );
    plugin.observe("to");
    plugin.serve();
    assert_eq!(plugin.heard().await.len(), fit);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_plugin_that_fails_is_dropped() {
    let bus = Bus::new();
    let name = PluginName::parse("late").unwrap();
    bus.events.expect(&name);
    let message = Message::json("to", b"1");
    bus.events
        .emit_to(Emitter::host(), "late", &message)
        .unwrap();
    bus.events.forget(&name);
    let again = bus.events.emit_to(Emitter::host(), "late", &message);
    assert_eq!(again.unwrap_err().code, "no-such-plugin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_drops_the_newest_and_tells_how_many() {
    let bus = Bus::new();
    let plugin = bus.serving("slow");
    let (go_on, wait) = mpsc::channel::<()>();
    let (wait, heard) = (Mutex::new(wait), plugin.heard.clone());
    let handle: Handle = Box::new(move |_, event| {
        let _ = wait.lock().unwrap().recv();
        heard
            .lock()
            .unwrap()
            .push(format!("{} lost {}", words(event), event.lost));
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |spec| spec.queue_max = 2, handle);
    bus.emit("a", "0");
    // The first is with its handler, or waits as well.
    while plugin.mailbox.status()[0].queued > 0 {
        tokio::task::yield_now().await;
    }
    for number in 1..=5 {
        bus.emit("a", &number.to_string());
    }
    assert_eq!(plugin.mailbox.status()[0].lost, 3);
    let full = bus
        .events
        .emit_to(Emitter::host(), "slow", &Message::json("a", b"6"));
    assert_eq!(full.unwrap_err().status, Status::BUSY);
    for _ in 0..3 {
        go_on.send(()).unwrap();
    }
    assert_eq!(
        plugin.heard().await,
        ["a 0 lost 0", "a 1 lost 0", "a 2 lost 0"]
    );
    bus.emit("a", "7");
    go_on.send(()).unwrap();
    assert_eq!(plugin.heard().await, ["a 7 lost 4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_wait_are_bounded_too() {
    let bus = Bus::new();
    let limits = Limits {
        events_bytes_max: 100,
        pool_threads_max: 1,
        ..Limits::default()
    };
    let plugin = bus.plugin("slow", limits);
    plugin.serve();
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let handle: Handle = Box::new(move |_, _| {
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |_| {}, handle);
    bus.emit("a", "0");
    while plugin.mailbox.status()[0].queued > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        bus.emit("a", &"9".repeat(50));
    }
    assert_eq!(
        (
            plugin.mailbox.status()[0].queued,
            plugin.mailbox.status()[0].lost
        ),
        (2, 1)
    );
    drop(go_on);
    plugin.heard().await;
    bus.emit("a", &"9".repeat(50));
    assert_eq!(plugin.mailbox.status()[0].lost, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_cause_each_other_end_at_the_eighth() {
    let bus = Bus::new();
    let plugin = bus.serving("loop");
    let (events, context) = (bus.events.clone(), plugin.mailbox.context.clone());
    let heard = plugin.heard.clone();
    let handle: Handle = Box::new(move |cause, _| {
        let by = Emitter {
            plugin: Some(context.clone()),
            origin: crate::services::cause::Causes::of_process().origin(&context, cause),
        };
        let emitted = events.emit(by, &Message::json("a", b"1"));
        heard.lock().unwrap().push(format!("{emitted:?}"));
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |_| {}, handle);
    bus.emit("a", "1");
    let mut heard = plugin.heard().await;
    assert_eq!(heard.len(), 8);
    assert!(heard.pop().unwrap().contains("event-depth"));
    assert!(heard.iter().all(|emitted| emitted == "Ok(())"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_listener_of_the_log_says_of_no_cause_is_not_told() {
    let bus = Bus::new();
    let plugin = bus.serving("logs");
    let (events, context) = (bus.events.clone(), plugin.mailbox.context.clone());
    let heard = plugin.heard.clone();
    let log = move || {
        let line = Line {
            plugin: Some(&context.name),
            generation: Some(context.generation),
            injected: false,
            request_id: None,
            level: tracing::Level::INFO,
            message: "a line",
            fields: Default::default(),
        };
        host_events::logged(&events, &Origin::default(), &line);
    };
    let again = log.clone();
    let handle: Handle = Box::new(move |_, event| {
        heard.lock().unwrap().push(event.event.name.to_string());
        again();
        Ok(())
    });
    plugin.subscribe("core.log", Mode::Observe, |_| {}, handle);
    log();
    assert_eq!(plugin.heard().await, ["core.log"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ended_hears_nothing_and_is_dropped_at_once() {
    let bus = Bus::new();
    let plugin = bus.serving("ends");
    let held = Arc::new(());
    let kept = held.clone();
    let handle: Handle = Box::new(move |_, _| {
        let _kept = &kept;
        Ok(())
    });
    let id = plugin.subscribe("a", Mode::Observe, |_| {}, handle);
    bus.emit("a", "1");
    plugin.mailbox.idle().await;
    bus.events.unsubscribe(&plugin.mailbox, id).unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(!bus.events.has_listeners(None, "a").unwrap());
    let again = bus.events.unsubscribe(&plugin.mailbox, id);
    assert_eq!(again.unwrap_err().status, Status::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_refused() {
    let bus = Bus::new();
    let plugin = bus.serving("bad");
    let emit = |by: Emitter, name: &str, payload: &[u8]| {
        bus.events.emit(by, &Message::json(name, payload))
    };
    for name in ["", "a..b", "a.*", ">", "ä", "a b"] {
        let refused = emit(Emitter::host(), name, b"1").unwrap_err();
        assert_eq!(refused.status, Status::INVALID, "{name}");
    }
    let large = vec![b'1'; event::PAYLOAD_BYTES_MAX + 1];
    let refused = emit(Emitter::host(), "a", &large).unwrap_err();
    assert_eq!(refused.status, Status::TOO_LARGE);
    for name in ["core", "core.log", "core.email.validate"] {
        let refused = emit(plugin.emitter(), name, b"1").unwrap_err();
        assert_eq!(refused.code, "reserved-event", "{name}");
        emit(Emitter::host(), name, b"1").unwrap();
    }
    emit(plugin.emitter(), "cores.a", b"1").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_names_hold_for_both_sides() {
    let name = |text| EventName::parse(text).unwrap();
    let mut aliases = Aliases::default();
    aliases.extend([(name("old"), name("new"))].into());
    aliases.extend_of("mine", [(name("saved"), name("core.saved"))].into());
    let bus = Bus::aliased(aliases);
    let plugin = bus.serving("hears");
    plugin.observe("old");
    bus.emit("new", "1");
    bus.emit("old", "2");
    assert_eq!(plugin.heard().await, ["new 1", "new 2"]);
    let mine = bus.serving("mine");
    let refused = bus
        .events
        .emit(mine.emitter(), &Message::json("saved", b"1"));
    assert_eq!(refused.unwrap_err().code, "reserved-event");
    mine.observe("saved");
    bus.emit("core.saved", "3");
    bus.emit("saved", "4");
    assert_eq!(mine.heard().await, ["core.saved 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_hears_do_not_pile_up() {
    let bus = Bus::new();
    for number in 0..2 * NAMES_MAX {
        bus.emit(&format!("name.{number}"), "1");
    }
    assert!(bus.events.known.pin().len() <= NAMES_MAX);
}
