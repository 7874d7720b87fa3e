//! What handlers may do: take their time, answer later, fail.

use std::sync::mpsc;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn one_that_blocks_holds_up_no_other_of_its_plugin() {
    let bus = Bus::new();
    let plugin = bus.serving("two");
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let handle: Handle = Box::new(move |_, _| {
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |_| {}, handle);
    plugin.observe("a");
    bus.emit("a", "1");
    while plugin.heard.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(go_on);
    assert_eq!(plugin.heard().await, ["a 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_slow_lets_others_have_its_thread_between_events() {
    let bus = Bus::new();
    let limits = Limits {
        pool_threads_max: 1,
        ..Limits::default()
    };
    let plugin = bus.plugin("slow", limits);
    plugin.serve();
    let (entered, enters) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let gate = Mutex::new((entered, wait));
    let heard = plugin.heard.clone();
    let handle: Handle = Box::new(move |_, event| {
        let gate = gate.lock().unwrap();
        let _ = gate.0.send(());
        let _ = gate.1.recv();
        heard.lock().unwrap().push(words(event));
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |_| {}, handle);
    bus.emit("a", "0");
    enters.recv().unwrap();
    (1..4).for_each(|number| bus.emit("a", &number.to_string()));
    go_on.send(()).unwrap();
    // It has taken the three that wait, and is with the first.
    enters.recv().unwrap();
    let timer = plugin.heard.clone();
    let fire = |heard: &mut Arc<Mutex<Vec<String>>>| heard.lock().unwrap().push("timer".into());
    let lent = plugin
        .mailbox
        .pool
        .lend(std::future::pending(), timer, fire);
    // The timer waits before the handler goes on.
    tokio::join!(biased; lent, async { drop(go_on) });
    let expected = ["a 0", "a 1", "timer", "a 2", "a 3"];
    assert_eq!(plugin.heard().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_hears_the_next_after_it_has() {
    let bus = Bus::new();
    let plugin = bus.serving("later");
    let (heard, context) = (plugin.heard.clone(), plugin.mailbox.context.clone());
    let under_way = Arc::new(AtomicBool::new(false));
    let handle: Handle = Box::new(move |cause, event| {
        assert!(!under_way.swap(true, Ordering::SeqCst), "two at a time");
        let event = words(event);
        let (heard, context, under_way) = (heard.clone(), context.clone(), under_way.clone());
        std::thread::spawn(move || {
            heard.lock().unwrap().push(event);
            under_way.store(false, Ordering::SeqCst);
            answer(&context, cause, Ok(Verdict::Pass)).unwrap();
            let again = answer(&context, cause, Ok(Verdict::Pass));
            assert_eq!(again.unwrap_err().status, Status::GONE);
        });
        Ok(())
    });
    let answers = |spec: &mut Subscription| {
        spec.answers = true;
        spec.inline = true;
    };
    plugin.subscribe("a", Mode::Observe, answers, handle);
    for number in 0..50 {
        bus.emit("a", &number.to_string());
    }
    let expected: Vec<_> = (0..50).map(|number| format!("a {number}")).collect();
    assert_eq!(plugin.heard().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_goes_on_in_a_task_that_overstays_leaves_the_runtime() {
    let bus = Bus::new();
    let plugin = bus.serving("hogs");
    let (context, pool) = (plugin.mailbox.context.clone(), plugin.mailbox.pool.clone());
    let tasks = Arc::new(Tasks::new(Runtime::current(), context.clone(), pool));
    let heard = plugin.heard.clone();
    let handle: Handle = Box::new(move |cause, _| {
        let (heard, context) = (heard.clone(), context.clone());
        let spec = TaskSpec::new(
            Causes::of_process().find(&context, cause).as_ref(),
            "".into(),
        );
        let mut polls = 0;
        let poll = move |task| {
            polls += 1;
            let inline = crate::services::watchdog::is_inline();
            heard.lock().unwrap().push(format!("{polls} {inline}"));
            // As the watchdog does when it sees a poll twice.
            crate::services::overstayed(task);
            match Causes::of_process().find(&context, task) {
                Some(Cause::Task(task)) => task.wake(),
                other => panic!("{other:?}"),
            }
            if polls == 2 {
                answer(&context, cause, Ok(Verdict::Pass)).unwrap();
            }
            polls == 2
        };
        tasks.spawn(spec, drop, Box::new(poll))
    });
    let spec = |spec: &mut Subscription| {
        spec.inline = true;
        spec.answers = true;
    };
    plugin.subscribe("a", Mode::Observe, spec, handle);
    bus.emit("a", "1");
    assert_eq!(plugin.heard().await, ["1 true", "2 false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_later_is_counted() {
    let bus = Bus::new();
    let plugin = bus.serving("fails");
    let context = plugin.mailbox.context.clone();
    let handle: Handle = Box::new(move |cause, _| {
        let replace = answer(&context, cause, Ok(Verdict::Replace(Box::default())));
        assert_eq!(replace.unwrap_err().status, Status::INVALID);
        let context = context.clone();
        std::thread::spawn(move || answer(&context, cause, Err(failure())).unwrap());
        Ok(())
    });
    plugin.subscribe("a", Mode::Observe, |spec| spec.answers = true, handle);
    bus.emit("a", "1");
    plugin.mailbox.idle().await;
    assert_eq!(plugin.mailbox.context.faults.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_answers_is_given_up_at_its_deadline() {
    let bus = Bus::new();
    let plugin = bus.serving("never");
    let answers = |spec: &mut Subscription| {
        spec.answers = true;
        spec.deadline = Some(Duration::from_millis(1));
    };
    plugin.subscribe("a", Mode::Observe, answers, Box::new(|_, _| Ok(())));
    bus.emit("a", "1");
    bus.emit("a", "2");
    plugin.mailbox.idle().await;
    assert_eq!(plugin.mailbox.context.faults.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_is_counted_and_hears_the_next() {
    let bus = Bus::new();
    let plugin = bus.serving("bad");
    plugin.subscribe("a", Mode::Observe, |_| {}, Box::new(|_, _| Err(failure())));
    bus.emit("a", "1");
    bus.emit("a", "2");
    plugin.mailbox.idle().await;
    assert_eq!(plugin.mailbox.context.faults.load(Ordering::Relaxed), 2);
}
