//! Whatever a client does, is it told each message of its channels, or that it
//! was lost?

mod model;

use std::task::{Context, Poll, Waker};

use super::*;

/// Bounds that are soon reached.
fn small() -> Bounds {
    Bounds {
        ring_messages: 8,
        ring_bytes: 2500,
        channels: 4,
        owner_bytes: 5000,
        journal_entries: 300,
        batch_messages: 5,
        batch_bytes: 1200,
    }
}

/// What there is for a client to read now.
fn read(client: &mut Client) -> Option<Vec<Item>> {
    match client.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(items) => items,
        Poll::Pending => None,
    }
}

/// Lets the clients hear of what was published.
fn wake(broadcast: &Broadcast) {
    let news = broadcast.hub().take_news();
    news.iter().for_each(|news| news.notify_waiters());
}

fn patterns(texts: &[&str]) -> Patterns {
    Patterns::parse(texts.iter().copied()).unwrap()
}

fn name(plugin: &str) -> PluginName {
    PluginName::parse(plugin).unwrap()
}

fn lost(item: &Item) -> Option<u64> {
    match item {
        Item::Message(_) => None,
        Item::Gap(gap) => gap.lost,
    }
}

fn json(message: &Message) -> serde_json::Value {
    serde_json::from_slice(&message.json()).unwrap()
}

#[test]
fn what_cannot_be_published() {
    let broadcast = Broadcast::with_bounds(1, small());
    let publish = |plugin: &str, channel: &str, event: &str, payload: &str| {
        let published = broadcast.publish(&name(plugin), channel, event, payload);
        published.map_err(|error| error.code())
    };
    let long = "a".repeat(129);
    for channel in ["", "a b", "a/b", "a.", "*", ">", &long] {
        assert_eq!(publish("a", channel, "", ""), Err("invalid"), "{channel}");
    }
    assert_eq!(publish("a", "b", "c d", ""), Err("invalid"));
    let payload = "0".repeat(PAYLOAD_BYTES_MAX + 1);
    assert_eq!(publish("a", "b", "c", &payload), Err("too-large"));
    assert_eq!(publish("host", "b", "c", ""), Err("reserved-name"));
    // Nothing of that has left a trace.
    assert!(broadcast.status().channels.is_empty());
    for channel in ["1", "2", "3", "4"] {
        assert_eq!(publish("a", channel, "", ""), Ok(1));
    }
    assert_eq!(publish("a", "5", "", ""), Err("channels-max"));
    assert_eq!(publish("b", "5", "", ""), Ok(1));
    assert_eq!(publish("a", "1", "x.y", "1"), Ok(2));
}

#[test]
fn those_who_listen_are_counted() {
    let broadcast = Broadcast::with_bounds(3, small());
    let connect = |texts: &[&str]| broadcast.connect(patterns(texts), None);
    let count = |channel| broadcast.subscriber_count(&name("a"), channel).unwrap();
    let first = connect(&["a/>"]).unwrap();
    let second = connect(&["a/>", "b/c"]).unwrap();
    let mut third = connect(&["b/c"]).unwrap();
    let refused = connect(&["b/c"]).unwrap_err();
    assert_eq!(refused.code(), "clients-max");
    // The same before the channel is there and after.
    assert_eq!((count("c"), count("d.e")), (2, 2));
    broadcast.publish(&name("a"), "c", "", "").unwrap();
    assert_eq!((count("c"), count("d.e")), (2, 2));
    third.listen_to(patterns(&["a/c", "*/c"]));
    assert_eq!((count("c"), count("d.e")), (3, 2));
    drop((first, second));
    assert_eq!((count("c"), count("d.e")), (1, 0));
    assert!(connect(&["b/c"]).is_ok());
    let status = broadcast.status();
    assert_eq!((status.clients, status.channels[0].subscribers), (1, 1));
    drop(third);
    assert_eq!(broadcast.hub().all_news().len(), 0);
}

#[test]
fn a_new_subscription_begins_with_what_comes() {
    let broadcast = Broadcast::with_bounds(2, small());
    let publish = |payload| broadcast.publish(&name("a"), "b", "", payload).unwrap();
    publish("1");
    let mut client = broadcast.connect(patterns(&["c/>"]), None).unwrap();
    publish("2");
    client.listen_to(patterns(&["a/b"]));
    assert!(read(&mut client).is_none());
    publish("3");
    wake(&broadcast);
    let items = read(&mut client).unwrap();
    assert!(matches!(&items[..], [Item::Message(third)] if json(third)["data"] == 3));
}

