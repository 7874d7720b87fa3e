//! Does what is sent to an extension come back to every client, once and in order?

use std::thread;
use std::time::Duration;

use exthost::Limits;
use serde_json::{Value, json};
use tungstenite::Message;

use super::post;
use crate::support::listen::{Events, Socket, Told};
use crate::support::server::{Server, eventually, options};
use crate::support::{exthost, rust_plugin};

/// A frame that sends an event to the extension.
fn to_extension(data: impl Into<Value>) -> Message {
    let dispatch = json!({
        "plugin": "echo-extension", "event": "eventToExtension", "data": data.into(),
    });
    Message::text(json!({"dispatch": dispatch}).to_string())
}

/// A client that listens to nothing, and sends.
fn sender(server: &Server) -> Socket {
    ready(Socket::open(server.address, "?channels=host/none"))
}

fn ready(mut socket: Socket) -> Socket {
    assert!(matches!(socket.next(), Some(Told::Ready(_))));
    socket
}

fn events(server: &Server) -> Events {
    let mut events = Events::open(server.address, "?channels=echo-extension/>", &[]);
    assert!(matches!(events.next().unwrap(), Some(Told::Ready(_))));
    events
}

/// What the extension remembers.
fn seen(server: &Server) -> Value {
    server.get("/api/ext/echo-extension/seen").json()
}

#[test]
fn what_is_sent_by_whichever_way_comes_back_to_every_client() {
    let server = Server::start(&[&rust_plugin("echo-extension")]);
    let mut events = events(&server);
    let mut socket = ready(Socket::open(server.address, "?channels=echo-extension/>"));
    let mut hear = |data: &Value| {
        for told in [events.next().unwrap(), socket.next()] {
            let message = told.expect("it ended").message();
            assert_eq!(message["channel"], "echo-extension/echo");
            assert_eq!(message["event"], "eventFromExtension");
            assert_eq!(message["data"], *data);
        }
    };

    let over_http = json!({"text": "over HTTP", "list": [1, 2.5, null]});
    let dispatch =
        json!({"plugin": "echo-extension", "event": "eventToExtension", "data": over_http});
    let answer = post(&server, "/api/host/dispatch", &dispatch);
    let queued = json!({"plugin": "echo-extension", "ready": true, "subscriptions": 1});
    assert_eq!((answer.status, answer.json()), (202, queued.clone()));
    hear(&over_http);

    let over_socket = json!("over a WebSocket \u{1f980}");
    let answer = sender(&server).ask(to_extension(over_socket.clone()));
    assert_eq!(answer, json!({"dispatched": queued}));
    hear(&over_socket);

    let by_command = exthost()
        .args(["emit", "eventToExtension", "\"by command\"", "--to"])
        .arg("echo-extension")
        .env("EXTHOST_URL", format!("http://{}", server.address))
        .output()
        .unwrap();
    let stdout = String::from_utf8(by_command.stdout).unwrap();
    assert_eq!(stdout, "queued for 1 subscription of echo-extension\n");
    assert_eq!(by_command.status.code(), Some(0));
    hear(&json!("by command"));

    let all = json!([over_http, over_socket, "by command"]);
    eventually("it remembers them", || seen(&server) == all);
}

#[test]
fn a_client_that_may_not_send_or_errs_is_told_and_stays() {
    let server = Server::start(&[&rust_plugin("echo-extension")]);
    let somebody = |scopes: &[&str]| {
        let actor = json!({"kind": "user", "id": "u1", "name": "Ada", "scopes": scopes});
        ready(Socket::open_as(
            server.address,
            "?channels=echo-extension/>",
            &actor,
        ))
    };
    let mut without = somebody(&["host.read", "dispatch"]);
    let refused = without.ask(to_extension(1));
    assert_eq!(refused["error"]["code"], "missing-scope", "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("`host.dispatch`"), "{message}");

    let mut with = somebody(&["host.dispatch"]);
    let to = |plugin: &str, event: &str| json!({"plugin": plugin, "event": event});
    for (dispatch, code, part) in [
        (to("nobody", "a"), "no-such-plugin", "`nobody`"),
        (to("echo-extension", "a.*"), "invalid", "`a.*`"),
        (json!({"plugin": "echo-extension"}), "bad-frame", "`event`"),
        (json!({"plugin": 1, "event": "a"}), "bad-frame", "string"),
        (
            json!({"plugin": "a", "event": "b", "dta": 1}),
            "bad-frame",
            "`dta`",
        ),
        (json!("a"), "bad-frame", "string"),
        (json!(null), "bad-frame", "null"),
    ] {
        let frame = json!({"dispatch": dispatch}).to_string();
        let refused = with.ask(Message::text(&frame));
        assert_eq!(refused["error"]["code"], code, "{frame}: {refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{frame}: {message}");
    }

    // Both go on: the one is answered, and the other hears what comes of it.
    let answer = with.ask(to_extension("at last"));
    assert_eq!(answer["dispatched"]["subscriptions"], 1, "{answer}");
    for client in [&mut with, &mut without] {
        let message = client.next().unwrap().message();
        assert_eq!(message["data"], "at last");
    }
    eventually("it remembers that alone", || {
        seen(&server) == json!(["at last"])
    });
}

/// Messages that are sent while the extension starts.
const MESSAGES: u64 = 200;

#[test]
fn what_is_sent_while_it_starts_comes_once_and_in_order() {
    // How long it takes to start: long enough, however slow the sender is.
    for delay_ms in [500, 2_000, 9_000] {
        if while_it_starts(delay_ms) == MESSAGES {
            return;
        }
    }
    panic!("it was ready before all was sent");
}

/// Sends while the extension starts, and returns how many messages have waited for
/// it. Whether or not they did, each comes once and in order.
fn while_it_starts(delay_ms: u64) -> u64 {
    let mut limits = Limits::default();
    limits.init_deadline = Duration::from_secs(60);
    let server = Server::start_with(&[], |builder| {
        let slow = options(json!({"delay_ms": delay_ms}));
        builder.options("echo-extension", slow).limits(limits)
    });
    let (mut events, mut sender) = (events(&server), sender(&server));
    let mut send = |number: u64| sender.ask(to_extension(number));
    let waited = thread::scope(|scope| {
        let plugin = rust_plugin("echo-extension");
        let installed = scope.spawn(|| server.block_on(server.host.install(plugin)));
        let mut answer = Value::Null;
        eventually("it is on its way", || {
            answer = send(1);
            answer["error"]["code"] != "no-such-plugin"
        });
        let mut waited = 0;
        for next in 2..=MESSAGES + 1 {
            waited += u64::from(answer["dispatched"]["ready"] == false);
            if next <= MESSAGES {
                answer = send(next);
            }
        }
        installed.join().unwrap().unwrap();
        waited
    });
    for number in 1..=MESSAGES {
        let message = events.next().unwrap().unwrap().message();
        let (sequence, data) = (&message["sequence"], &message["data"]);
        assert_eq!((sequence, data), (&json!(number), &json!(number)));
    }
    let all: Vec<u64> = (1..=MESSAGES).collect();
    eventually("it remembers them", || seen(&server) == json!(all));
    waited
}
