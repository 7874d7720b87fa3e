//! Does what is published reach those who may listen, in order, or are they told
//! what they miss?

mod access;
mod page;
mod slow;
mod socket;

use std::thread;
use std::time::Duration;

use exthost::config::BroadcastSettings;
use serde_json::{Value, json};
use tungstenite::Message;

use super::support::listen::{Events, Listening, Socket, TRANSPORTS, Told, Transport};
use super::support::process::{Running, project};
use super::support::server::{Server, eventually};
use super::support::{BROADCAST_C, shared_c_plugin};

/// A host with the plugin that publishes on request.
fn publishing() -> Option<Server> {
    let plugin = shared_c_plugin(BROADCAST_C)?;
    Some(Server::start(&[&plugin]))
}

/// A host without plugins, whose settings were adapted.
fn with_settings(adapt: impl FnOnce(&mut BroadcastSettings)) -> Server {
    let mut settings = BroadcastSettings::default();
    adapt(&mut settings);
    Server::start_with(&[], |builder| builder.broadcast(settings))
}

/// What a route of the plugin answers: a status and a value.
fn ask(server: &Server, method: &str, route: &str, body: &str) -> (i64, u64) {
    let path = format!("/api/ext/broadcast-c/{route}");
    let response = server.request(method, &path, &[], body.as_bytes());
    assert_eq!(response.status, 200, "{route}: {response:?}");
    let json = response.json();
    let status = json["status"].as_i64().unwrap();
    (status, json["value"].as_u64().unwrap())
}

fn listen(server: &Server, transport: Transport, channels: &str) -> (Listening, String) {
    Listening::start(transport, server.address, channels, None)
}

fn id(message: &Value) -> String {
    message["id"].as_str().unwrap().to_owned()
}

/// Publishes the numbers from `first` to `last` in the channel `host/ticks`.
fn publish(server: &Server, first: u64, last: u64) {
    for n in first..=last {
        assert_eq!(server.host.publish("ticks", "", &n).unwrap(), n);
    }
}

/// Hears the numbers from `first` to `last`; returns the last id.
fn hear(client: &mut Listening, first: u64, last: u64) -> String {
    let mut message = Value::Null;
    for n in first..=last {
        message = client.message();
        assert_eq!(
            (&message["sequence"], &message["data"]),
            (&json!(n), &json!(n))
        );
    }
    id(&message)
}

#[test]
fn what_a_plugin_publishes_is_heard() {
    let Some(server) = publishing() else { return };
    let (mut events, _) = listen(&server, Transport::Events, "broadcast-c/>");
    let (mut socket, _) = listen(&server, Transport::Socket, "*/news,broadcast-c/other");
    let (mut other, _) = listen(&server, Transport::Socket, "hello/>,*/end");
    assert_eq!(ask(&server, "GET", "count/news", ""), (0, 2));
    assert_eq!(ask(&server, "GET", "count/other.place", ""), (0, 1));
    for (event, payload, data) in [
        ("note.created", "{\"id\": 7}", json!({"id": 7})),
        ("x", "{\r\n \"a\": [1,\n2]}\n", json!({"a": [1, 2]})),
        (
            "x",
            "a\ndata: \"b\"\u{2028}\r\n\r\nä",
            json!("a\ndata: \"b\"\u{2028}\r\n\r\nä"),
        ),
        ("x", "", json!("")),
    ] {
        let (status, sequence) = ask(&server, "POST", &format!("publish/news/{event}"), payload);
        assert_eq!(status, 0);
        for client in [&mut events, &mut socket] {
            let message = client.message();
            assert_eq!(message["channel"], "broadcast-c/news");
            assert_eq!(message["event"], event);
            assert_eq!(message["sequence"], sequence);
            assert_eq!(message["data"], data);
        }
    }
    assert_eq!(ask(&server, "POST", "publish/end", "1"), (0, 1));
    let end = other.message();
    assert_eq!(
        (&end["channel"], &end["event"]),
        (&json!("broadcast-c/end"), &json!(""))
    );
}

#[test]
fn who_comes_back_misses_nothing() {
    let server = with_settings(|_| {});
    publish(&server, 1, 10);
    for first in TRANSPORTS {
        for second in TRANSPORTS {
            // One that has heard something, and one that has not.
            let (mut client, begun) = listen(&server, first, "host/ticks");
            let from = server.host.publish("ticks", "", &0).unwrap();
            let seen = id(&client.message());
            drop(client);
            for n in 1..=500 {
                server.host.publish("ticks", "", &n).unwrap();
            }
            for (since, first_number) in [(&seen, from + 1), (&begun, from)] {
                let resumed = Listening::start(second, server.address, "host/>", Some(since));
                let (mut client, ready) = resumed;
                assert_eq!(ready, *since);
                for number in first_number..=from + 500 {
                    assert_eq!(client.message()["sequence"], number);
                }
            }
        }
    }
    // As browsers do, with a header, which is newer than the URL.
    let (mut client, begun) = listen(&server, Transport::Socket, "host/ticks");
    server.host.publish("ticks", "", &1).unwrap();
    server.host.publish("ticks", "", &2).unwrap();
    let seen = id(&client.message());
    let query = format!("?channels=host/ticks&last_event_id={begun}");
    let header = [("last-event-id", &*seen)];
    let mut events = Events::open(server.address, &query, &header);
    assert_eq!(events.next().unwrap(), Some(Told::Ready(seen)));
    assert_eq!(events.next().unwrap().unwrap().message()["data"], 2);
}

