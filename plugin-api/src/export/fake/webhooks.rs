//! The slots of `webhooks/1`: each says what it was asked to send.

use std::ffi::c_void;

use abi::webhooks::{FireDone, Webhook, WebhooksTable};
use abi::{Status, Str};
use exthost_abi as abi;

use super::db::{Data, Refusal, described};
use super::{fake, text};

const ID: Str = Str::new("msg_1");

pub(super) static WEBHOOKS: WebhooksTable = WebhooksTable { fire, fire_async };

fn words(webhook: *const Webhook) -> String {
    // SAFETY: borrowed for the call.
    let webhook = unsafe { &*webhook };
    // SAFETY: borrowed for the call.
    let payload = String::from_utf8_lossy(unsafe { webhook.payload.as_slice() }.unwrap());
    format!(
        "fire tx {} {} {} {payload}",
        webhook.tx,
        text(webhook.event_type),
        text(webhook.content_type)
    )
}

unsafe extern "C" fn fire(
    ctx: *const c_void,
    _cause: u64,
    webhook: *const Webhook,
    data: *mut c_void,
    done: FireDone,
) -> Status {
    let answer = fake(ctx).asked(words(webhook));
    if answer.is_ok() {
        // SAFETY: once, before this returns.
        unsafe { done.0.unwrap()(data, Status::OK, std::ptr::null(), ID) };
    }
    fake(ctx).answer(answer)
}

unsafe extern "C" fn fire_async(
    ctx: *const c_void,
    _cause: u64,
    webhook: *const Webhook,
    data: *mut c_void,
    done: FireDone,
    op: *mut u64,
) -> Status {
    let (fake, data) = (fake(ctx), Data(data));
    let what = words(webhook);
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        let id = if answer.is_ok() { ID } else { Str::EMPTY };
        described(answer, |status, error| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, error, id) };
        });
    };
    fake.later(op, Box::new(end))
}