#[test]
fn a_new_subscription_of_one_that_is_behind_begins_no_sooner() {
    let broadcast = Broadcast::with_bounds(1, small());
    let publish = |channel| broadcast.publish(&name("a"), channel, "", "1").unwrap();
    let mut client = broadcast.connect(patterns(&["a/b", "a/c"]), None).unwrap();
    // `b` comes first, and fills a batch. Of `c` five are lost.
    for channel in [["b"; 6].as_slice(), &["c"; 13], &["new"]].concat() {
        publish(channel);
    }
    let items = read(&mut client).unwrap();
    let told: Vec<_> = items.iter().filter_map(lost).collect();
    assert_eq!((told, items.len()), (vec![5], 6));
    client.listen_to(patterns(&["a/b", "a/c", "a/new"]));
    publish("new");
    let mut rest = Vec::new();
    while let Some(items) = read(&mut client) {
        rest.extend(items);
    }
    // The loss is not told twice, and nothing of before.
    assert_eq!(rest.iter().filter_map(lost).count(), 0);
    let told = rest.iter().map(|item| match item {
        Item::Message(message) => json(message),
        other => panic!("{other:?}"),
    });
    let told: Vec<_> = told
        .map(|it| (it["channel"].clone(), it["sequence"].clone()))
        .collect();
    let mut expected = vec![("a/b".into(), 6.into())];
    expected.extend((6..=13).map(|n| ("a/c".into(), n.into())));
    expected.push(("a/new".into(), 2.into()));
    assert_eq!(told, expected);
}

#[test]
fn ids_of_nowhere_are_told_so() {
    let broadcast = Broadcast::with_bounds(10, small());
    broadcast.publish(&name("a"), "b", "", "").unwrap();
    let own = broadcast.id(1);
    let run = &own[..own.len() - 2];
    for since in [
        "0-1",
        "",
        "x",
        "-",
        &format!("{run}-2"),
        &format!("{run}-x"),
        run,
    ] {
        let connected = broadcast.connect(patterns(&["a/b"]), Some(since));
        let mut client = connected.unwrap();
        // Who is cut off before it is told so comes back with this.
        let again = broadcast.connect(patterns(&["a/b"]), Some(&client.position()));
        for client in [&mut client, &mut again.unwrap()] {
            let items = read(client).unwrap();
            let [Item::Gap(gap)] = &items[..] else {
                panic!("{since:?}: {items:?}");
            };
            assert_eq!((gap.id, &gap.channel, gap.lost), (1, &None, None));
            assert_eq!(client.position(), own);
            assert!(read(client).is_none());
        }
    }
    let connected = broadcast.connect(patterns(&["a/b"]), Some(&own));
    assert!(read(&mut connected.unwrap()).is_none());
}

#[tokio::test]
async fn a_client_waits_until_there_is_news_or_the_end() {
    let broadcast = Broadcast::with_bounds(1, small());
    let waking = tokio::spawn(broadcast.clone().wake_clients());
    let mut client = broadcast.connect(patterns(&["a/b"]), None).unwrap();
    let (told, hears) = tokio::sync::oneshot::channel();
    let waiting = tokio::spawn(async move {
        let items = client.next().await.unwrap();
        assert!(matches!(&items[..], [Item::Message(message)] if message.id == 2));
        told.send(()).unwrap();
        assert!(client.next().await.is_none());
    });
    tokio::task::yield_now().await;
    broadcast.publish(&name("c"), "b", "", "").unwrap();
    broadcast.publish(&name("a"), "b", "", "").unwrap();
    hears.await.unwrap();
    broadcast.close();
    waiting.await.unwrap();
    broadcast.idle().await;
    let late = broadcast.connect(patterns(&["a/b"]), None).unwrap_err();
    assert_eq!(late.code(), "shutting-down");
    // Publishing goes on.
    assert_eq!(broadcast.publish(&name("a"), "b", "", "").unwrap(), 2);
    waking.abort();
}
