//! The database and the webhooks, against a host that says what it was asked for.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use exthost_abi::{Status, Value as Raw};
use serde::{Deserialize, Serialize};

use super::*;
use crate::export::fake::Fake;
use crate::{StatusCode, Webhooks};

mod rows;
mod tx;

/// Awaits `future`, whose calls the fake completes one after the other.
fn drive<T>(fake: &Fake, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = poll(future.as_mut()) {
            return value;
        }
        assert!(fake.complete() > 0, "it waits for nothing");
    }
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Does the same in both forms, and compares.
fn both<T>(fake: &Fake, call: impl Fn() -> Call<'static, T>) -> T
where
    T: PartialEq + std::fmt::Debug + Send + 'static,
{
    fake.take();
    let (one, asked) = (call().wait().unwrap(), fake.take());
    let (other, again) = (drive(fake, call()).unwrap(), fake.take());
    assert_eq!(one, other);
    assert_eq!(asked, again);
    fake.state().seen = asked;
    one
}

fn scripted(rows: &[&[(&'static str, Raw)]]) -> (&'static Fake, Db) {
    let (fake, services) = Fake::services();
    fake.state().db.rows = rows.iter().map(|row| row.to_vec()).collect();
    (fake, services.db())
}

fn refusing(part: &'static str, status: Status, code: &'static str) -> (&'static Fake, Db) {
    let (fake, services) = Fake::services();
    fake.state().db.refusal = Some((part, (status, code, "it is refused")));
    (fake, services.db())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    id: i64,
    title: Option<String>,
    done: bool,
}

const NOTE: &[(&str, Raw)] = &[
    ("id", Raw::integer(7)),
    ("title", Raw::NULL),
    ("done", Raw::integer(1)),
];

#[test]
fn each_method_asks_its_slot() {
    let (fake, db) = scripted(&[&[("id", Raw::integer(7))]]);
    let asked = |expected: &str| assert_eq!(fake.take(), [expected]);
    let done = RunResult {
        changes: 1,
        last_insert_rowid: 41,
    };

    both(fake, || db.exec("CREATE x; CREATE y"));
    asked("exec tx 0: CREATE x; CREATE y");
    assert_eq!(both(fake, || db.migrate(&[(1, "a"), (2, "b")])), 2);
    asked("migrate 1 2");
    assert_eq!(both(fake, || db.run("INSERT ?", (1, "a"))), done);
    asked("run cause 0 on 0 tx 0: INSERT ? =1 =a");
    assert_eq!(both(fake, || db.write("UPDATE", ())), done);
    asked("run cause 0 on 2 tx 0: UPDATE");
    let note = Note {
        id: 1,
        title: None,
        done: false,
    };
    assert_eq!(both(fake, || db.insert("t", &note)), done);
    asked(
        r#"run cause 0 on 0 tx 0: INSERT INTO "t" ("id", "title", "done") VALUES (?, ?, ?) =1 =NULL =0"#,
    );
    assert_eq!(
        both(fake, || db
            .get::<i64>("SELECT :id", BTreeMap::from([("id", 3)]))),
        Some(7)
    );
    asked("rows cause 0 on 0 tx 0: SELECT :id :id=3");
    assert_eq!(both(fake, || db.all::<i64>("SELECT", ())), [7]);
    asked("rows cause 0 on 0 tx 0: SELECT");
    assert_eq!(both(fake, || db.read::<i64>("SELECT", ())), [7]);
    asked("rows cause 0 on 1 tx 0: SELECT");
    assert_eq!(both(fake, || db.pread::<i64>("SELECT", ())), [7]);
    asked("rows cause 0 on 2 tx 0: SELECT");
    assert_eq!(both(fake, || db.require_read::<i64>("SELECT", ())), [7]);
    asked("rows cause 0 on 3 tx 0: SELECT");
    let steps = || db.batch([query("INSERT ?", 1), query("DELETE", ())]);
    assert_eq!(both(fake, steps), [done, done]);
    asked("batch on 0 tx 0: INSERT ? =1; on 0 tx 0: DELETE");
    let case = Case {
        sqlite: "unixepoch()",
        postgres: "now()",
    };
    assert_eq!(db.case(case), "unixepoch()");
}

#[test]
fn a_prepared_statement_is_closed_with_its_last_clone() {
    let (fake, db) = scripted(&[&[("x", Raw::integer(1))]]);
    let statement = db.prepare("SELECT").wait().unwrap();
    let clone = statement.clone();
    let call = clone.get::<i64>(5);
    drop((statement, clone));
    assert_eq!(drive(fake, call).unwrap(), Some(1));
    let asked = [
        "prepare SELECT",
        "rows cause 0 on 0 tx 0: statement 1 =5",
        "close 1",
    ];
    assert_eq!(fake.take(), asked);

    let statement = drive(fake, db.prepare("INSERT")).unwrap();
    let tx = db.begin().wait().unwrap();
    statement.within(&tx).run(()).wait().unwrap();
    tx.rollback().wait().unwrap();
    let asked = fake.take().join("; ");
    assert!(asked.contains(": statement "), "{asked}");
    assert!(!asked.contains("tx 0:"), "{asked}");
}

#[test]
fn what_is_wrong_with_parameters_is_the_error_of_the_call() {
    let (fake, db) = scripted(&[]);
    let error = db.run("INSERT", vec![vec![1]]).wait().unwrap_err();
    assert_eq!(error.code(), "bad-params");
    let error = drive(fake, db.batch([query("a", ()), query("b", u64::MAX)])).unwrap_err();
    assert_eq!(error.code(), "bad-params");
    assert!(fake.take().is_empty());
}

#[test]
fn refusals_keep_their_reason_in_both_forms() {
    let (fake, db) = refusing("users", Status::DENIED, "outside-scope");
    for error in [
        db.get::<i64>("FROM users", ()).wait().unwrap_err(),
        drive(fake, db.get::<i64>("FROM users", ())).unwrap_err(),
        drive(fake, db.exec("DROP users")).unwrap_err(),
        db.run("DROP users", ()).wait().unwrap_err(),
    ] {
        assert_eq!(error.status(), StatusCode::FORBIDDEN);
        assert_eq!(error.message(), "it is refused");
    }
}

#[test]
fn without_the_capability_every_call_says_so() {
    let services = Fake::withholding();
    let (db, webhooks) = (services.db(), services.webhooks());
    let error = db.run("x", ()).wait().unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        ("denied", StatusCode::INTERNAL_SERVER_ERROR)
    );
    assert!(error.message().contains("db/1"), "{error}");
    let mut call = db.get::<i64>("x", ());
    assert!(matches!(poll(Pin::new(&mut call)), Poll::Ready(Err(_))));
    let error = webhooks.fire("a.b", &1).wait().unwrap_err();
    assert!(error.message().contains("webhooks/1"), "{error}");
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    let (fake, db) = scripted(&[]);
    let mut call = db.run("INSERT", ());
    assert!(poll(Pin::new(&mut call)).is_pending());
    drop(call);
    assert_eq!(fake.complete(), 0);
    assert!(fake.take().is_empty());
}

#[test]
fn a_call_may_complete_on_another_thread() {
    fn is_send<T: Send + Sync>(_: &T) {}
    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }

    let (fake, db) = scripted(&[NOTE]);
    let mut call = db.all::<Note>("", ());
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut call).poll(&mut cx).is_pending());
    let other = std::thread::spawn(|| assert_eq!(fake.complete(), 1));
    let notes = loop {
        match Pin::new(&mut call).poll(&mut cx) {
            Poll::Ready(notes) => break notes.unwrap(),
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(notes.len(), 1);
    other.join().unwrap();
    is_send(&db.begin().wait().unwrap());
    is_send(&db.prepare("").wait().unwrap());
}

#[test]
fn nothing_is_asked_before_the_first_poll() {
    let (fake, db) = scripted(&[]);
    drop(db.run("INSERT", ()));
    assert!(fake.take().is_empty());
}

#[test]
fn webhooks_fire_in_both_forms() {
    let (fake, services) = Fake::services();
    let webhooks: Webhooks = services.webhooks();
    let id = both(fake, || webhooks.fire("oven.hot", &[1, 2]));
    assert_eq!(id.as_ref(), "msg_1");
    assert_eq!(fake.take(), ["fire tx 0 oven.hot application/json [1,2]"]);
    both(fake, || {
        webhooks.fire_bytes("a.b", "text/plain", &b"hi"[..])
    });
    assert_eq!(fake.take(), ["fire tx 0 a.b text/plain hi"]);

    let tx = services.db().begin().wait().unwrap();
    tx.fire("a.b", "x").wait().unwrap();
    tx.commit().wait().unwrap();
    assert_eq!(
        fake.take(),
        [
            "begin in 0",
            "fire tx 3 a.b application/json \"x\"",
            "commit 3"
        ]
    );

    fake.state().db.refusal = Some(("big", (Status::TOO_LARGE, "too-large", "256 KiB at most")));
    for error in [
        webhooks.fire("big", &1).wait().unwrap_err(),
        drive(fake, webhooks.fire("big", &1)).unwrap_err(),
    ] {
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Not a key that JSON has.
    let error = webhooks
        .fire("a.b", &BTreeMap::from([((), 1)]))
        .wait()
        .unwrap_err();
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
