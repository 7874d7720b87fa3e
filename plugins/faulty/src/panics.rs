//! Every way to panic in a handler.

use std::time::Duration;

use exthost_plugin::prelude::*;
use exthost_plugin::sleep;

pub(crate) fn routes(router: &mut Router) {
    router.get("panic", plain).public();
    router.get("panic-async", at_once).public();
    router.get("panic-later", later).public();
    router
        .get("panic-drop", with_a_payload_that_panics)
        .public();
}

fn plain() {
    panic!("asked to panic");
}

async fn at_once() {
    panic!("asked to panic before the first await");
}

async fn later() {
    sleep(Duration::from_millis(10)).await;
    panic!("asked to panic after an await");
}

fn with_a_payload_that_panics() {
    std::panic::panic_any(Payload);
}

/// What panics when it is dropped.
pub(crate) struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("the payload panics as well");
    }
}
