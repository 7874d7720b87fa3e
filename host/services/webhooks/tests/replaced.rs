//! Endpoints that are replaced while messages come.

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_endpoints_are_replaced_is_delivered_or_told_of() {
    let receiver = Receiver::always(200).await;
    let one = vec![endpoint(&receiver)];
    let both = vec![endpoint(&receiver), endpoint(&receiver).named("b")];
    let data = tempfile::tempdir().unwrap();
    let webhooks = open(data.path(), one.clone(), settings());
    let accepting = webhooks.clone();
    let accepted = tokio::task::spawn_blocking(move || {
        (0..300).for_each(|_| accepting.accept(vec![message("a")]).unwrap());
    });
    while !accepted.is_finished() {
        for endpoints in [&both, &one] {
            let replaced = webhooks.reconfigure(endpoints.clone(), settings());
            replaced.await.unwrap();
        }
    }
    accepted.await.unwrap();
    let has_ended = |it: &DeliveryStatus| match &*it.endpoint {
        "a" => it.state == "done",
        // Queued while it was there; nobody waits for it for ever.
        _ => ["done", "dead"].contains(&it.state),
    };
    until("ended", || all(&webhooks).iter().all(has_ended)).await;
    let deliveries = all(&webhooks);
    let to_a = deliveries.iter().filter(|it| it.endpoint == "a").count();
    assert_eq!(to_a, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_delivered_after_the_end_whatever_is_replaced() {
    let receiver = Receiver::always(200).await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    webhooks.shutdown(PATIENCE).await;
    let other = vec![endpoint(&receiver).events(["a"])];
    webhooks.reconfigure(other, settings()).await.unwrap();
    assert!(webhooks.dispatcher().is_none());
    webhooks.accept(vec![message("a")]).unwrap();
    assert_eq!(all(&webhooks)[0].state, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_cannot_be_replaced_go_on_where_an_attempt_was_broken_off() {
    let receiver = Receiver::new(|number, _| match number {
        0 => Reply::Silence,
        _ => Reply::status(200),
    })
    .await;
    let (data, webhooks) = begin(endpoint(&receiver).fifo(true), settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until("sent", || receiver.received().len() == 1).await;
    webhooks.pause(Duration::ZERO).await;
    // What cannot be opened leaves the file that is open.
    let file = data.path().join(FILE);
    std::fs::rename(&file, data.path().join("beside")).unwrap();
    std::fs::create_dir(&file).unwrap();
    let other = vec![endpoint(&receiver)];
    let refused = webhooks.reconfigure(other, settings()).await;
    assert_eq!(refused.unwrap_err().code(), "webhooks-file");
    until_all(&webhooks, "done").await;
}