#[test]
fn who_comes_back_too_late_is_told_how_much_is_lost() {
    let server = with_settings(|_| {});
    let (mut client, _) = listen(&server, Transport::Events, "host/>");
    publish(&server, 1, 3);
    let since = hear(&mut client, 1, 3);
    server.host.publish("quiet", "", &1).unwrap();
    publish(&server, 4, 3000);
    for transport in TRANSPORTS {
        let resumed = Listening::start(transport, server.address, "host/>", Some(&since));
        let (mut client, _) = resumed;
        let gap = client.gap();
        let expected = json!({"id": since, "channel": "host/ticks", "lost": 3000 - 3 - 1024});
        assert_eq!(gap, expected);
        assert_eq!(client.message()["channel"], "host/quiet");
        hear(&mut client, 3000 - 1023, 3000);
    }
}

#[test]
fn an_id_of_another_run_is_told_so() {
    let server = with_settings(|_| {});
    publish(&server, 1, 5);
    for (since, transport) in ["0-4", "x", "0-"].iter().zip(TRANSPORTS.iter().cycle()) {
        let resumed = Listening::start(*transport, server.address, "host/>", Some(since));
        let (mut client, begun) = resumed;
        let gap = client.gap();
        assert_eq!(
            (&gap["channel"], &gap["lost"]),
            (&Value::Null, &Value::Null)
        );
        // Who is cut off before that gap is told it once it is back.
        let resumed = Listening::start(*transport, server.address, "host/>", Some(&begun));
        let (mut again, _) = resumed;
        assert_eq!(again.gap(), gap);
        let n = server.host.publish("ticks", "", &"next").unwrap();
        for client in [&mut client, &mut again] {
            assert_eq!(client.message()["sequence"], n);
        }
        // And who has heard it goes on from there.
        let since = gap["id"].as_str();
        let (mut after, _) = Listening::start(*transport, server.address, "host/>", since);
        assert_eq!(after.message()["sequence"], n);
    }
}

#[test]
fn a_web_socket_changes_what_it_listens_to() {
    let server = with_settings(|_| {});
    let mut socket = Socket::open(server.address, "?channels=host/a");
    assert!(matches!(socket.next(), Some(Told::Ready(_))));
    server.host.publish("b", "", &"before").unwrap();
    let answer = socket.ask(Message::text("{\"subscribe\": [\"host/b\", \"host/a\"]}"));
    assert_eq!(answer, json!({"subscribed": ["host/a", "host/b"]}));
    server.host.publish("b", "", &"after").unwrap();
    assert_eq!(socket.next().unwrap().message()["data"], "after");
    let answer = socket.ask(Message::text("{\"unsubscribe\": [\"host/a\", \"host/c\"]}"));
    assert_eq!(answer, json!({"subscribed": ["host/b"]}));
    let many: Vec<_> = (0..65).map(|n| format!("host/{n}")).collect();
    for (frame, code) in [
        (Message::text("{"), "bad-frame"),
        (Message::text("{\"subscribe\": \"host/b\"}"), "bad-frame"),
        (Message::text("{\"publish\": []}"), "bad-frame"),
        (Message::binary(vec![0]), "bad-frame"),
        (Message::text("x".repeat(64 * 1024 + 1)), "too-large"),
        (
            Message::text("{\"subscribe\": [\"host/c\", \"b\"]}"),
            "bad-channel-pattern",
        ),
        (
            Message::text(json!({"subscribe": many}).to_string()),
            "patterns-max",
        ),
    ] {
        let answer = socket.ask(frame);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    // None of that has changed anything.
    server.host.publish("a", "", &1).unwrap();
    server.host.publish("c", "", &1).unwrap();
    server.host.publish("b", "", &"last").unwrap();
    assert_eq!(socket.next().unwrap().message()["data"], "last");
}

#[test]
fn idle_clients_get_signs_of_life_and_silent_ones_are_let_go() {
    let server = with_settings(|settings| settings.keep_alive = Duration::from_secs(1));
    let mut events = Events::open(server.address, "?channels=host/>", &[]);
    assert!(matches!(events.next().unwrap(), Some(Told::Ready(_))));
    let clients = || server.get("/api/host/broadcast").json()["clients"].clone();
    let mut live = Socket::open(server.address, "?channels=host/>");
    // It neither reads nor answers pings.
    let silent = Socket::open(server.address, "?channels=host/>");
    assert_eq!(clients(), 3);
    let heard = thread::spawn(move || {
        let ready = live.next();
        assert!(matches!(ready, Some(Told::Ready(_))), "{ready:?}");
        live.next()
    });
    eventually("the silent one is let go", || clients() == 2);
    server.host.publish("a", "", &1).unwrap();
    assert_eq!(heard.join().unwrap().unwrap().message()["data"], 1);
    assert_eq!(events.next().unwrap().unwrap().message()["data"], 1);
    assert!(events.comments > 0);
    drop(silent);
}

#[test]
fn clients_are_let_go_at_the_end() {
    let server = with_settings(|_| {});
    let (mut events, _) = listen(&server, Transport::Events, "host/>");
    let mut socket = Socket::open(server.address, "?channels=host/>");
    assert!(matches!(socket.next(), Some(Told::Ready(_))));
    server.host.begin_shutdown();
    assert_eq!(events.next(), None);
    assert_eq!(socket.next(), None);
    assert_eq!(socket.closed.map(|(code, _)| code), Some(1001));
    for path in ["", "/ws"] {
        let refused = server.get(&format!("/api/broadcast{path}?channels=host/%3E"));
        assert_eq!((refused.status, &*refused.code()), (503, "shutting-down"));
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(server.host.publish("a", "", &1).unwrap(), 1);
}

#[test]
fn listening_clients_do_not_hold_the_process_up() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "hello").is_none() {
        return;
    }
    let running = Running::start(directory.path());
    let start = |transport| Listening::start(transport, running.address, "host/>", None).0;
    let clients = TRANSPORTS.map(start);
    running.signal("-TERM");
    for mut client in clients {
        assert_eq!(client.next(), None);
    }
    let (code, log) = running.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("still open"), "{log}");
}

