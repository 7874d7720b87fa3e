//! What operators see and do.

use std::sync::atomic::{AtomicBool, Ordering};

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_replayed_with_its_id() {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = mended.clone();
    let receiver = Receiver::new(move |_, _| {
        let good = is_mended.load(Ordering::SeqCst);
        Reply::Whole(if good { 200 } else { 400 }, "", "no such hook".to_owned())
    })
    .await;
    let (_data, webhooks) = begin(endpoint(&receiver), settings());
    let (one, two) = (message("a"), message("b"));
    webhooks.accept(vec![one.clone(), two.clone()]).unwrap();
    until_all(&webhooks, "dead").await;
    let dead = &all(&webhooks)[0];
    assert_eq!(dead.reason.as_deref(), Some("attempt 8 was the last: 400"));
    assert_eq!(dead.attempts.len(), 8);
    assert_eq!(dead.attempts[7].answer, "no such hook");

    mended.store(true, Ordering::SeqCst);
    assert_eq!(webhooks.replay_message(&one.id).unwrap(), 1);
    until("done", || all(&webhooks)[1].state == "done").await;
    assert_eq!(all(&webhooks)[0].state, "dead");
    let delivery = &all(&webhooks)[1];
    assert_eq!(delivery.attempts.len(), 9);
    assert_eq!(delivery.reason, None);
    assert_eq!(receiver.ids().iter().filter(|id| **id == one.id).count(), 9);
    assert_eq!(webhooks.replay_endpoint("a").unwrap(), 1);
    until_all(&webhooks, "done").await;

    for id in [one.id.as_str(), "msg_unknown"] {
        assert_eq!(
            webhooks.replay_message(id).unwrap_err().code,
            "no-dead-letter"
        );
    }
    assert_eq!(
        webhooks.replay_endpoint("b").unwrap_err().code,
        "no-such-endpoint"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_filtered_and_newest_first() {
    let receiver = Receiver::always(200).await;
    let data = tempfile::tempdir().unwrap();
    let endpoints = vec![
        endpoint(&receiver),
        endpoint(&receiver).named("b").events(["b"]),
    ];
    let webhooks = open(data.path(), endpoints, settings());
    let messages = ["a", "b", "c"].map(message);
    webhooks.accept(messages.to_vec()).unwrap();
    until_all(&webhooks, "done").await;
    let list = |query: DeliveryQuery| {
        let deliveries = webhooks.deliveries(query).unwrap();
        let events = deliveries
            .into_iter()
            .map(|one| one.endpoint + &one.event_type);
        events.collect::<Vec<_>>().join(" ")
    };
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(list(DeliveryQuery::default()), "ac bb ab aa");
    let query = DeliveryQuery {
        endpoint: of("b"),
        ..DeliveryQuery::default()
    };
    assert_eq!(list(query), "bb");
    let query = DeliveryQuery {
        n: Some(2),
        state: of("done"),
        ..DeliveryQuery::default()
    };
    assert_eq!(list(query), "ac bb");
    let query = DeliveryQuery {
        state: of("dead"),
        ..DeliveryQuery::default()
    };
    assert_eq!(list(query), "");
    let query = DeliveryQuery {
        plugin: of("other"),
        ..DeliveryQuery::default()
    };
    assert_eq!(list(query), "");
    let query = DeliveryQuery {
        state: of("x"),
        ..DeliveryQuery::default()
    };
    assert_eq!(webhooks.deliveries(query).unwrap_err().code, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_output() {
    let receiver = Receiver::always(500).await;
    let url = format!("{}?token=hidden", receiver.url());
    let endpoint = Endpoint::new(&url)
        .named("a")
        .secret(SECRET)
        .allow("127.0.0.1");
    let (_data, webhooks) = begin(endpoint, settings());
    webhooks.accept(vec![message("a")]).unwrap();
    until_all(&webhooks, "dead").await;
    let shown = format!(
        "{} {} {webhooks:?}",
        serde_json::to_string(&webhooks.endpoints().unwrap()).unwrap(),
        serde_json::to_string(&all(&webhooks)).unwrap(),
    );
    assert!(shown.contains("/..."), "{shown}");
    assert!(
        !shown.contains("hidden") && !shown.contains("C2FV"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_sent_once_and_told() {
    let receiver = Receiver::new(|_, _| Reply::Whole(404, "", "nobody".to_owned())).await;
    let trial = send_once(endpoint(&receiver), &settings(), "test", b"{}".to_vec()).await;
    let trial = trial.unwrap();
    assert!(!trial.is_delivered());
    assert_eq!((trial.status, trial.answer.as_str()), (Some(404), "nobody"));
    let received = &receiver.received()[0];
    for (name, value) in &trial.headers {
        assert_eq!(received.headers[*name], *value);
    }
    let refused = Endpoint::new(&receiver.url()).secret(SECRET);
    let error = send_once(refused, &settings(), "test", Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "address-refused");
    let error = send_once(endpoint(&receiver), &settings(), "", Vec::new()).await;
    assert_eq!(error.unwrap_err().code(), "bad-message");
}
