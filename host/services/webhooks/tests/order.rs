//! How many at a time, in which order, and how fast.

use std::time::Instant;

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn fifo_keeps_the_order_over_failures_and_restarts() {
    let receiver =
        Receiver::new(|number, _| Reply::status(if number % 3 == 0 { 200 } else { 500 })).await;
    let data = tempfile::tempdir().unwrap();
    let short = WebhookSettings {
        deadline: Duration::from_secs(3),
        ..settings()
    };
    let fifo = || vec![endpoint(&receiver).fifo(true)];
    let messages: Vec<_> = (0..30).map(|_| message("a")).collect();
    let webhooks = open(data.path(), fifo(), short.clone());
    webhooks.accept(messages.clone()).unwrap();
    until("some", || receiver.received().len() > 20).await;
    assert_eq!(receiver.peak(), 1);
    drop(webhooks);
    let webhooks = open(data.path(), fifo(), short);
    until_all(&webhooks, "done").await;
    let mut ids = receiver.ids();
    ids.dedup();
    let sent: Vec<_> = messages.into_iter().map(|message| message.id).collect();
    assert_eq!(ids, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_four_at_a_time_to_one_endpoint() {
    let receiver = Receiver::always(200).await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    webhooks
        .accept((0..200).map(|_| message("a")).collect())
        .unwrap();
    until_all(&webhooks, "done").await;
    assert!(receiver.peak() <= 4, "{}", receiver.peak());
    assert_eq!(receiver.received().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_endpoint_holds_up_no_other() {
    let (stuck, good) = (
        Receiver::new(|_, _| Reply::Silence).await,
        Receiver::always(200).await,
    );
    let data = tempfile::tempdir().unwrap();
    let endpoints = vec![endpoint(&stuck).named("stuck"), endpoint(&good)];
    let few = WebhookSettings {
        in_flight_max: 8,
        deadline: Duration::from_secs(3600),
        ..settings()
    };
    let webhooks = open(data.path(), endpoints, few);
    webhooks
        .accept((0..50).map(|_| message("a")).collect())
        .unwrap();
    until("delivered", || good.received().len() == 50).await;
    // A quarter of the eight.
    assert_eq!(stuck.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept() {
    let receiver = Receiver::always(200).await;
    let (_data, webhooks) = begin(endpoint(&receiver).rate_per_second(20.0), settings());
    let started = Instant::now();
    webhooks
        .accept((0..30).map(|_| message("a")).collect())
        .unwrap();
    until_all(&webhooks, "done").await;
    // The bucket holds the first twenty; a slow machine only takes longer.
    assert!(started.elapsed() >= Duration::from_millis(450));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_off_is_sent_nothing() {
    let receiver = Receiver::new(|_, _| Reply::Silence).await;
    let data = tempfile::tempdir().unwrap();
    let short = WebhookSettings {
        deadline: Duration::from_millis(200),
        ..settings()
    };
    let webhooks = open(data.path(), vec![endpoint(&receiver)], short.clone());
    webhooks.accept(vec![message("a")]).unwrap();
    until("under way", || receiver.connects() == 1).await;
    webhooks.shutdown(Duration::ZERO).await;
    let webhooks = open(
        data.path(),
        vec![endpoint(&receiver).enabled(false)],
        short.clone(),
    );
    assert_eq!(webhooks.endpoints().unwrap()[0].state, "off");
    assert_eq!(webhooks.enable("a").unwrap_err().code, "endpoint-off");
    assert_eq!(all(&webhooks)[0].state, "pending");
    drop(webhooks);
    let webhooks = open(data.path(), vec![endpoint(&receiver)], short);
    until("again", || receiver.connects() > 1).await;
    drop(webhooks);
}
