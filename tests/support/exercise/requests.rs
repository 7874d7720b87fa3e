//! `routes/1` and `tasks/1`: what is asked and answered, in whole and in chunks.

use super::super::client::head;
use super::super::server::eventually;
use super::{Driven, WAYS};

pub(super) fn drive(driven: &Driven<'_>) {
    let host = driven.text("GET", "host", "");
    assert!(host.starts_with("1."), "the host offers API {host}");
    for way in WAYS {
        echo(driven, way);
        upload(driven, way);
        download(driven, way);
        leave(driven, way);
    }
    driven.answers("GET", "left", "", "1 wait, 1 complete");
    driven.answers("GET", "later", "", "later");
    driven.answers("GET", "twice", "", "once");
    refusals(driven);
    let tasks = "polled 3, once 1, often 3, ran 1, never 0";
    driven.answers("GET", "tasks", "", tasks);
}

fn echo(driven: &Driven<'_>, way: &str) {
    let path = driven.path(&format!("{way}/echo/a%20b/c/d?x=1&y=%20"));
    let headers = [("x-say", "hello")];
    let mut connection = driven.connect();
    for (method, body) in [("POST", "a body"), ("PATCH", "")] {
        let answered = connection.request(method, &path, &headers, body.as_bytes());
        let answered = answered.unwrap();
        assert_eq!(answered.status, 201, "{answered:?}");
        assert_eq!(answered.header("x-echo"), Some("every"), "{answered:?}");
        let name = driven.name;
        let expected = format!(
            "method: {method}
path: {way}/echo/a%20b/c/d
query: x=1&y=%20
mount: /api/ext/{name}
first: a b
rest: c/d
x-say: hello
actor: anonymous
known: 1
body: {body}
"
        );
        assert_eq!(answered.text(), expected);
    }
}

fn upload(driven: &Driven<'_>, way: &str) {
    let path = driven.path(&format!("{way}/upload"));
    let piece: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    let mut connection = driven.connect();
    connection.send(&head("POST", &path, &[], None)).unwrap();
    for _ in 0..10 {
        let chunk = format!("{:x}\r\n", piece.len());
        connection.send(chunk.as_bytes()).unwrap();
        connection.send(&piece).unwrap();
        connection.send(b"\r\n").unwrap();
    }
    connection.send(b"0\r\n\r\n").unwrap();
    let answered = connection.response(true).unwrap();
    let hash = fnv1a(&piece.repeat(10));
    let expected = format!("500000 bytes, fnv1a {hash:016x}");
    assert_eq!(answered.text(), expected, "{answered:?}");

    // One byte more than the route takes.
    let refused = connection.request("POST", &path, &[], &vec![0; (1 << 20) + 1]);
    assert_eq!(refused.unwrap().status, 413);
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn download(driven: &Driven<'_>, way: &str) {
    let path = driven.path(&format!("{way}/download?chunks=10000"));
    let mut connection = driven.connect();
    // On one connection, so that the first has to have ended as it should.
    for _ in 0..2 {
        let answered = connection.request("GET", &path, &[], b"").unwrap();
        assert_eq!(answered.header("transfer-encoding"), Some("chunked"));
        assert_eq!(answered.header("content-type"), Some("text/plain"));
        let expected: String = (0..10_000).map(|i| format!("chunk {i}\n")).collect();
        assert!(answered.text() == expected, "{way}: {answered:?}");
    }
}

/// A client that leaves in the middle is noticed.
fn leave(driven: &Driven<'_>, way: &str) {
    let before = driven.text("GET", "left", "");
    let mut connection = driven.connect();
    let path = driven.path(&format!("{way}/leave"));
    connection.begin("GET", &path).unwrap();
    assert_eq!(connection.response_head().unwrap().0, 200);
    assert_eq!(connection.chunk().unwrap().unwrap(), b"still here\n");
    assert_eq!(driven.text("GET", "left", ""), before);
    drop(connection);
    eventually("the plugin hears that its client left", || {
        driven.text("GET", "left", "") != before
    });
}

fn refusals(driven: &Driven<'_>) {
    driven.fails("GET", "silent", "", 504, "deadline");
    for how in ["return", "answer"] {
        let path = format!("refused?how={how}");
        let refused = driven.ask("GET", &path, "");
        assert_eq!((refused.status, refused.code()), (409, "asked-for".into()));
        assert_eq!(refused.json()["detail"], "a conflict was asked for");
    }
    assert_eq!(driven.ask("GET", "given-up", "").status, 500);
    let broken = driven.try_ask("GET", "broken", b"");
    assert!(broken.is_err(), "{broken:?} is whole");
    driven.fails("GET", "guarded", "", 401, "unauthenticated");
    assert_eq!(driven.ask("GET", "no/such", "").status, 404);
    assert_eq!(driven.ask("POST", "later", "").status, 405);
}
