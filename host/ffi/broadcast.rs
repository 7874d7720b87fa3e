//! `broadcast/1`.

use std::ffi::c_void;

use exthost_abi::broadcast::{BroadcastTable, Publication};
use exthost_abi::{Status, Str};

use crate::ffi::convert::{known_flags, object, store, text};
use crate::ffi::enter;

pub(super) static TABLE: BroadcastTable = BroadcastTable {
    publish,
    subscriber_count,
};

unsafe extern "C" fn publish(
    ctx: *const c_void,
    _cause: u64,
    publication: *const Publication,
    sequence: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the publication for the call.
        let publication = unsafe { object(publication, "publication") }?;
        known_flags(publication.flags | publication.reserved, 0)?;
        // SAFETY: and what it refers to.
        let channel = unsafe { text(publication.channel, "channel") }?;
        // SAFETY: as above.
        let event = unsafe { text(publication.event, "event") }?;
        // SAFETY: as above.
        let payload = unsafe { text(publication.payload, "payload") }?;
        let plugin = &services.context.name;
        let number = services
            .broadcast
            .publish(plugin, channel, event, payload)?;
        // SAFETY: the plugin lends `sequence` for the call.
        unsafe { store(sequence, number) };
        Ok(())
    })
}

unsafe extern "C" fn subscriber_count(
    ctx: *const c_void,
    _cause: u64,
    channel: Str,
    count: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends `channel` for the call.
        let channel = unsafe { text(channel, "channel") }?;
        let plugin = &services.context.name;
        let clients = services.broadcast.subscriber_count(plugin, channel)?;
        // SAFETY: and `count`.
        unsafe { store(count, clients) };
        Ok(())
    })
}
