//! The host's side of the boundary: the functions behind every service table,
//! and the calls of a plugin's hooks.
//!
//! Data that comes in is checked here and nowhere else: null, length, UTF-8,
//! range, unknown bits. Every function a plugin can call enters through
//! [`enter`], which fences panics, refuses a stopped plugin and keeps the
//! thread's last error. A wild pointer cannot be told from a good one; a plugin
//! in this process is trusted not to pass one.

#![allow(
    unsafe_code,
    reason = "functions behind the ABI's tables, and calls of hooks"
)]

mod audit;
mod broadcast;
mod cache;
mod completion;
mod config;
mod convert;
mod db;
mod door;
mod events;
mod kv;
mod log;
mod routes;
mod tasks;
mod webhooks;

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use exthost_abi::door::ABI;
use exthost_abi::{API_VERSION, Error, Services, Status, Str};

pub(crate) use door::{Door, Hooks};

use crate::services::PluginServices;
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;
use convert::text;

/// Makes the table that is handed to a plugin's `init`. It and `services` stay
/// for the life of the process, as the ABI promises.
pub(crate) fn services_table(services: &'static PluginServices) -> &'static Services {
    Box::leak(Box::new(Services {
        abi: ABI,
        flags: 0,
        ctx: std::ptr::from_ref(services).cast(),
        api: API_VERSION,
        reserved: 0,
        service,
        fail,
        last_error,
    }))
}

/// Runs one call of a plugin: the only way in.
///
/// `ctx` is that of [`Services::ctx`], or null.
fn enter(
    ctx: *const c_void,
    call: impl FnOnce(&'static PluginServices) -> Result<(), ServiceError>,
) -> Status {
    enter_if(ctx, true, call)
}

/// [`enter`], for the few calls that a stopped plugin may still make.
fn enter_if(
    ctx: *const c_void,
    running: bool,
    call: impl FnOnce(&'static PluginServices) -> Result<(), ServiceError>,
) -> Status {
    // SAFETY: a plugin has no other `ctx` than the one of `services_table`,
    // which points to services that live as long as the process.
    let Some(services) = (unsafe { ctx.cast::<PluginServices>().as_ref() }) else {
        return Status::INVALID;
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        if running {
            services.context.check_running()?;
        }
        call(services)
    }));
    let error = match result {
        Ok(Ok(())) => {
            FAILED.set(false);
            return Status::OK;
        }
        Ok(Err(error)) => error,
        Err(_) => ServiceError::new(Status::INTERNAL, "internal", "the host failed; see its log"),
    };
    let status = error.status;
    // A thread that is being torn down has no place for it any more.
    let kept = LAST_ERROR.try_with(|last| last.replace(Some(error)));
    FAILED.set(kept.is_ok());
    FAILED_IN_HOOK.set(kept.is_ok());
    status
}

thread_local! {
    /// Whether this thread's last call failed. It has no destructor, so it is
    /// there until the thread ends.
    static FAILED: Cell<bool> = const { Cell::new(false) };
    /// Whether a call of the hook that runs on this thread failed.
    static FAILED_IN_HOOK: Cell<bool> = const { Cell::new(false) };
    /// Why the last of this thread's calls that failed did.
    static LAST_ERROR: RefCell<Option<ServiceError>> = const { RefCell::new(None) };
    /// Whether the hook that runs on this thread said something of its failure. It
    /// costs less to ask than [`FAILURE`], which has a destructor.
    static TOLD: Cell<bool> = const { Cell::new(false) };
    /// What the hook that runs on this thread said of its failure.
    static FAILURE: RefCell<Option<ServiceError>> = const { RefCell::new(None) };
}

/// Calls a hook and turns its status, with what it told `fail`, into a result. A
/// hook that told nothing and returns what the last of its calls to fail answered
/// passes that error on, whatever it cleaned up since.
fn hook(call: impl FnOnce() -> Status) -> Result<(), ServiceError> {
    FAILED.set(false);
    FAILED_IN_HOOK.set(false);
    let (status, failure) = with_failure(call);
    let failed = FAILED_IN_HOOK.replace(false);
    if status.is_ok() {
        return Ok(());
    }
    Err(match failure {
        Some(failure) => ServiceError { status, ..failure },
        None => failed
            .then(|| last_failure(status))
            .flatten()
            .unwrap_or_else(|| ServiceError::status(status)),
    })
}

/// Why the last of this thread's calls that failed did, if that was with `status`.
fn last_failure(status: Status) -> Option<ServiceError> {
    let last = LAST_ERROR.try_with(|last| last.borrow().clone()).ok()??;
    (last.status == status).then_some(last)
}

/// Calls a hook that has no status to return; what it told `fail` is counted as
/// a fault in `at`, of the request it served.
fn callback<R>(
    context: &PluginContext,
    request: Option<&Exchange>,
    at: &str,
    call: impl FnOnce() -> R,
) -> R {
    let (returned, failure) = with_failure(call);
    if let Some(failure) = failure {
        let request = request.map(|exchange| &*exchange.request_id);
        context.fault(at, request, &failure);
    }
    returned
}

/// Runs foreign code, and returns what it told `fail`. A hook that is called
/// within another keeps what that one has told.
fn with_failure<R>(call: impl FnOnce() -> R) -> (R, Option<ServiceError>) {
    let outer = take_failure();
    let returned = call();
    let told = take_failure();
    if let Some(outer) = outer {
        keep_failure(outer);
    }
    (returned, told)
}

/// Keeps what the hook that runs on this thread said of its failure.
fn keep_failure(failure: ServiceError) {
    let kept = FAILURE.try_with(|slot| slot.replace(Some(failure)));
    TOLD.set(kept.is_ok());
}

/// Takes what it said, if it said anything.
fn take_failure() -> Option<ServiceError> {
    if !TOLD.replace(false) {
        return None;
    }
    FAILURE.try_with(RefCell::take).ok().flatten()
}

unsafe extern "C" fn service(ctx: *const c_void, id: Str, revision: u32) -> *const c_void {
    let mut table = std::ptr::null();
    let status = enter(ctx, |services| {
        // SAFETY: the plugin lends `id` for the call.
        let id = unsafe { text(id, "id") }?;
        table = find_table(id, revision);
        if table.is_null() {
            return Err(ServiceError::new(
                Status::NOT_FOUND,
                "no-such-table",
                format!("this host has no table {id}/{revision}"),
            ));
        }
        let free = id == exthost_abi::tasks::ID;
        if !free && !services.context.is_granted(id, revision) {
            return Err(ServiceError::new(
                Status::DENIED,
                "denied",
                format!(
                    "{id}/{revision} was not granted to {}",
                    services.context.name
                ),
            ));
        }
        Ok(())
    });
    match status {
        Status::OK => table,
        _ => std::ptr::null(),
    }
}

fn find_table(id: &str, revision: u32) -> *const c_void {
    match (id, revision) {
        (exthost_abi::log::ID, 1) => (&raw const log::TABLE).cast(),
        (exthost_abi::config::ID, 1) => (&raw const config::TABLE).cast(),
        (exthost_abi::routes::ID, 1) => (&raw const routes::TABLE).cast(),
        (exthost_abi::tasks::ID, 1) => (&raw const tasks::TABLE).cast(),
        (exthost_abi::events::ID, 1) => (&raw const events::TABLE).cast(),
        (exthost_abi::db::ID, 1) => (&raw const db::TABLE).cast(),
        (exthost_abi::broadcast::ID, 1) => (&raw const broadcast::TABLE).cast(),
        (exthost_abi::webhooks::ID, 1) => (&raw const webhooks::TABLE).cast(),
        (exthost_abi::kv::ID, 1) => (&raw const kv::TABLE).cast(),
        (exthost_abi::cache::ID, 1) => (&raw const cache::TABLE).cast(),
        (exthost_abi::audit::ID, 1) => (&raw const audit::TABLE).cast(),
        _ => std::ptr::null(),
    }
}

unsafe extern "C" fn fail(ctx: *const c_void, code: Str, message: Str, detail: Str) -> Status {
    enter_if(ctx, false, |_| {
        // SAFETY: the plugin lends the three texts for the call.
        let failure = unsafe { failure(code, message, detail) }?;
        keep_failure(failure);
        Ok(())
    })
}

/// What a plugin says of a failure, copied; its status is not known yet.
///
/// # Safety
/// The three texts must be readable.
unsafe fn failure(code: Str, message: Str, detail: Str) -> Result<ServiceError, ServiceError> {
    // SAFETY: the caller's contract.
    let code = unsafe { text(code, "code") }?;
    // SAFETY: the caller's contract.
    let message = unsafe { text(message, "message") }?;
    // SAFETY: the caller's contract.
    let detail = unsafe { text(detail, "detail") }?;
    Ok(ServiceError {
        status: Status::INTERNAL,
        code: code.to_owned().into(),
        message: message.to_owned(),
        detail: detail.to_owned(),
    })
}

unsafe extern "C" fn last_error(ctx: *const c_void, error: *mut Error) -> Status {
    if ctx.is_null() || error.is_null() {
        return Status::INVALID;
    }
    if !FAILED.get() {
        return Status::NOT_FOUND;
    }
    let told = LAST_ERROR.try_with(|last| {
        let last = last.borrow();
        let last = last.as_ref()?;
        // SAFETY: not null, and the plugin lends it for the call.
        unsafe { error.write(convert::error(last)) };
        Some(Status::OK)
    });
    told.ok().flatten().unwrap_or(Status::NOT_FOUND)
}
