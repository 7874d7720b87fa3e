//! One chunk at a time: who may send the next one.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Room for one chunk of a streamed response.
#[derive(Debug)]
pub struct Room<'a> {
    pub(super) place: mpsc::OwnedPermit<Bytes>,
    pub(super) _alone: Alone<'a>,
}

impl Room<'_> {
    /// Sends the chunk.
    pub fn send(self, chunk: Bytes) {
        self.place.send(chunk);
    }
}

/// Holds a flag for the time of one operation.
#[derive(Debug)]
pub(super) struct Alone<'a>(&'a AtomicBool);

impl<'a> Alone<'a> {
    pub(super) fn enter(flag: &'a AtomicBool) -> Option<Self> {
        (!flag.swap(true, Ordering::Acquire)).then_some(Alone(flag))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
