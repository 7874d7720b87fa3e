//! The slots of `broadcast/1`: each says what it was asked, and messages are
//! numbered.

use std::ffi::c_void;

use abi::broadcast::{BroadcastTable, Publication};
use abi::{Status, Str};
use exthost_abi as abi;

use super::{fake, text};

/// The clients of every channel.
const CLIENTS: u64 = 3;

pub(super) static BROADCAST: BroadcastTable = BroadcastTable {
    publish,
    subscriber_count,
};

unsafe extern "C" fn publish(
    ctx: *const c_void,
    cause: u64,
    publication: *const Publication,
    sequence: *mut u64,
) -> Status {
    // SAFETY: borrowed for the call.
    let publication = unsafe { &*publication };
    let [channel, event, payload] =
        [publication.channel, publication.event, publication.payload].map(text);
    let answer = fake(ctx).asked(format!(
        "publish cause {cause} {channel} {event}: {payload}"
    ));
    if answer.is_ok() {
        let id = fake(ctx).state().id();
        // SAFETY: writable, by the slot's contract.
        unsafe { sequence.write(id) };
    }
    fake(ctx).answer(answer)
}

unsafe extern "C" fn subscriber_count(
    ctx: *const c_void,
    _cause: u64,
    channel: Str,
    count: *mut u64,
) -> Status {
    let answer = fake(ctx).asked(format!("count {}", text(channel)));
    if answer.is_ok() {
        // SAFETY: writable, by the slot's contract.
        unsafe { count.write(CLIENTS) };
    }
    fake(ctx).answer(answer)
}
