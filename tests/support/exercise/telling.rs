//! `log/1`, `config/1`, `events/1` and `broadcast/1`: what is told, to whom, and
//! what comes back.

use serde_json::{Value, json};

use super::super::listen::{Listening, Transport};
use super::super::server::eventually;
use super::{Driven, GREETING, WAYS};

pub(super) fn drive(driven: &Driven<'_>) {
    options(driven);
    log(driven);
    observers(driven);
    for way in WAYS {
        filters(driven, way);
    }
    listeners(driven);
    broadcast(driven);
}

fn options(driven: &Driven<'_>) {
    let at = |pointer: &str| -> Value {
        let text = driven.text("GET", &format!("config?at={pointer}"), "");
        serde_json::from_str(&text).unwrap()
    };
    // One that is set, one that is left at its default, one within another.
    assert_eq!(at("/greeting"), GREETING);
    assert_eq!(at("/number"), 7);
    assert_eq!(at("/nested/list/1"), 2);
    assert_eq!(at("")["nested"], json!({"list": [1, 2]}));
    assert_eq!(driven.ask("GET", "config?at=/missing", "").status, 404);
}

fn log(driven: &Driven<'_>) {
    for (level, name) in [(1, "error"), (2, "warn"), (3, "info")] {
        let message = format!("a line of level {level}");
        let path = format!("log?level={level}");
        driven.answers("POST", &path, &message, "enabled 1");
        eventually("the line comes back as core.log", || {
            driven.text("GET", "logged", "").contains(&message)
        });
        let line: Value = serde_json::from_str(&driven.text("GET", "logged", "")).unwrap();
        assert_eq!(line["plugin"], driven.name, "{line}");
        assert_eq!(line["message"], *message, "{line}");
        assert_eq!(line["level"], name, "{line}");
        let fields = &line["fields"];
        assert_eq!(fields["word"], "word", "{line}");
        assert_eq!(fields["number"], -7, "{line}");
        assert_eq!(fields["half"], 0.5, "{line}");
        assert!(line["request_id"].is_string(), "{line}");
    }
}

fn observers(driven: &Driven<'_>) {
    let name = driven.name;
    let told = |count: u32, payload: &str| {
        let expected = format!("{count} {payload} from {name} as application/json");
        eventually(&expected, || driven.text("GET", "told", "") == expected);
    };
    for (count, to) in [(1, "all"), (2, "self"), (3, "all")] {
        let payload = format!(r#"{{"count":{count}}}"#);
        driven.answers("POST", &format!("emit?to={to}"), &payload, "emitted");
        told(count, &payload);
    }
    // What comes faster than it is answered waits, and none is lost.
    for count in 4..=50 {
        driven.answers("POST", "emit?to=all", &format!("{count}"), "emitted");
    }
    told(50, "50");
    driven.answers("GET", "denied?what=event", "", "reserved-event");
}

fn filters(driven: &Driven<'_>, way: &str) {
    let name = driven.name;
    let ask = |policy: &str, payload: &str| {
        driven.text("POST", &format!("{way}/ask?policy={policy}"), payload)
    };
    for policy in ["open", "closed"] {
        assert_eq!(ask(policy, r#""good""#), r#"passed "good!""#);
        let vetoed = format!("vetoed by {name}: bad is refused");
        assert_eq!(ask(policy, r#""bad""#), vetoed);
    }
    for failing in ["broken", "worse"] {
        let payload = format!(r#""{failing}""#);
        assert_eq!(ask("open", &payload), format!(r#"passed "{failing}!""#));
        let vetoed = ask("closed", &payload);
        let by = format!("vetoed by {name}: ");
        assert!(vetoed.starts_with(&by), "{vetoed}");
    }
}

fn listeners(driven: &Driven<'_>) {
    let expected = "told 1, nothing 0, subscribed 1, unsubscribed 0";
    driven.answers("GET", "listeners", "", expected);
}

fn broadcast(driven: &Driven<'_>) {
    let channel = format!("{}/news", driven.name);
    driven.answers("GET", "subscribers", "", "0");
    driven.answers("POST", "publish", r#"{"n":1}"#, "1");
    let (mut listening, _) = Listening::start(Transport::Events, driven.address, &channel, None);
    driven.answers("GET", "subscribers", "", "1");
    for n in [2, 3] {
        driven.answers(
            "POST",
            "publish",
            &format!(r#"{{"n":{n}}}"#),
            &n.to_string(),
        );
        let message = listening.message();
        assert_eq!(message["channel"], *channel, "{message}");
        assert_eq!(message["event"], "said", "{message}");
        assert_eq!(message["data"], json!({"n": n}), "{message}");
    }
    drop(listening);
    eventually("the listener is gone", || {
        driven.text("GET", "subscribers", "") == "0"
    });
}
