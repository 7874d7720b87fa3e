//! Is the protocol of WebSockets kept, also with clients that do not keep it?

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};

use super::super::support::listen::{handshake, request};
use super::super::support::server::{Server, eventually};
use super::with_settings;

fn open(server: &Server) -> WebSocket<TcpStream> {
    let request = request("?channels=host/>", "localhost", None);
    let (mut socket, _) = handshake(server.address, request).unwrap();
    assert!(socket.read().unwrap().is_text(), "it begins with `ready`");
    socket
}

/// A frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

const TEXT: u8 = 0x81;
const FIRST_OF_TEXT: u8 = 0x01;
const LAST: u8 = 0x80;
const PING: u8 = 0x89;

#[test]
fn who_says_goodbye_is_answered() {
    let server = with_settings(|_| {});
    let mut socket = open(&server);
    let close = CloseFrame {
        code: CloseCode::Normal,
        reason: "enough".into(),
    };
    socket.close(Some(close.clone())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Close(Some(close)));
    // Not the end of the connection alone.
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn a_frame_may_come_in_pieces() {
    let server = with_settings(|_| {});
    let mut socket = open(&server);
    for piece in [
        frame(FIRST_OF_TEXT, b"{\"subscribe\": "),
        frame(PING, b"are you there?"),
        frame(LAST, b"[\"host/a\"]}"),
    ] {
        socket.get_mut().write_all(&piece).unwrap();
    }
    let pong = Message::Pong(b"are you there?".as_slice().into());
    assert_eq!(socket.read().unwrap(), pong);
    let answer = Message::text("{\"subscribed\":[\"host/>\",\"host/a\"]}");
    assert_eq!(socket.read().unwrap(), answer);
}

#[test]
fn who_breaks_the_protocol_is_let_go() {
    let server = with_settings(|_| {});
    let mut healthy = open(&server);
    let mut unmasked = frame(TEXT, b"{}");
    unmasked[1] &= 0x7f;
    unmasked.drain(2..6);
    for (what, bytes) in [
        ("a frame without a mask", unmasked),
        ("text that is not UTF-8", frame(TEXT, b"\xff")),
        ("a reserved bit", frame(0x40 | TEXT, b"{}")),
        ("a kind of frame that there is not", frame(0x83, b"")),
        ("a ping in pieces", frame(0x09, b"")),
        ("a piece of nothing", frame(LAST, b"{}")),
        ("a close with half a code", frame(0x88, b"\x03")),
        (
            "128 KiB and more announced",
            [&[TEXT, 0xff][..], &(128 * 1024 + 1_u64).to_be_bytes()].concat(),
        ),
        (
            "2^63 bytes and more announced",
            [&[TEXT, 0xff][..], &u64::MAX.to_be_bytes()].concat(),
        ),
    ] {
        let mut socket = open(&server);
        // Enough for a header with its mask.
        let bytes = [&bytes[..], &[0; 4]].concat();
        socket.get_mut().write_all(&bytes).unwrap();
        match socket.read() {
            Ok(Message::Close(_)) | Err(_) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
    eventually("only the healthy one is left", || {
        server.get("/api/host/broadcast").json()["clients"] == 1
    });
    server.host.publish("a", "", &1).unwrap();
    assert!(healthy.read().unwrap().is_text());
}

#[test]
fn who_asks_for_signs_of_life_without_end_is_let_go() {
    let server = with_settings(|settings| {
        settings.write_timeout = Duration::from_millis(100);
        settings.keep_alive = Duration::from_secs(3600);
    });
    let mut socket = open(&server);
    let pings = frame(PING, &[0; 125]).repeat(500);
    // More than the system keeps for both, and nothing of the answers is read.
    for _ in 0..2000 {
        match socket.get_mut().write_all(&pings) {
            Ok(()) => {}
            Err(error) => {
                let cut = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
                assert!(cut.contains(&error.kind()), "{error}");
                return;
            }
        }
    }
    panic!("the host takes pings without end, and keeps the answers");
}
