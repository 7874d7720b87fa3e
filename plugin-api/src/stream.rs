//! Streamed bodies of responses.

use std::io;

use exthost_abi::Status;

use crate::export::buffer::Payload;
use crate::export::host::Host;
use crate::export::tasks::BoxFuture;
use crate::{Error, Result, log};

/// Writes a body, given to [`Response::streaming`](crate::Response::streaming).
pub(crate) struct Write(pub(crate) WriteFn);

type WriteFn = Box<dyn FnOnce(BodySender) -> BoxFuture<Result<()>> + Send>;

/// Writes a body, given to
/// [`Response::streaming_blocking`](crate::Response::streaming_blocking).
pub(crate) struct BlockingWrite(pub(crate) BlockingWriteFn);

type BlockingWriteFn = Box<dyn FnOnce(&mut BodyWriter) -> Result<()> + Send>;

/// Buffered bytes after which a [`BodyWriter`] sends a chunk.
const BUFFER_BYTES: usize = 8 * 1024;

/// Sends a streamed body.
#[derive(Debug)]
pub struct BodySender {
    host: &'static Host,
    request: u64,
}

impl BodySender {
    /// Another sender of the same body; one chunk at a time may be under way.
    pub(crate) fn share(&self) -> Self {
        BodySender {
            host: self.host,
            request: self.request,
        }
    }

    /// Sends one chunk; done when there is room for the next.
    ///
    /// # Errors
    /// When the client left, or took nothing for the idle timeout.
    pub async fn send(&mut self, chunk: impl Into<Payload>) -> Result<()> {
        self.host.send_chunk_async(self.request, chunk.into()).await
    }
}

/// Writes a streamed body from a thread that may block.
///
/// What is written through [`io::Write`] is sent in chunks of 8 KiB, and when
/// it is flushed.
#[derive(Debug)]
pub struct BodyWriter {
    open: Open,
    buffer: Vec<u8>,
    client_left: bool,
}

impl BodyWriter {
    /// Sends one chunk, after what was written before it; waits until there is
    /// room for the next.
    ///
    /// # Errors
    /// When the client left, or took nothing for the idle timeout.
    pub fn send(&mut self, chunk: impl Into<Payload>) -> Result<()> {
        self.send_buffer()?;
        self.send_chunk(chunk.into())
    }

    fn send_buffer(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.send_chunk(buffer.into())
    }

    fn send_chunk(&mut self, chunk: Payload) -> Result<()> {
        let sent = self.open.host.send_chunk(self.open.request, chunk);
        sent.inspect_err(|error| self.client_left |= is_gone(error))
    }
}

impl io::Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_buffer()
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

/// A response whose head was sent. Cut off when dropped.
#[derive(Debug)]
pub(crate) struct Open {
    host: &'static Host,
    request: u64,
}

impl Open {
    pub(crate) fn new(host: &'static Host, request: u64) -> Self {
        Open { host, request }
    }

    /// Ends the body, so that it is whole.
    fn end(self) {
        let ended = self.host.respond_end(self.request);
        if let Err(error) = ended {
            log::debug(error.to_string());
        }
        std::mem::forget(self);
    }

    /// Lets go of a body that nobody waits for.
    fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.host.respond_abort(self.request);
    }
}

/// Drives `write` to its end. The host drops it when nobody waits for the body
/// any more.
pub(crate) async fn drive(open: Open, write: Write) {
    let writer = (write.0)(BodySender {
        host: open.host,
        request: open.request,
    });
    let outcome = writer.await;
    finish(open, outcome);
}

/// Runs `write` to its end on this thread.
pub(crate) fn run(open: Open, write: BlockingWrite) {
    let mut writer = BodyWriter {
        open,
        buffer: Vec::new(),
        client_left: false,
    };
    let outcome = (write.0)(&mut writer).and_then(|()| writer.send_buffer());
    if writer.client_left {
        writer.open.forget();
    } else {
        finish(writer.open, outcome);
    }
}

fn finish(open: Open, outcome: Result<()>) {
    match outcome {
        Ok(()) => open.end(),
        Err(error) if is_gone(&error) => open.forget(),
        Err(error) => {
            log::error("a streamed response was cut off").field("reason", error.to_string());
            drop(open);
        }
    }
}

/// Whether the client left, so that there is nothing to end.
fn is_gone(error: &Error) -> bool {
    matches!(error.host_status(), Some(Status::GONE | Status::CANCELLED))
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Write")
    }
}

impl std::fmt::Debug for BlockingWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockingWrite")
    }
}
