//! Does a streamed body flow, both ways, from Rust and from C, and does a plugin
//! learn that its client has left?

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::support::client::{Connection, head};
use super::support::server::{Server, eventually};
use super::support::{FAULTY_C, rust_plugin, shared_c_plugin};

/// The plugins that misbehave on request, as far as they can be built here.
fn faulty() -> (Server, Vec<&'static str>) {
    let mut files = vec![rust_plugin("faulty")];
    let mut names = vec!["faulty"];
    if let Some(file) = shared_c_plugin(FAULTY_C) {
        files.push(file);
        names.push("faulty-c");
    }
    let files: Vec<_> = files.iter().map(|file| file.as_path()).collect();
    (Server::start(&files), names)
}

#[test]
fn an_async_handler_awaits_a_timer() {
    let (server, names) = faulty();
    for name in names {
        let begun = Instant::now();
        let response = server.get(&format!("/api/ext/{name}/sleep?ms=50"));
        assert_eq!(response.status, 200, "{name}: {response:?}");
        assert!(begun.elapsed() >= Duration::from_millis(50), "{name}");
        assert_eq!(response.json()["slept_ms"], 50, "{name}");
    }
}

#[test]
fn a_streamed_response_comes_chunk_by_chunk() {
    let (server, names) = faulty();
    for name in names {
        let mut connection = server.connect();
        let path = format!("/api/ext/{name}/stream?chunks=3&ms=20");
        connection.begin("GET", &path).unwrap();
        let (status, headers) = connection.response_head().unwrap();
        assert_eq!(status, 200, "{name}");
        assert!(headers.contains(&("transfer-encoding".to_owned(), "chunked".to_owned())));
        for i in 0..3 {
            let chunk = connection.chunk().unwrap();
            assert_eq!(chunk.unwrap(), format!("chunk {i}\n").as_bytes(), "{name}");
        }
        assert_eq!(connection.chunk().unwrap(), None, "{name}");
        // The connection is whole and takes the next request.
        let next = connection.request("GET", &path, &[], b"").unwrap();
        assert_eq!(next.text(), "chunk 0\nchunk 1\nchunk 2\n", "{name}");
    }
}

#[test]
fn more_chunks_than_wait_in_between_arrive_in_order() {
    let (server, names) = faulty();
    let expected: String = (0..500).map(|i| format!("chunk {i}\n")).collect();
    for name in names {
        for route in ["stream", "stream-blocking"] {
            let response = server.get(&format!("/api/ext/{name}/{route}?chunks=500"));
            assert_eq!(response.text(), expected, "{name} {route}");
        }
    }
}

#[test]
fn a_streamed_upload_is_read_piece_by_piece() {
    let (server, names) = faulty();
    let body: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
    let hash = format!("{:016x}", fnv1a(&body));
    for name in names {
        for route in ["upload", "upload-async"] {
            let path = format!("/api/ext/{name}/{route}");
            let whole = server.request("POST", &path, &[], &body);
            assert_eq!(whole.status, 200, "{name} {route}: {whole:?}");
            assert_eq!(whole.json()["bytes"], 1_000_000, "{name} {route}");
            assert_eq!(whole.json()["fnv1a"], hash, "{name} {route}");

            let mut connection = server.connect();
            connection.send(&head("POST", &path, &[], None)).unwrap();
            for piece in body.chunks(100_000) {
                let length = format!("{:x}\r\n", piece.len());
                connection.send(length.as_bytes()).unwrap();
                connection.send(piece).unwrap();
                connection.send(b"\r\n").unwrap();
            }
            connection.send(b"0\r\n\r\n").unwrap();
            let chunked = connection.response(true).unwrap();
            assert_eq!(chunked.json()["fnv1a"], hash, "{name} {route}");
        }
    }
}

