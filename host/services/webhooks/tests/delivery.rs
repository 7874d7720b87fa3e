//! What is queued arrives, signed, once, and over restarts.

use crate::config::Secret;
use standardwebhooks::Webhook;

use super::receiver::Reply;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_signed() {
    let receiver = Receiver::new(|_, _| Reply::Whole(202, "", "thanks".to_owned())).await;
    let second = Secret::generate().unwrap().reveal();
    let (_data, webhooks) = begin(endpoint(&receiver).secret(&second), settings());
    let sent = message("note.created");
    webhooks.accept(vec![sent.clone()]).unwrap();
    until_all(&webhooks, "done").await;

    let received = &receiver.received()[0];
    assert_eq!(received.body, sent.payload);
    assert_eq!(received.id(), sent.id);
    assert_eq!(received.headers["content-type"], "application/json");
    for secret in [SECRET, &second] {
        let verifier = Webhook::new(secret).unwrap();
        verifier.verify(&received.body, &received.headers).unwrap();
    }
    let delivery = &all(&webhooks)[0];
    assert_eq!((&*delivery.id, &*delivery.endpoint), (&*sent.id, "a"));
    let attempt = &delivery.attempts[0];
    assert_eq!((attempt.number, attempt.status), (1, Some(202)));
    assert_eq!(attempt.answer, "thanks");
    assert_eq!(attempt.error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_to_those_who_want_it_and_is_accepted_once() {
    let (one, two) = (Receiver::always(200).await, Receiver::always(200).await);
    let data = tempfile::tempdir().unwrap();
    let endpoints = vec![
        endpoint(&one).events(["note.*"]),
        endpoint(&two).named("b").plugins(["notes"]),
        endpoint(&two).named("off").enabled(false),
    ];
    let webhooks = open(data.path(), endpoints, settings());
    assert!(webhooks.wants("notes", "user.created"));
    assert!(webhooks.wants("other", "note.created"));
    assert!(!webhooks.wants("other", "user.created"));
    let (note, user) = (message("note.created"), message("user.created"));
    let unwanted = OutboxMessage {
        plugin: "other".to_owned(),
        ..message("user.created")
    };
    for _ in 0..3 {
        let batch = vec![note.clone(), user.clone(), unwanted.clone()];
        webhooks.accept(batch).unwrap();
    }
    until_all(&webhooks, "done").await;
    webhooks.accept(vec![note.clone()]).unwrap();
    until_all(&webhooks, "done").await;
    assert_eq!(all(&webhooks).len(), 3);
    assert_eq!(one.ids().join(" "), note.id);
    let mut both = two.ids();
    both.sort();
    let mut expected = [note.id, user.id];
    expected.sort();
    assert_eq!(both, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_down_gets_all() {
    let receiver = Receiver::always(200).await;
    let address = receiver.address;
    let endpoint = endpoint(&receiver);
    drop(receiver);
    let settings = WebhookSettings {
        retries: vec![Duration::from_millis(5); 100_000],
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint, settings);
    let messages: Vec<_> = (0..20).map(|_| message("note.created")).collect();
    webhooks.accept(messages.clone()).unwrap();
    let failed = || all(&webhooks).iter().all(|one| one.attempts.len() > 2);
    until("failed", failed).await;
    let attempt = all(&webhooks)[0].attempts[0].clone();
    assert!(attempt.error.unwrap().contains("onnect"));

    let receiver = Receiver::at(address, |_, _| Reply::status(200)).await;
    until_all(&webhooks, "done").await;
    let mut ids = receiver.ids();
    ids.sort();
    assert_eq!(
        ids,
        messages.iter().map(|it| it.id.clone()).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_host_is_killed() {
    // Silent at first, so that attempts are under way when it ends.
    let receiver = Receiver::new(|number, _| match number {
        1..=8 => Reply::Silence,
        _ => Reply::status(200),
    })
    .await;
    let data = tempfile::tempdir().unwrap();
    let short = WebhookSettings {
        deadline: Duration::from_millis(500),
        ..settings()
    };
    let messages: Vec<_> = (0..50).map(|_| message("note.created")).collect();
    let webhooks = open(data.path(), vec![endpoint(&receiver)], short.clone());
    webhooks.accept(messages.clone()).unwrap();
    until("under way", || !receiver.received().is_empty()).await;
    drop(webhooks);

    let webhooks = open(data.path(), vec![endpoint(&receiver)], short);
    until_all(&webhooks, "done").await;
    for message in &messages {
        assert!(receiver.ids().contains(&message.id));
    }
    assert_eq!(all(&webhooks).len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_waits_for_attempts_and_leaves_the_rest_unleased() {
    let receiver = Receiver::new(|_, _| Reply::Silence).await;
    let data = tempfile::tempdir().unwrap();
    let webhooks = open(data.path(), vec![endpoint(&receiver)], settings());
    webhooks
        .accept((0..9).map(|_| message("a")).collect())
        .unwrap();
    until("under way", || receiver.received().len() == 4).await;
    webhooks.shutdown(Duration::from_millis(20)).await;
    assert!(
        all(&webhooks)
            .iter()
            .all(|one| one.state == "pending" && one.attempts.is_empty())
    );
    webhooks.accept(vec![message("a")]).unwrap();
    assert_eq!(all(&webhooks).len(), 10);
    assert_eq!(receiver.received().len(), 4);

    let quick = Receiver::always(200).await;
    let webhooks = open(data.path(), vec![endpoint(&quick)], settings());
    webhooks.accept(vec![message("a")]).unwrap();
    webhooks.shutdown(PATIENCE).await;
    assert!(all(&webhooks).iter().all(|one| one.state != "leased"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_file_without_endpoints() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("data");
    let webhooks = open(&data, Vec::new(), settings());
    assert!(!webhooks.wants("notes", "note.created"));
    webhooks.accept(vec![message("note.created")]).unwrap();
    assert!(all(&webhooks).is_empty());
    webhooks.shutdown(PATIENCE).await;
    assert!(!data.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_endpoint_that_is_gone_is_dead() {
    let receiver = Receiver::new(|_, _| Reply::Silence).await;
    let data = tempfile::tempdir().unwrap();
    let webhooks = open(data.path(), vec![endpoint(&receiver)], settings());
    webhooks.accept(vec![message("note.created")]).unwrap();
    drop(webhooks);
    let webhooks = open(data.path(), Vec::new(), settings());
    let delivery = &all(&webhooks)[0];
    assert_eq!(delivery.state, "dead");
    assert_eq!(
        delivery.reason.as_deref(),
        Some("the endpoint is no longer configured")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_checked_together() {
    let receiver = Receiver::always(200).await;
    let data = tempfile::tempdir().unwrap();
    let refused = |endpoints| {
        let opened = Webhooks::open(data.path(), endpoints, settings(), &Handle::current());
        opened.unwrap_err()
    };
    let same = refused(vec![endpoint(&receiver), endpoint(&receiver)]);
    assert_eq!(same.code(), "same-endpoint-name");
    let inside = Endpoint::new("http://0x7f.1:1/").secret(SECRET);
    let inside = refused(vec![inside]);
    assert_eq!(inside.code(), "address-refused");
    assert!(
        inside.to_string().contains("allow = [\"127.0.0.1\"]"),
        "{inside}"
    );
    let bad = refused(vec![endpoint(&receiver).events(["a b"])]);
    assert_eq!(bad.code(), "bad-pattern");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_told_once() {
    let receiver =
        Receiver::new(|number, _| Reply::status(if number == 2 { 200 } else { 500 })).await;
    let settings = WebhookSettings {
        retries: vec![Duration::from_millis(5)],
        ..settings()
    };
    let (_data, webhooks) = begin(endpoint(&receiver).fifo(true), settings);
    let ends = Arc::new(Mutex::new(Vec::new()));
    let told = ends.clone();
    webhooks.on_end(move |ended| {
        let words = format!("{} {} {:?}", ended.event, ended.attempts, ended.reason);
        told.lock().unwrap().push(words);
    });
    webhooks
        .accept(vec![message("note.created"), message("note.deleted")])
        .unwrap();
    until("both", || ends.lock().unwrap().len() == 2).await;
    let dead = "note.deleted 2 Some(\"attempt 2 was the last: 500\")";
    assert_eq!(*ends.lock().unwrap(), ["note.created 2 None", dead]);
}