#[test]
fn channels_go_on_over_a_reload() {
    let Some(server) = publishing() else { return };
    let (mut client, _) = listen(&server, Transport::Events, "broadcast-c/>");
    assert_eq!(ask(&server, "POST", "publish/news", "1"), (0, 1));
    let reloaded = server.request("POST", "/api/host/plugins/broadcast-c/reload", &[], b"");
    assert_eq!(reloaded.json()["generation"], 2, "{reloaded:?}");
    assert_eq!(ask(&server, "POST", "publish/news", "2"), (0, 2));
    for n in 1..=2 {
        assert_eq!(client.message()["sequence"], n);
    }
}

#[test]
fn operators_see_channels_and_clients() {
    let Some(server) = publishing() else { return };
    let status = || server.get("/api/host/broadcast").json();
    assert_eq!(status(), json!({"clients": 0, "channels": []}));
    let (client, _) = listen(&server, Transport::Socket, "*/news");
    assert_eq!(ask(&server, "POST", "burst/news/1100", ""), (0, 1100));
    assert_eq!(ask(&server, "POST", "publish/a", ""), (0, 1));
    let now = status();
    assert_eq!(now["clients"], 1);
    let [first, news] = &now["channels"].as_array().unwrap()[..] else {
        panic!("{now}");
    };
    assert_eq!(
        (&first["name"], &first["subscribers"]),
        (&json!("broadcast-c/a"), &json!(0))
    );
    assert_eq!(
        (&news["sequence"], &news["retained"]),
        (&json!(1100), &json!(1024))
    );
    assert!(news["bytes"].as_u64().unwrap() > 1024 * 100, "{news}");
    assert_eq!(news["subscribers"], 1);
    drop(client);
    eventually("the client has gone", || status()["clients"] == 0);
}

#[test]
fn a_plugin_has_so_many_channels() {
    let Some(server) = publishing() else { return };
    for n in 0..256 {
        assert_eq!(ask(&server, "POST", &format!("publish/c{n}"), ""), (0, 1));
    }
    assert_eq!(ask(&server, "POST", "publish/one-more", "").0, 7);
    assert_eq!(ask(&server, "POST", "publish/c7", ""), (0, 2));
}

#[test]
fn misuse_is_told_and_leaves_nothing() {
    let Some(server) = publishing() else { return };
    let response = server.get("/api/ext/broadcast-c/misuse");
    let report = response.json();
    for call in report.as_array().unwrap() {
        let expected = match call[0].as_str().unwrap() {
            "nothing" | "sequence null" | "a cause of nobody" | "count null" => 0,
            "a payload too large" => 6,
            _ => 1,
        };
        assert_eq!(call[1], expected, "{call}");
    }
    assert_eq!(report.as_array().unwrap().len(), 25);
    let status = server.get("/api/host/broadcast").json();
    assert_eq!(status["channels"][0]["name"], "broadcast-c/misuse");
    assert_eq!(status["channels"][0]["sequence"], 3);
    assert_eq!(status["channels"][1], Value::Null);
}
