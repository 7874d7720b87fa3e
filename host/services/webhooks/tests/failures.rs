//! Receivers that fail, misbehave, or are where they may not be.

use super::receiver::Reply;
use super::*;
use crate::clock::Clock;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_410_disables_the_endpoint_until_it_is_enabled() {
    let receiver =
        Receiver::new(|number, _| Reply::status(if number == 1 { 410 } else { 200 })).await;
    let data = tempfile::tempdir().unwrap();
    let fifo = || endpoint(&receiver).fifo(true);
    let webhooks = open(data.path(), vec![fifo()], settings());
    let messages: Vec<_> = (0..3).map(|_| message("note.created")).collect();
    webhooks.accept(messages).unwrap();
    until_all(&webhooks, "dead").await;
    assert_eq!(receiver.received().len(), 1);
    assert!(!webhooks.wants("notes", "note.created"));
    let status = &webhooks.endpoints().unwrap()[0];
    assert_eq!((status.state, status.dead), ("disabled", 3));
    assert!(status.reason.as_ref().unwrap().contains("410"));
    let error = webhooks.replay_endpoint("a").unwrap_err();
    assert_eq!(error.code, "endpoint-off");

    // It is remembered, until its configuration changes or somebody enables it.
    drop(webhooks);
    let webhooks = open(data.path(), vec![fifo()], settings());
    assert_eq!(webhooks.endpoints().unwrap()[0].state, "disabled");
    drop(webhooks);
    let webhooks = open(data.path(), vec![fifo().events(["note.*"])], settings());
    assert_eq!(webhooks.endpoints().unwrap()[0].state, "on");
    webhooks.enable("a").unwrap();
    assert_eq!(webhooks.replay_endpoint("a").unwrap(), 3);
    until_all(&webhooks, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enabled_endpoint_is_sent_to_again() {
    let receiver =
        Receiver::new(|number, _| Reply::status(if number == 1 { 410 } else { 200 })).await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "dead").await;
    webhooks.enable("a").unwrap();
    assert!(webhooks.wants("notes", "a"));
    webhooks.accept(vec![message("a")]).unwrap();
    until("done", || all(&webhooks)[0].state == "done").await;
    assert_eq!(webhooks.enable("b").unwrap_err().code, "no-such-endpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pause_that_a_receiver_asks_for_is_kept() {
    let receiver = Receiver::new(|number, _| match number {
        1 => Reply::Whole(429, "retry-after: 3600\r\n", String::new()),
        _ => Reply::status(200),
    })
    .await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until("tried", || all(&webhooks)[0].attempts.len() == 1).await;
    let delivery = &all(&webhooks)[0];
    let attempt = &delivery.attempts[0];
    assert_eq!((delivery.state, attempt.status), ("pending", Some(429)));
    let pause = delivery.due_ms.unwrap() - attempt.started_ms - attempt.took_ms;
    assert_eq!(pause, 3_600_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_count_from_the_end_of_an_attempt_however_far_the_clock_is_moved_meanwhile() {
    const HOUR: Duration = Duration::from_secs(3600);
    let clock = Clock::movable();
    let moved = clock.clone();
    let receiver = Receiver::new(move |number, _| {
        moved.advance(HOUR);
        Reply::status(if number == 1 { 500 } else { 200 })
    })
    .await;
    let settings = WebhookSettings {
        retries: vec![HOUR],
        jitter: 0.0,
        breaker_failures: 1,
        breaker_pause: HOUR,
        breaker_pause_max: HOUR,
        clock,
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint(&receiver), settings);
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "done").await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_failure_and_not_followed() {
    let target = Receiver::always(200).await;
    let location: &'static str = format!("location: {}\r\n", target.url()).leak();
    let receiver = Receiver::new(move |_, _| Reply::Whole(307, location, String::new())).await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "dead").await;
    assert_eq!(target.connects(), 0);
    let delivery = &all(&webhooks)[0];
    assert_eq!(delivery.attempts.len(), 8);
    let reason = delivery.reason.as_ref().unwrap();
    assert_eq!(
        reason,
        "attempt 8 was the last: 307, which is not followed; change the URL"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_end_are_cut() {
    for (reply, cut) in [(Reply::Endless, false), (Reply::Drip, true)] {
        let receiver = Receiver::new(move |_, _| reply.clone()).await;
        let settings = WebhookSettings {
            deadline: Duration::from_secs(if cut { 1 } else { 3600 }),
            ..settings()
        };
        let (_data, webhooks) = begin(endpoint(&receiver), settings);
        webhooks.accept(vec![message("a")]).unwrap();
        until_all(&webhooks, "done").await;
        let attempt = all(&webhooks)[0].attempts[0].clone();
        assert_eq!(attempt.status, Some(200));
        assert_eq!(attempt.error.is_some(), cut, "{attempt:?}");
        assert!(attempt.answer.len() <= 4096);
        assert!(cut || attempt.answer.len() == 4096);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_closed_connections_are_retried() {
    let receiver = Receiver::new(|number, _| match number {
        1 => Reply::Silence,
        2 => Reply::Close,
        _ => Reply::status(200),
    })
    .await;
    let settings = WebhookSettings {
        deadline: Duration::from_millis(500),
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint(&receiver), settings);
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "done").await;
    let attempts = all(&webhooks)[0].attempts.clone();
    assert_eq!(
        attempts[0].error.as_deref(),
        Some("no whole answer within 500 ms")
    );
    assert!(attempts[1].error.is_some());
    assert_eq!(attempts[2].number, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_is_never_connected_to() {
    let receiver = Receiver::always(200).await;
    // A name goes through the resolver; an address was refused when the
    // endpoint was opened.
    let url = format!("http://localhost:{}/", receiver.address.port());
    let (_data, webhooks) = begin(Endpoint::new(&url).secret(SECRET), settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "dead").await;
    assert_eq!(receiver.connects(), 0);
    let delivery = &all(&webhooks)[0];
    for attempt in &delivery.attempts {
        let error = attempt.error.as_ref().unwrap();
        assert!(
            error.starts_with("localhost is refused: the address "),
            "{error}"
        );
        assert!(
            error.contains("loopback") && error.contains("allow = ["),
            "{error}"
        );
    }

    let allowed = Endpoint::new(&url).secret(SECRET).allow("127.0.0.1");
    let (_data, webhooks) = begin(allowed, settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "done").await;
    assert_eq!(receiver.connects(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_counts_no_attempts() {
    let receiver = Receiver::always(500).await;
    let settings = WebhookSettings {
        retries: vec![Duration::from_millis(5); 100],
        breaker_failures: 10,
        breaker_pause: Duration::from_secs(3600),
        breaker_pause_max: Duration::from_secs(3600),
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint(&receiver).fifo(true), settings);
    webhooks
        .accept((0..5).map(|_| message("a")).collect())
        .unwrap();
    let status = || webhooks.endpoints().unwrap()[0].clone();
    until("open", || status().breaker == "open").await;
    until("written", || {
        let attempts = all(&webhooks);
        attempts.iter().map(|it| it.attempts.len()).sum::<usize>() == 10
    })
    .await;
    let status = status();
    assert_eq!(
        (status.failures, status.pending, status.in_flight),
        (10, 5, 0)
    );
    assert_eq!(receiver.received().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_closes_when_the_receiver_is_back() {
    let receiver =
        Receiver::new(|number, _| Reply::status(if number <= 15 { 503 } else { 200 })).await;
    let settings = WebhookSettings {
        retries: vec![Duration::from_millis(5); 100],
        breaker_failures: 3,
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint(&receiver), settings);
    webhooks
        .accept((0..30).map(|_| message("a")).collect())
        .unwrap();
    until_all(&webhooks, "done").await;
    let status = webhooks.endpoints().unwrap()[0].clone();
    assert_eq!(
        (status.breaker, status.failures, status.done),
        ("closed", 0, 30)
    );
}
