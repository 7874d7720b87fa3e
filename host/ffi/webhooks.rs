//! `webhooks/1`.

use std::ffi::c_void;

use exthost_abi::webhooks::{FireDone, Webhook, WebhooksTable};
use exthost_abi::{Error, Status, Str};

use crate::ffi::convert::{Data, error, known_flags, object, require, store, text};
use crate::ffi::{callback, enter};
use crate::services::PluginServices;
use crate::services::db::By;
use crate::services::error::ServiceError;
use crate::services::webhooks::OutboxMessage;

pub(super) static TABLE: WebhooksTable = WebhooksTable { fire, fire_async };

unsafe extern "C" fn fire(
    ctx: *const c_void,
    cause: u64,
    webhook: *const Webhook,
    data: *mut c_void,
    done: FireDone,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        services.db.check_place()?;
        // SAFETY: the plugin lends the webhook for the call.
        let (tx, message) = unsafe { message(services, webhook) }?;
        let id = services
            .ops
            .block(services.fire(cause, tx, message, By::This))?;
        tell(services, cause, done, data, Ok(id));
        Ok(())
    })
}

unsafe extern "C" fn fire_async(
    ctx: *const c_void,
    cause: u64,
    webhook: *const Webhook,
    data: *mut c_void,
    done: FireDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        services.db.check_place()?;
        // SAFETY: the plugin lends the webhook for the call.
        let (tx, message) = unsafe { message(services, webhook) }?;
        services.ops.start(
            // SAFETY: and `op`.
            |id| unsafe { store(op, id) },
            services.fire(cause, tx, message, By::Runtime),
            move |result| tell(services, cause, done, data, result),
        )
    })
}

/// A message with the transaction it belongs to, copied.
///
/// # Safety
/// If the pointer is not null, the webhook and all that it refers to must be
/// readable.
unsafe fn message(
    services: &PluginServices,
    webhook: *const Webhook,
) -> Result<(u64, OutboxMessage), ServiceError> {
    // SAFETY: the caller's contract.
    let webhook = unsafe { object(webhook, "webhook") }?;
    known_flags(webhook.flags | webhook.reserved, 0)?;
    // SAFETY: the caller's contract.
    let event_type = unsafe { text(webhook.event_type, "event_type") }?;
    // SAFETY: the caller's contract.
    let content_type = unsafe { text(webhook.content_type, "content_type") }?;
    // SAFETY: the caller's contract.
    let payload = unsafe { webhook.payload.as_slice() };
    let payload = payload.map_err(|_| ServiceError::invalid("the payload is not bytes"))?;
    let message = OutboxMessage::new(
        services.context.name.as_str(),
        event_type,
        content_type,
        payload.to_vec(),
        services.context.clock.now_ms(),
    )?;
    Ok((webhook.tx, message))
}

fn tell(
    services: &PluginServices,
    cause: u64,
    done: FireDone,
    data: Data,
    result: Result<String, ServiceError>,
) {
    let Some(done) = done.0 else { return };
    let request = services.causes.exchange(&services.context, cause);
    callback(
        &services.context,
        request.as_deref(),
        "completion",
        || match &result {
            Ok(id) => {
                let none: *const Error = std::ptr::null();
                // SAFETY: the slot promises one call, this one; the id lives for it.
                unsafe { done(data.ptr(), Status::OK, none, Str::new(id)) };
            }
            Err(failure) => {
                let told = error(failure);
                // SAFETY: as above; `told` borrows from `failure` for the call.
                unsafe { done(data.ptr(), failure.status, &raw const told, Str::EMPTY) };
            }
        },
    );
}