#[test]
fn an_upload_beyond_the_limit_is_refused() {
    let (server, _) = faulty();
    let path = "/api/ext/faulty/upload-small";
    let announced = server.request("POST", path, &[], &[b'x'; 1001]);
    assert_eq!(
        (announced.status, &*announced.code()),
        (413, "body-too-large")
    );
    let mut connection = server.connect();
    connection.send(&head("POST", path, &[], None)).unwrap();
    let piece = [b"3e9\r\n", [b'x'; 1001].as_slice(), b"\r\n0\r\n\r\n"].concat();
    connection.send(&piece).unwrap();
    let streamed = connection.response(true).unwrap();
    assert_eq!(streamed.status, 413, "{streamed:?}");
}

#[test]
fn a_plugin_learns_that_its_client_has_left() {
    let (server, names) = faulty();
    for name in names {
        let left = || server.get(&format!("/api/ext/{name}/left")).json()["left"].clone();
        let before = left().as_u64().unwrap();
        for _ in 0..3 {
            let mut connection = server.connect();
            connection
                .begin("GET", &format!("/api/ext/{name}/leave"))
                .unwrap();
            connection.response_head().unwrap();
            assert!(connection.chunk().unwrap().is_some(), "{name}");
            drop(connection);
        }
        eventually("three clients seen leaving", || left() == before + 3);
        eventually("no request in flight", || {
            server.plugin(name)["in_flight"] == 0
        });
    }
}

#[test]
fn a_stream_that_fails_is_cut_so_that_it_shows() {
    let (server, _) = faulty();
    let mut connection = server.connect();
    connection
        .begin("GET", "/api/ext/faulty/stream-panic")
        .unwrap();
    let (status, _) = connection.response_head().unwrap();
    assert_eq!(status, 200);
    let error = loop {
        match connection.chunk() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a broken stream ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert!(reset(error.kind()), "{error}");
}

#[test]
fn events_are_framed_as_the_standard_says() {
    let (server, _) = faulty();
    let mut connection = server.connect();
    connection.begin("GET", "/api/ext/faulty/sse").unwrap();
    let (_, headers) = connection.response_head().unwrap();
    let content_type = headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .unwrap();
    assert!(
        content_type.1.starts_with("text/event-stream"),
        "{headers:?}"
    );
    let first = String::from_utf8(connection.chunk().unwrap().unwrap()).unwrap();
    assert!(
        first.contains("data: ") && first.ends_with("\n\n"),
        "{first:?}"
    );
}

#[test]
fn an_event_stream_ends_cleanly_when_its_plugin_is_replaced() {
    let (server, _) = faulty();
    let mut connection = Connection::open(server.address).unwrap();
    connection
        .begin("GET", "/api/ext/faulty/sse?chunks=1000000&ms=5")
        .unwrap();
    connection.response_head().unwrap();
    connection.chunk().unwrap().unwrap();
    let reloaded = server.request("POST", "/api/host/plugins/faulty/reload", &[], b"");
    assert_eq!(reloaded.json()["generation"], 2, "{reloaded:?}");
    while connection.chunk().unwrap().is_some() {}
}

#[test]
fn a_client_that_stops_reading_is_let_go() {
    let server = Server::start_with(&[&rust_plugin("faulty")], |builder| builder);
    let mut stalled = server.connect();
    stalled
        .begin("GET", "/api/ext/faulty/stream-blocking?chunks=10000000")
        .unwrap();
    stalled.response_head().unwrap();
    // The plugin fills every buffer on the way, then waits in vain.
    let begun = Instant::now();
    while server.plugin("faulty")["in_flight"] != 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it is held for ever"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
}

#[test]
fn a_handler_nobody_waits_for_is_dropped() {
    let (server, _) = faulty();
    let left = || server.get("/api/ext/faulty/left").json()["left"].clone();
    let before = left().as_u64().unwrap();
    // It answers 504 after 300 ms; its future goes with that.
    assert_eq!(server.get("/api/ext/faulty/never").status, 504);
    eventually("the handler is dropped", || left() == before + 1);
}

fn reset(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
