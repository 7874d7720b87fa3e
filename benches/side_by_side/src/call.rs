//! One request and its answer, with nothing between.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::Result;

/// What an answer begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of the head itself.
    pub(crate) length: usize,
    /// Bytes that follow it.
    pub(crate) body_length: usize,
}

/// The head of an answer, once all of it is there.
pub(crate) fn head(bytes: &[u8]) -> Option<Head> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let name = "content-length: ";
    // Both servers write names in small letters.
    let length = text.lines().find_map(|line| line.strip_prefix(name));
    Some(Head {
        status,
        length: end + 4,
        body_length: length?.parse().ok()?,
    })
}

/// Sends one request of a route of the plugin and returns the JSON it is answered
/// with.
pub(crate) fn call(address: SocketAddr, method: &str, target: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{method} /api/ext/items/{target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\
         connection: close\r\ncontent-length: 0\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    match head(&answer) {
        Some(head) if head.status == 200 => Ok(serde_json::from_slice(&answer[head.length..])?),
        _ => {
            let answer = String::from_utf8_lossy(&answer);
            Err(format!("{method} {target} was answered: {answer}").into())
        }
    }
}
