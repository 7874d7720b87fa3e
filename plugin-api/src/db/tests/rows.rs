//! What rows become, and what they do not.

use std::ops::ControlFlow;
use std::sync::mpsc;

use exthost_abi::Value as Raw;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{NOTE, Note, both, drive, scripted};
use crate::db::Blob;

#[test]
fn rows_become_what_is_asked_for() {
    let (fake, db) = scripted(&[NOTE, NOTE]);
    let note = || Note {
        id: 7,
        title: None,
        done: true,
    };
    assert_eq!(both(fake, || db.get::<Note>("", ())), Some(note()));
    assert_eq!(both(fake, || db.all::<Note>("", ())), [note(), note()]);
    let tuple = || db.get::<(i64, Option<String>, bool)>("", ());
    assert_eq!(both(fake, tuple), Some((7, None, true)));
    assert_eq!(both(fake, || db.get::<()>("", ())), Some(()));
    let json = serde_json::json!({"id": 7, "title": null, "done": 1});
    assert_eq!(
        both(fake, || db.get::<serde_json::Value>("", ())),
        Some(json)
    );

    let (fake, db) = scripted(&[&[("x", Raw::blob(b"\x00\xff"))]]);
    assert_eq!(
        both(fake, || db.get::<Blob>("", ())),
        Some(Blob(vec![0, 255]))
    );
    let (fake, db) = scripted(&[&[("x", Raw::text("a"))]]);
    assert_eq!(both(fake, || db.get::<String>("", ())), Some("a".into()));
    let (fake, db) = scripted(&[&[("x", Raw::integer(2))]]);
    assert_eq!(both(fake, || db.get::<f64>("", ())), Some(2.0));
    let (fake, db) = scripted(&[&[("max(x)", Raw::NULL)]]);
    assert_eq!(both(fake, || db.get::<Option<i64>>("", ())), Some(None));
    let (fake, db) = scripted(&[]);
    assert_eq!(both(fake, || db.get::<Note>("", ())), None);
    assert_eq!(both(fake, || db.all::<Note>("", ())), []);
}

#[test]
fn a_row_of_another_form_is_an_error_that_names_the_column() {
    fn refusal<T: DeserializeOwned + Send + 'static>(row: &[(&'static str, Raw)]) -> String {
        let (_, db) = scripted(&[row]);
        let error = db.get::<T>("", ()).wait().err().unwrap();
        assert_eq!(error.code(), "bad-row");
        error.message().to_owned()
    }
    #[derive(Debug, Deserialize)]
    struct Aged {
        #[expect(dead_code, reason = "only its form matters")]
        age: u8,
    }
    for (message, expected) in [
        (
            refusal::<Aged>(&[("age", Raw::integer(300))]),
            "column age: expected u8, found INTEGER 300",
        ),
        (
            refusal::<Aged>(&[("age", Raw::text("x"))]),
            "column age: expected u8, found TEXT",
        ),
        (
            refusal::<Aged>(&[("years", Raw::NULL)]),
            "the row has no column age",
        ),
        (
            refusal::<(String,)>(&[("a", Raw::NULL)]),
            "column a: expected a string, found NULL",
        ),
        (
            refusal::<bool>(&[("b", Raw::integer(2))]),
            "column b: expected bool (0 or 1), found INTEGER 2",
        ),
        (
            refusal::<Blob>(&[("b", Raw::text("x"))]),
            "column b: expected BLOB, found TEXT",
        ),
        (
            refusal::<String>(&[("c", Raw::text("x")), ("d", Raw::NULL)]),
            "one value was asked for, it has 2; ask for a struct or a tuple",
        ),
        (
            refusal::<(u8, u8)>(&[("c", Raw::NULL)]),
            "2 columns were asked for, it has 1",
        ),
        (
            refusal::<serde_json::Value>(&[("e", Raw::blob(b"x"))]),
            "column e: expected any valid JSON value, found BLOB of 1 bytes",
        ),
    ] {
        assert_eq!(message, format!("a row: {expected}"));
    }
}

#[test]
fn iterate_stops_where_it_is_told_to() {
    let (fake, db) = scripted(&[&[("x", Raw::integer(1))], &[("x", Raw::integer(2))]]);
    let (sender, numbers) = mpsc::channel();
    let first = move |number: i64| {
        sender.send(number).unwrap();
        ControlFlow::Break(())
    };
    drive(fake, db.iterate("", (), first)).unwrap();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), [1]);

    let panics = |_: i64| -> ControlFlow<()> { panic!("asked to") };
    for error in [
        db.iterate("", (), panics).wait().unwrap_err(),
        drive(fake, db.iterate("", (), panics)).unwrap_err(),
    ] {
        assert_eq!(error.message(), "reading a row panicked");
    }
}
