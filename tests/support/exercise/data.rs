//! `db/1` and `webhooks/1`: what is stored, and what is told of it once it is.

use super::super::receiver::Received;
use super::{Driven, WAYS};

pub(super) fn drive(driven: &Driven<'_>) {
    for way in WAYS {
        items(driven, way);
        values(driven, way);
    }
    driven.answers("GET", "dialect", "", "sqlite");
    driven.answers("GET", "cancel", "", "cancelled");
    driven.answers("GET", "denied?what=table", "", "outside-scope");
    webhooks(driven);
}

fn items(driven: &Driven<'_>, way: &str) {
    let path = |rest: &str| format!("{way}/{rest}");
    let items = path("items");
    driven.answers("GET", &path("migrate"), "", "migrated");
    driven.answers("DELETE", &items, "", "removed");
    driven.answers("GET", &items, "", "");
    driven.answers("POST", &items, "bread", "1");
    driven.answers("POST", &items, "b\u{f6}rek", "2");
    assert_eq!(driven.ask("POST", &items, "bread").status, 409);
    driven.answers("GET", &items, "", "1 bread\n2 b\u{f6}rek\n");

    // All or none.
    driven.answers("POST", &path("batch"), "cake", "2 results");
    assert_eq!(driven.ask("POST", &path("batch"), "cake").status, 409);
    driven.answers("POST", &items, "pie-2", "5");
    assert_eq!(driven.ask("POST", &path("batch"), "pie").status, 409);
    let listed = "1 bread\n2 b\u{f6}rek\n3 cake-1\n4 cake-2\n5 pie-2\n";
    driven.answers("GET", &items, "", listed);
    driven.answers("DELETE", &items, "", "removed");
}

fn values(driven: &Driven<'_>, way: &str) {
    let kinds = "-9223372036854775808 0.5 gr\u{fc}\u{df}e 00ff null\n";
    driven.answers("GET", &format!("{way}/kinds"), "", kinds);
    driven.answers("GET", &format!("{way}/first"), "", "1\n2\n3\n");
}

/// What a transaction fires is told if and only if it commits.
fn webhooks(driven: &Driven<'_>) {
    let mut fired = Vec::new();
    for way in WAYS {
        let begin = |end: &str, name: &str| {
            let path = format!("{way}/transaction?end={end}");
            let text = driven.text("POST", &path, name);
            let id = text.strip_prefix("2 inside, ");
            id.unwrap_or_else(|| panic!("{text}")).to_owned()
        };
        driven.answers("DELETE", &format!("{way}/items"), "", "removed");
        let rolled_back = begin("rollback", "never");
        driven.answers("GET", &format!("{way}/items"), "", "");
        let committed = begin("commit", way);
        let listed = format!("1 {way}\n2 {way}-nested\n");
        driven.answers("GET", &format!("{way}/items"), "", &listed);
        let alone = driven.text("POST", &format!("{way}/fire"), way);
        fired.push((rolled_back, committed, alone));
        assert_eq!(
            driven
                .ask("POST", &format!("{way}/transaction?end=commit"), way)
                .status,
            409
        );
    }
    let received = driven.receiver.wait_for(2 * WAYS.len());
    let find = |id: &str| -> &Received {
        let found = received.iter().find(|received| received.id == id);
        found.unwrap_or_else(|| panic!("{id} was not received"))
    };
    for (way, (rolled_back, committed, alone)) in WAYS.into_iter().zip(fired) {
        let item = find(&committed);
        item.verify();
        assert_eq!(item.json()["name"], way);
        let body = find(&alone);
        body.verify();
        assert_eq!(body.body, way.as_bytes());
        assert_eq!(body.header("content-type"), Some("text/plain"));
        assert!(received.iter().all(|received| received.id != rolled_back));
    }
}
